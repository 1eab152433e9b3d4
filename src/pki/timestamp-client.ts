/** Outside timestamp authorities: RFC 3161 over HTTP (§3.4), and the list of authorities with fail-over. */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { SHA256 } from './algorithms.ts';
import { DerError, der, Fields, hex, read, smallIntegerOf, TAG } from './der.ts';
import { TokenError } from './pkcs11/token.ts';
import { type Timestamp, type TimestampAuthority, TimestampUnavailable } from './pki.ts';
import { checkToken, TokenInvalid } from './token.ts';
import type { Certificate } from './x509.ts';

const TIMEOUT = 10_000;
const MAX_SIZE = 1_048_576;
/** How far an authority's clock and ours may be apart, milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

export interface OutsideAuthorityOptions {
  readonly url: string;
  /** Where the authority's chain must end. */
  readonly anchors: readonly Certificate[];
  readonly now: () => Date;
  /** Milliseconds. */
  readonly timeout?: number;
}

export class OutsideTimestampAuthority implements TimestampAuthority {
  readonly #options: OutsideAuthorityOptions;

  constructor(options: OutsideAuthorityOptions) {
    this.#options = options;
  }

  async stamp(sha256: Uint8Array): Promise<Timestamp> {
    if (sha256.length !== 32) throw new TypeError('not a SHA-256 digest');
    const { url, anchors, now } = this.#options;
    const nonce = hex(randomBytes(16)).replace(/^0+(?=.)/, '');
    const sent = now();
    try {
      const token = tokenOf(await this.#post(timestampRequest(sha256, nonce)));
      return checkToken(token, {
        sha256,
        nonce,
        anchors,
        notBefore: new Date(sent.getTime() - CLOCK_TOLERANCE),
        notAfter: new Date(now().getTime() + CLOCK_TOLERANCE),
      });
    } catch (error) {
      throw new TimestampUnavailable(`${url}: ${reasonOf(error)}`);
    }
  }

  async #post(request: Uint8Array): Promise<Uint8Array> {
    const response = await fetch(this.#options.url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: new Uint8Array(request),
      redirect: 'error',
      signal: AbortSignal.timeout(this.#options.timeout ?? TIMEOUT),
    });
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (response.status !== 200 || type !== 'application/timestamp-reply' || !response.body) {
      await response.body?.cancel();
      throw new TokenInvalid(`answered with status ${response.status}, type ${type ?? 'none'}`);
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > MAX_SIZE) throw new TokenInvalid('the answer is too big');
      chunks.push(chunk);
    }
    return new Uint8Array(Buffer.concat(chunks));
  }
}

/** TimeStampReq (RFC 3161 §2.4.1) that asks for the certificate, too. */
function timestampRequest(sha256: Uint8Array, nonce: string): Uint8Array {
  return der.sequence(
    der.integer(1),
    der.sequence(SHA256, der.octetString(sha256)),
    der.integer(nonce),
    der.boolean(true),
  );
}

/** The token of a TimeStampResp whose status is granted or grantedWithMods (RFC 3161 §2.4.2). */
function tokenOf(response: Uint8Array): Uint8Array {
  const fields = new Fields(read(response, TAG.sequence).content);
  const status = smallIntegerOf(fields.sequence().next(TAG.integer));
  if (status > 1) throw new TokenInvalid(`refused with status ${status}`);
  const token = fields.next(TAG.sequence).bytes;
  fields.finish();
  return new Uint8Array(token);
}

function reasonOf(error: unknown): string {
  if (error instanceof DerError || error instanceof TokenInvalid) return error.message;
  if (!(error instanceof Error)) return 'unknown fault';
  // fetch says only "fetch failed"; the cause has the reason.
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** Tries authorities in order; a dead one is normal. */
export class TimestampAuthorities implements TimestampAuthority {
  readonly #authorities: readonly TimestampAuthority[];
  readonly #logger: Logger;

  constructor(authorities: readonly TimestampAuthority[], logger: Logger) {
    this.#authorities = authorities;
    this.#logger = logger;
  }

  async stamp(sha256: Uint8Array): Promise<Timestamp> {
    const reasons: string[] = [];
    for (const authority of this.#authorities) {
      try {
        return await authority.stamp(sha256);
      } catch (error) {
        if (!(error instanceof TimestampUnavailable || error instanceof TokenError)) throw error;
        reasons.push(error.message);
        this.#logger.warn({ reason: error.message }, 'timestamp authority passed over');
      }
    }
    throw new TimestampUnavailable(reasons.join('; '));
  }
}
