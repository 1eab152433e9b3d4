/**
 * Answers OCSP (RFC 6960, RFC 5019). Signs with a key of its own under a certificate that lives for days and that is renewed
 * by itself, so that the CA's key is used for issuing alone; an installation without that key lets the CA sign (§2.6).
 * Statuses are looked up for every answer; signatures of the lightweight profile are used again for a minute.
 */
import type { Logger } from 'pino';
import { DerError, equal, hex } from './der.ts';
import { certIdOf, failed, parseRequest, type Signer, singleResponse, successful, VALIDITY } from './ocsp.ts';
import type { CertificateRecord, OcspReply, SigningKey } from './pki.ts';
import { type Company, type Issuer, RESPONDER_RENEWAL, responderProfile } from './profiles.ts';
import { type CertificateStore, recordAgain, recordFor } from './records.ts';
import { authorityId, type Certificate, parseCertificate, publicKeyInfoOf, signCertificate } from './x509.ts';

/** Under which the responder's certificates are found again. */
const HOLDER = 'ocsp-responder';
/** How long a signed answer is given out again, milliseconds; a changed status is told at once all the same. */
const REUSE = 60_000;
const MAX_KEPT = 1000;

export interface ResponderOptions {
  readonly issuer: Issuer;
  readonly caKey: SigningKey;
  /** Null: the CA signs answers itself. */
  readonly key: SigningKey | null;
  readonly company: Company;
  readonly store: CertificateStore;
  readonly now: () => Date;
  readonly logger: Logger;
}

interface Kept {
  readonly der: Uint8Array;
  readonly status: string;
  readonly madeAt: Date;
}

export class OcspResponder {
  readonly #options: ResponderOptions;
  /** By CertID; the one that was made first is dropped first. */
  readonly #kept = new Map<string, Kept>();
  readonly #issuerId: string;
  #certificate: Promise<Certificate> | null = null;

  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#issuerId = authorityId(options.issuer.certificate);
  }

  /** Answers a DER request. Faults become OCSP error answers. Never throws. */
  async answer(request: Uint8Array): Promise<OcspReply> {
    try {
      return await this.#answer(request);
    } catch (error) {
      if (error instanceof DerError) return { der: failed('malformedRequest'), reuse: null };
      this.#options.logger.error({ err: error }, 'OCSP request failed');
      return { der: failed('internalError'), reuse: null };
    }
  }

  /** An answer about one certificate of ours, made now, for keeping (PAdES DSS). */
  async answerAbout(record: CertificateRecord): Promise<Uint8Array> {
    const { issuer, now } = this.#options;
    const time = now();
    const single = singleResponse(certIdOf(record, issuer.certificate), record, issuer.certificate, time);
    return successful([single], null, await this.#signer(), time);
  }

  /** What a validator needs to believe the answers; null where the CA signs them. */
  async certificate(): Promise<Uint8Array | null> {
    return (await this.#signer()).delegate?.der ?? null;
  }

  async #answer(request: Uint8Array): Promise<OcspReply> {
    const { issuer, now } = this.#options;
    const { certIds, nonce } = parseRequest(request, issuer.certificate);
    const time = now();
    const records = await Promise.all(certIds.map(({ serial }) => (serial === null ? null : this.#find(serial))));
    const single = (index: number): Uint8Array =>
      singleResponse(certIds[index]!.bytes, records[index] ?? null, issuer.certificate, time);
    const [record] = records;
    if (nonce === null && record && records.length === 1) {
      const key = hex(certIds[0]!.bytes);
      const kept = await this.#reusable(key, record, time, () => single(0));
      const until = new Date(kept.madeAt.getTime() + REUSE);
      return { der: kept.der, reuse: { until, madeAt: kept.madeAt, nextUpdate: nextUpdate(kept.madeAt) } };
    }
    const der = await successful(
      records.map((_, index) => single(index)),
      nonce,
      await this.#signer(),
      time,
    );
    return { der, reuse: null };
  }

  /** Another CA's certificate was never issued by this one. */
  async #find(serial: string): Promise<CertificateRecord | null> {
    const record = await this.#options.store.find(serial);
    return record?.issuer === this.#issuerId ? record : null;
  }

  async #reusable(key: string, record: CertificateRecord, time: Date, single: () => Uint8Array): Promise<Kept> {
    const status = `${record.revokedAt?.getTime() ?? ''} ${record.reason ?? ''}`;
    const kept = this.#kept.get(key);
    const age = kept ? time.getTime() - kept.madeAt.getTime() : -1;
    if (kept?.status === status && age >= 0 && age < REUSE) return kept;
    const made = { der: await successful([single()], null, await this.#signer(), time), status, madeAt: time };
    this.#kept.delete(key);
    this.#kept.set(key, made);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    return made;
  }

  async #signer(): Promise<Signer> {
    const { issuer, key, caKey } = this.#options;
    if (key === null) return { key: caKey, certificate: issuer.certificate, delegate: null };
    let certificate = await this.#certificate;
    if (!certificate || !this.#isFresh(certificate)) {
      // One renewal at a time; one that fails is tried again by the next answer.
      this.#certificate = this.#currentCertificate(key).catch((error: unknown) => {
        this.#certificate = null;
        throw error;
      });
      certificate = await this.#certificate;
    }
    return { key, certificate, delegate: certificate };
  }

  /** The newest one that any process made, or a new one. */
  async #currentCertificate(key: SigningKey): Promise<Certificate> {
    const { issuer, caKey, company, store, now, logger } = this.#options;
    const ours = publicKeyInfoOf(key.publicKey);
    const known = (await store.listForDevice(HOLDER))
      .filter(({ revokedAt, issuer: by }) => revokedAt === null && by === this.#issuerId)
      .map(record => parseCertificate(record.certificate))
      .findLast(one => equal(one.publicKeyInfo, ours) && equal(one.issuer, issuer.certificate.subject));
    if (known && this.#isFresh(known)) return known;
    const certificate = parseCertificate(
      await signCertificate(responderProfile(company, key.publicKey, issuer, now()), caKey),
    );
    const record = recordFor(certificate, this.#issuerId, null, HOLDER);
    if (!(await store.add(record)) && !(await store.add(recordAgain(record))))
      throw new Error("the OCSP responder's certificate can't be recorded");
    logger.info({ serial: record.serial, notAfter: record.notAfter }, "OCSP responder's certificate issued");
    return certificate;
  }

  #isFresh({ notBefore, notAfter }: Certificate): boolean {
    const { now, issuer } = this.#options;
    const time = now();
    // None outlives the CA.
    const last = notAfter >= issuer.certificate.notAfter;
    return notBefore <= time && notAfter.getTime() - time.getTime() > (last ? 0 : RESPONDER_RENEWAL);
  }
}

const nextUpdate = (madeAt: Date): Date => new Date(madeAt.getTime() + VALIDITY);
