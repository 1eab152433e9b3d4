/** What validators ask for: anchors, CA certificate, CRL, OCSP. Public, unsigned HTTP; each is signed in itself. */
import { createHash, X509Certificate } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { OcspReply, Pki } from '../pki/pki.ts';
import { FIRST_CA } from '../pki/profiles.ts';
import { notFound } from './problems.ts';

/** RFC 6960 Appendix A.1 allows GET for requests under 255 bytes; some clients send longer ones. */
const LONGEST_GET = 4096;

function sendDer(reply: FastifyReply, type: string, der: Uint8Array): FastifyReply {
  return reply.type(type).header('cache-control', 'no-cache').send(Buffer.from(der));
}

/** For GET, which caches may answer in our place (RFC 5019 §6.2). */
function sendOcsp(reply: FastifyReply, { der, reuse }: OcspReply, now: Date): FastifyReply {
  const age = reuse === null ? 0 : Math.floor((reuse.until.getTime() - now.getTime()) / 1000);
  if (reuse !== null && age > 0) {
    reply
      .header('last-modified', reuse.madeAt.toUTCString())
      .header('expires', reuse.nextUpdate.toUTCString())
      .header('etag', `"${createHash('sha256').update(der).digest('hex')}"`)
      .header('cache-control', `max-age=${age}, public, no-transform, must-revalidate`);
  } else reply.header('cache-control', 'no-cache');
  return reply.type('application/ocsp-response').send(Buffer.from(der));
}

export function trustRoutes(app: FastifyInstance, pki: Pick<Pki, 'ca' | 'anchors'>, now: () => Date): void {
  // Each time anew: an authority may follow another while the gateway runs.
  app.get('/trust.pem', (_request, reply) =>
    reply
      .type('application/x-pem-file')
      .header('cache-control', 'no-cache')
      .send(pki.anchors.map(anchor => new X509Certificate(anchor).toString()).join('')),
  );

  const sendCertificate = (reply: FastifyReply, name: string): FastifyReply => {
    const certificate = pki.ca.certificateNamed(name);
    if (!certificate) throw notFound();
    return sendDer(reply, 'application/pkix-cert', certificate);
  };
  app.get('/ca.cer', (_request, reply) => sendCertificate(reply, FIRST_CA));
  app.get<{ Params: { name: string } }>('/ca/:name.cer', (request, reply) =>
    sendCertificate(reply, request.params.name),
  );

  app.get<{ Params: { name: string } }>('/crl/:name.crl', async (request, reply) => {
    const crl = await pki.ca.crlNamed(request.params.name);
    if (!crl) throw notFound();
    return sendDer(reply, 'application/pkix-crl', crl);
  });

  app.post('/ocsp', async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const { der } = await pki.ca.ocsp(body);
    return sendDer(reply, 'application/ocsp-response', der);
  });

  app.get('/ocsp/*', { exposeHeadRoute: false }, async (request, reply) => {
    // From the raw URL: base64 has slashes of its own.
    const encoded = (request.raw.url ?? '').replace(/^\/ocsp\//, '');
    if (encoded.length > LONGEST_GET) throw notFound();
    return sendOcsp(reply, await pki.ca.ocsp(Buffer.from(unescapeUrl(encoded), 'base64')), now());
  });
}

/** Percent-decoding that takes anything; what isn't an OCSP request gets `malformedRequest`. */
function unescapeUrl(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_match, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
