/**
 * The public verification: POST /api/verify takes one file, checks it in a document child and forgets it. No device, no
 * storage, no log of what was in it; few at once, so that nobody fills the memory.
 */
import type { FastifyInstance } from 'fastify';
import { DocumentWorkerUnavailable } from '../documents/worker.ts';
import type { CertificateAuthority, Pki } from '../pki/pki.ts';
import { factsOf } from '../signatures/verify/facts.ts';
import type { FileReport, VerifyInput } from '../signatures/verify/result.ts';
import { HttpProblem } from './problems.ts';
import { network } from './rate.ts';

export interface VerificationDeps {
  /** @throws DocumentWorkerUnavailable */
  readonly verify: (input: VerifyInput) => Promise<FileReport>;
  /** Octets that a file may have. */
  readonly maxSize: number;
  /** Whom to trust, and what was revoked, as of now. */
  readonly pki: Pick<Pki, 'anchors' | 'intermediates'> & { readonly ca: Pick<CertificateAuthority, 'crls'> };
  /** Of outside timestamp authorities, DER. */
  readonly timestampAnchors: readonly Uint8Array[];
  readonly now: () => Date;
}

const MINUTE = 60_000;
/** From one network. */
const PER_MINUTE = 20;
/** Files in memory. */
const AT_ONCE = 4;

export function verificationRoutes(app: FastifyInstance, deps: VerificationDeps): void {
  const limits = new Limits(deps.now);
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
  // Before the body is read.
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const release = limits.enter(network(request.ip));
    reply.raw.once('close', release);
  });
  app.post('/verify', { bodyLimit: deps.maxSize }, async (request, reply) => {
    const { body } = request;
    if (!(body instanceof Uint8Array) || body.length === 0) throw new HttpProblem('bad-request');
    const { pki, timestampAnchors, now } = deps;
    const { anchors, intermediates: certificates } = pki;
    const trust = { anchors, timestampAnchors, certificates, crls: await pki.ca.crls() };
    try {
      const report = await deps.verify({ ...trust, file: body, content: null, now: now() });
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(factsOf(report)));
    } catch (error) {
      if (error instanceof DocumentWorkerUnavailable) throw new HttpProblem('try-later', { cause: error });
      throw error;
    }
  });
}

class Limits {
  readonly #now: () => Date;
  readonly #asked = new Map<string, number>();
  #since = 0;
  #inside = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** @returns what to call at the end, once or more. @throws HttpProblem */
  enter(client: string): () => void {
    const time = this.#now().getTime();
    if (Math.abs(time - this.#since) >= MINUTE) {
      this.#since = time;
      this.#asked.clear();
    }
    const asked = (this.#asked.get(client) ?? 0) + 1;
    this.#asked.set(client, asked);
    if (asked > PER_MINUTE) throw new HttpProblem('too-many-tries');
    if (this.#inside >= AT_ONCE) throw new HttpProblem('try-later');
    this.#inside++;
    let left = false;
    return () => {
      if (!left) this.#inside--;
      left = true;
    };
  }
}
