/** POST /tsa: our timestamp authority over HTTP (RFC 3161 §3.4). Public; what it refuses it says in its replies. */
import type { FastifyInstance } from 'fastify';
import type { EmbeddedTimestampAuthority } from '../pki/tsa.ts';
import { HttpProblem } from './problems.ts';
import { network, Rate } from './rate.ts';

const QUERY = 'application/timestamp-query';
const REPLY = 'application/timestamp-reply';
/** An honest query has about a hundred octets. */
const MAX_SIZE = 4096;
/** From one network. */
const PER_MINUTE = 120;

export interface TimestampRouteDeps {
  readonly tsa: Pick<EmbeddedTimestampAuthority, 'respond'>;
  readonly now: () => Date;
}

export function timestampRoutes(app: FastifyInstance, { tsa, now }: TimestampRouteDeps): void {
  const rate = new Rate(PER_MINUTE, now);
  app.removeContentTypeParser(['application/json', 'application/ocsp-request']);
  app.addContentTypeParser(QUERY, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  // Before the body is read.
  app.addHook('onRequest', async request => {
    if (!rate.allows(network(request.ip))) throw new HttpProblem('too-many-tries');
  });
  app.post('/tsa', { bodyLimit: MAX_SIZE }, async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const response = await tsa.respond(body);
    return reply.type(REPLY).header('cache-control', 'no-store').send(Buffer.from(response));
  });
}
