/**
 * What the PKI must not lose or forget. One implementation per kind of store (src/store/certificates.ts,
 * src/store/timestamps.ts); several processes use one store at a time.
 */
import { createHash } from 'node:crypto';
import type { CertificateRecord, RevocationReason } from './pki.ts';
import { type Certificate, keyHash } from './x509.ts';

export interface CurrentCrl {
  /** CRL number (RFC 5280 §5.2.3); never goes back. */
  readonly number: number;
  readonly crl: Uint8Array;
  readonly nextUpdate: Date;
}

export interface CertificateStore {
  /** False when the serial or the key's hash is known already; nothing has changed then. */
  add(record: CertificateRecord): Promise<boolean>;
  find(serial: string): Promise<CertificateRecord | null>;
  listForDevice(deviceId: string): Promise<readonly CertificateRecord[]>;
  /** Revoked ones of this CA that expire after `after`. */
  listRevoked(issuer: string, after: Date): Promise<readonly CertificateRecord[]>;
  /** Every certificate of a person, oldest first. */
  list(): Promise<readonly CertificateRecord[]>;
  /**
   * False when there is no such certificate or it was revoked before; the first reason stays. Only a hold gives way to
   * another reason, and then keeps its date (X.509).
   */
  revoke(serial: string, at: Date, reason: RevocationReason): Promise<boolean>;
  /** Ends a hold; false when the certificate isn't on hold. */
  release(serial: string): Promise<boolean>;
  /**
   * The CA's newest CRL, null when there is none or a revocation or a release has happened since it was made;
   * `revision` counts these, `number` is the last CRL number used (0 at first).
   */
  crl(
    issuer: string,
  ): Promise<{ readonly revision: number; readonly number: number; readonly current: CurrentCrl | null }>;
  /** False when a revocation, a release or another CRL came in between: read again and make a new one. */
  saveCrl(issuer: string, revision: number, crl: CurrentCrl): Promise<boolean>;
  /** The CRLs of all CAs that are current. */
  currentCrls(): Promise<readonly Uint8Array[]>;
  /**
   * Gives what an earlier version recorded, which knew one CA only, its issuer.
   * @param issuerOf a certificate's, DER @param only the CA whose CRL it was
   */
  adopt(issuerOf: (certificate: Uint8Array) => string, only: string): Promise<void>;
}

/**
 * The same for a key that has another certificate already, which only keys of our own may: the CA's answers, the seal and
 * timestamps are certified again and again.
 */
export function recordAgain(record: CertificateRecord): CertificateRecord {
  return { ...record, keyHash: createHash('sha256').update(record.certificate).digest('hex') };
}

/** The last time that the embedded timestamp authority gave. */
export interface TimestampStore {
  lastTime(): Promise<Date | null>;
  /** Compare and swap: false when `expected` isn't the stored time. */
  advance(expected: Date | null, time: Date): Promise<boolean>;
}

/** A new record. @param issuer authorityId of the CA @param deviceId which device has the key; null for the gateway's own */
export function recordFor(
  certificate: Certificate,
  issuer: string,
  personId: string | null,
  deviceId: string | null,
): CertificateRecord {
  return {
    serial: certificate.serial,
    certificate: certificate.der,
    personId,
    deviceId,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    revokedAt: null,
    reason: null,
    keyHash: keyHash(certificate.publicKeyInfo),
    issuer,
  };
}
