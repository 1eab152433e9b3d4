/** The embedded timestamp authority (RFC 3161, RFC 5816). */
import type { Logger } from 'pino';
import { digest, SHA256, signatureIdentifier } from './algorithms.ts';
import { der } from './der.ts';
import { OID } from './oids.ts';
import { type Identity, type Timestamp, type TimestampAuthority, TimestampUnavailable } from './pki.ts';
import type { TimestampStore } from './records.ts';
import { granted, parseTimestampRequest, rejected, type TimestampAsk, TimestampRefused } from './tsa-request.ts';
import { type Certificate, parseCertificate, randomSerial } from './x509.ts';

/** THREATS.md "Clock"; milliseconds. */
const MAX_STEP_BACK = 1_000;
const MAX_JUMP_AHEAD = 60_000;
/** Deviations add up for so long: a clock that stands still would else lag by little at every look, and never be caught. */
const REFERENCE_AGE = 3_600_000;

export interface TsaOptions {
  readonly identity: Identity;
  readonly store: TimestampStore;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets: `performance.now`. */
  readonly monotonic: () => number;
  readonly logger: Logger;
  /** TSTInfo.policy; the default is ETSI's best practices policy. */
  readonly policy?: string;
}

/** Timestamping unit (RFC 3628 §3.1). */
interface Unit {
  readonly identity: Identity;
  readonly certificate: Certificate;
}

const unitOf = (identity: Identity): Unit => ({ identity, certificate: parseCertificate(identity.certificate) });

/** The clock can't be believed. */
export class ClockInDoubt extends TimestampUnavailable {}

/**
 * Stamps only while the clock is believable: it must advance as the monotonic clock does, hour by hour, and never lie
 * before the last stamp, which outlives restarts. A clock that is set right again is believed again; a new time that is right
 * although it came by a jump must be acknowledged (a restart of the gateway does it).
 */
export class EmbeddedTimestampAuthority implements TimestampAuthority {
  readonly #options: TsaOptions;
  #unit: Unit;
  /** A believed pair of clock readings. */
  #reference: { readonly wall: number; readonly monotonic: number };

  constructor(options: TsaOptions) {
    this.#options = options;
    this.#unit = unitOf(options.identity);
    this.#reference = this.#readClocks();
  }

  /** Another key, another certificate: stamps from now on. Its clock goes on. */
  use(identity: Identity): void {
    this.#unit = unitOf(identity);
  }

  async stamp(sha256: Uint8Array): Promise<Timestamp> {
    if (sha256.length !== 32) throw new TypeError('not a SHA-256 digest');
    const messageImprint = der.sequence(SHA256, der.octetString(sha256));
    const { token, time, identity } = await this.#issue({ messageImprint, nonce: null, certReq: true });
    return { token, time, certificates: [identity.certificate, ...identity.issuers] };
  }

  /** Answers a DER TimeStampReq with a TimeStampResp, which says why where there is no token. Never throws. */
  async respond(request: Uint8Array): Promise<Uint8Array> {
    try {
      const { token } = await this.#issue(parseTimestampRequest(request, this.#policy));
      return granted(token);
    } catch (error) {
      if (error instanceof TimestampRefused) return rejected(error);
      if (error instanceof ClockInDoubt)
        return rejected(new TimestampRefused('timeNotAvailable', 'the time is not certain at present'));
      this.#options.logger.error({ err: error }, 'timestamp request failed');
      return rejected(new TimestampRefused('systemFailure', 'no timestamps at present'));
    }
  }

