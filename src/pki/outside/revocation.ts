/**
 * What authorities outside the company say about their own certificates (an outside TSA's, an enterprise's CA's), so that
 * documents hold it: asked for where the certificates say, and kept until it is out of date.
 */
import type { Logger } from 'pino';
import { ocspRequest } from '../ocsp.ts';
import type { Certificate } from '../x509.ts';
import { fetchOutside, NotFetched } from './fetch.ts';
import { statusUrls } from './urls.ts';

export type StatusKind = 'OCSP' | 'CRL';

export interface StatusAnswer {
  readonly kind: StatusKind;
  readonly der: Uint8Array;
}

export interface OutsideRevocationOptions {
  /**
   * What an answer says of the certificate, when it comes from somebody who may say it: until when it counts (null: not
   * said); or null when it says nothing. src/signatures/verify/statements.ts
   */
  readonly about: (
    answer: StatusAnswer,
    certificate: Certificate,
    issuer: Certificate,
  ) => { readonly nextUpdate: Date | null } | null;
  /** Whether inner addresses may be asked, for an authority inside the company's network. */
  readonly allowPrivate: boolean;
  readonly now: () => Date;
  readonly logger: Logger;
}

/** How long an answer without an end, and a failure, are kept, milliseconds. */
const KEPT = 3_600_000;
const FAILURE_KEPT = 60_000;
const MOST = 200;

export class OutsideRevocation {
  readonly #options: OutsideRevocationOptions;
  readonly #known = new Map<string, { readonly until: number; readonly answer: Promise<StatusAnswer | null> }>();

  constructor(options: OutsideRevocationOptions) {
    this.#options = options;
  }

  /**
   * An OCSP answer, else a CRL, that speaks of the certificate; null when none could be had: then the document lacks it,
   * and a later extension asks again.
   *
   * @param certificate one whose path to a configured anchor has been checked: else anybody could have us ask anywhere
   * @param issuer the certificate above it
   */
  answerAbout(certificate: Certificate, issuer: Certificate): Promise<StatusAnswer | null> {
    const time = this.#options.now().getTime();
    const id = Buffer.from(certificate.der).toString('base64');
    const known = this.#known.get(id);
    if (known && known.until > time) return known.answer;
    if (this.#known.size >= MOST) this.#known.clear();
    const answer = this.#ask(certificate, issuer).then(({ answer, until }) => {
      this.#known.set(id, { until, answer: Promise.resolve(answer) });
      return answer;
    });
    this.#known.set(id, { until: time + FAILURE_KEPT, answer });
    return answer;
  }

  async #ask(
    certificate: Certificate,
    issuer: Certificate,
  ): Promise<{ readonly answer: StatusAnswer | null; readonly until: number }> {
    const { about, allowPrivate, now, logger } = this.#options;
    const { ocsp, crl } = statusUrls(certificate);
    const body = { type: 'application/ocsp-request', bytes: ocspRequest(certificate, issuer) };
    const places = [
      ...ocsp.map(url => ({ kind: 'OCSP' as const, url, options: { allowPrivate, body } })),
      ...crl.map(url => ({ kind: 'CRL' as const, url, options: { allowPrivate } })),
    ];
    for (const { kind, url, options } of places) {
      try {
        const answer = { kind, der: await fetchOutside(url, options) };
        const said = about(answer, certificate, issuer);
        if (said) return { answer, until: said.nextUpdate?.getTime() ?? now().getTime() + KEPT };
        logger.warn({ url, kind }, 'an answer about an outside certificate was not authentic and is left out');
      } catch (error) {
        if (!(error instanceof NotFetched)) throw error;
        logger.warn({ url, kind, reason: error.message }, 'no answer about an outside certificate');
      }
    }
    return { answer: null, until: now().getTime() + FAILURE_KEPT };
  }
}