  get #policy(): string {
    return this.#options.policy ?? OID.bestPracticesTimestampPolicy;
  }

  /** @throws TimestampUnavailable */
  async #issue(ask: TimestampAsk): Promise<{ token: Uint8Array; time: Date; identity: Identity }> {
    // One and the same for the whole token, whatever is taken into use meanwhile.
    const unit = this.#unit;
    const time = await this.#nextTime(unit.certificate);
    return { token: await sign(unit, this.#tstInfo(ask, time), ask.certReq), time, identity: unit.identity };
  }

  /** An admin has checked the clock: its present time is right. */
  acknowledgeClock(): void {
    this.#reference = this.#readClocks();
  }

  #readClocks() {
    return { wall: this.#options.now().getTime(), monotonic: this.#options.monotonic() };
  }

  /** The time of the next stamp, whole seconds, never before the last one. @throws TimestampUnavailable */
  async #nextTime({ notBefore, notAfter }: Certificate): Promise<Date> {
    for (;;) {
      const last = await this.#options.store.lastTime();
      const now = this.#believedNow();
      if (last && now.getTime() < last.getTime() - MAX_STEP_BACK) {
        throw this.#doubt(`the clock is behind the last timestamp (${last.toISOString()})`);
      }
      const second = new Date(Math.floor(now.getTime() / 1000) * 1000);
      const time = last && second < last ? last : second;
      // Before the time is remembered: a year that can't be would bar every later one.
      if (time < notBefore || time > notAfter)
        throw new TimestampUnavailable("the timestamp authority's certificate is out of its validity");
      if (await this.#options.store.advance(last, time)) return time;
    }
  }

  #believedNow(): Date {
    const clocks = this.#readClocks();
    const elapsed = clocks.monotonic - this.#reference.monotonic;
    const drift = clocks.wall - this.#reference.wall - elapsed;
    if (drift < -MAX_STEP_BACK) throw this.#doubt(`the clock stepped back by ${(-drift / 1000).toFixed(1)} s`);
    if (drift > MAX_JUMP_AHEAD) throw this.#doubt(`the clock jumped ahead by ${(drift / 1000).toFixed(1)} s`);
    if (elapsed >= REFERENCE_AGE) this.#reference = clocks;
    return new Date(clocks.wall);
  }

  #doubt(reason: string): ClockInDoubt {
    this.#options.logger.error({ reason }, 'no timestamps: the clock is in doubt; check it, then restart the gateway');
    return new ClockInDoubt(`the clock is in doubt: ${reason}`);
  }

  #tstInfo({ messageImprint, nonce }: TimestampAsk, time: Date): Uint8Array {
    return der.sequence(
      der.integer(1),
      der.oid(this.#policy),
      messageImprint,
      der.integer(randomSerial()),
      der.generalizedTime(time),
      // Accuracy: one second, for genTime is cut to one.
      der.sequence(der.integer(1)),
      // Ordering is FALSE and left out: two tokens of one second don't tell which came first.
      ...(nonce ? [nonce] : []),
    );
  }
}

/** Whoever trusts the root needs these (RFC 3161 §2.4.1: certReq may bring more than the signer's); the root itself helps nobody. */
const intermediatesOf = ({ issuers }: Identity): readonly Uint8Array[] => issuers.slice(0, -1);

/** TimeStampToken: SignedData version 3 (RFC 5652 §5.1) with the ESS signing certificate among the signed attributes. */
async function sign(
  { identity, certificate }: Unit,
  tstInfo: Uint8Array,
  withCertificate: boolean,
): Promise<Uint8Array> {
  const { issuer, serial } = certificate;
  const attribute = (type: string, value: Uint8Array) => der.sequence(der.oid(type), der.set(value));
  // ESSCertIDv2: SHA-256 is the default and therefore left out.
  const essCertId = der.sequence(
    der.octetString(digest('sha256', identity.certificate)),
    der.sequence(der.sequence(der.constructed(4, issuer)), der.integer(serial)),
  );
  const signedAttributes = der.set(
    attribute(OID.contentType, der.oid(OID.tstInfo)),
    attribute(OID.messageDigest, der.octetString(digest('sha256', tstInfo))),
    attribute(OID.signingCertificateV2, der.sequence(der.sequence(essCertId))),
  );
  const signerInfo = der.sequence(
    der.integer(1),
    der.sequence(issuer, der.integer(serial)),
    SHA256,
    der.retag(0xa0, signedAttributes),
    signatureIdentifier(identity.key.algorithm),
    der.octetString(await identity.key.sign(signedAttributes)),
  );
  const signedData = der.sequence(
    der.integer(3),
    der.set(SHA256),
    der.sequence(der.oid(OID.tstInfo), der.constructed(0, der.octetString(tstInfo))),
    ...(withCertificate ? [der.retag(0xa0, der.set(identity.certificate, ...intermediatesOf(identity)))] : []),
    der.set(signerInfo),
  );
  return der.sequence(der.oid(OID.signedData), der.constructed(0, signedData));
}
