/** The company's certificate authority: issues to people, revokes, and says what is revoked. */
import type { Logger } from 'pino';
import type { Person } from '../directory/directory.ts';
import { signCrl } from './crl.ts';
import { provenPublicKey } from './csr.ts';
import { equal } from './der.ts';
import { OcspResponder } from './ocsp-responder.ts';
import { OID } from './oids.ts';
import {
  type CertificateAuthority,
  type CertificateRecord,
  CertificateRefused,
  type OcspReply,
  type RevocationReason,
  type SigningKey,
} from './pki.ts';
import { type Company, type Issuer, personProfile } from './profiles.ts';
import { type CertificateStore, recordFor } from './records.ts';
import { stopsDevice } from './suspension.ts';
import { type Certificate, parseCertificate, signCertificate } from './x509.ts';

const DAY = 86_400_000;
/** A CRL is good for a week and made anew every day, so that a day's failure of ours leaves nobody without. */
const CRL_VALIDITY = 7 * DAY;
const CRL_RENEWAL = 6 * DAY;
/** An expired certificate stays listed until every CRL that was current at its end has been replaced (RFC 5280 §3.3). */
const LISTED_AFTER_EXPIRY = CRL_VALIDITY;

export interface AuthorityOptions {
  readonly key: SigningKey;
  readonly certificate: Uint8Array;
  /** The OCSP responder's own key; null: the CA's key signs its answers. */
  readonly responderKey: SigningKey | null;
  readonly company: Company;
  /** Where OCSP, CRL and the CA certificate are served. */
  readonly publicUrl: string;
  /** Milliseconds; cut at 31 days. */
  readonly validity: number;
  readonly store: CertificateStore;
  readonly now: () => Date;
  readonly logger: Logger;
}

export class CompanyAuthority implements CertificateAuthority {
  readonly chain: readonly Uint8Array[];
  readonly #options: AuthorityOptions;
  readonly #issuer: Issuer;
  readonly #responder: OcspResponder;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.chain = [options.certificate];
    const certificate = parseCertificate(options.certificate);
    this.#issuer = { certificate, publicUrl: options.publicUrl };
    const { key: caKey, responderKey } = options;
    this.#responder = new OcspResponder({ ...options, issuer: this.#issuer, caKey, key: responderKey });
  }

  async issueForPerson(csr: Uint8Array, person: Person, deviceId: string): Promise<CertificateRecord> {
    const { key, company, validity, store, now, logger } = this.#options;
    const publicKeyInfo = provenPublicKey(csr);
    await this.#refuseStopped(deviceId);
    const fields = personProfile(person, company, publicKeyInfo, this.#issuer, now(), validity);
    if (fields.notAfter <= now()) throw new Error('the company CA certificate has expired');
    const certificate = await signCertificate(fields, key);
    const record = recordFor(parseCertificate(certificate), person.id, deviceId);
    // The store's unique key decides between two issuances at once: a certificate that isn't recorded never leaves.
    if (!(await store.add(record))) throw new CertificateRefused('this key has a certificate already; make a new key');
    logger.info({ serial: record.serial, personId: person.id, deviceId }, 'certificate issued');
    return record;
  }

  /** A new certificate would undo what an admin did. @throws CertificateRefused */
  async #refuseStopped(deviceId: string): Promise<void> {
    const stop = (await this.listForDevice(deviceId)).find(stopsDevice);
    if (!stop) return;
    throw new CertificateRefused(
      stop.reason === 'certificateHold'
        ? 'This device is suspended. Ask your administrator to enable its certificate again.'
        : 'The certificate of this device was revoked. Set up the device again with a new code from your administrator.',
    );
  }

  /**
   * Records a certificate that was issued at set-up (seal, timestamping unit), so that OCSP knows it.
   * @throws Error when its key is recorded under another serial: OCSP would call the new one unknown
   */
  async register(certificate: Certificate): Promise<void> {
    const { store } = this.#options;
    if ((await store.add(recordFor(certificate, null, null))) || (await store.find(certificate.serial))) return;
    throw new Error(`certificate ${certificate.serial} has a key that the database knows from another certificate`);
  }

  find(serial: string): Promise<CertificateRecord | null> {
    return this.#options.store.find(serial);
  }

  listForDevice(deviceId: string): Promise<readonly CertificateRecord[]> {
    return this.#options.store.listForDevice(deviceId);
  }

  async revoke(serial: string, reason: RevocationReason): Promise<void> {
    const { store, now, logger } = this.#options;
    if (await store.revoke(serial, now(), reason)) logger.info({ serial, reason }, 'certificate revoked');
  }

  /** Every certificate of a person, oldest first. */
  list(): Promise<readonly CertificateRecord[]> {
    return this.#options.store.list();
  }

  /** Ends a hold: the certificate is good again, and the next CRL (made at once) lists it no more. False when there was none. */
  async enable(serial: string): Promise<boolean> {
    const { store, logger } = this.#options;
    const enabled = await store.release(serial);
    if (enabled) logger.info({ serial }, 'certificate enabled again');
    return enabled;
  }

  async crl(): Promise<Uint8Array> {
    const { store, key, now } = this.#options;
    for (;;) {
      const { revision, number, current } = await store.crl();
      const time = now();
      if (current && current.nextUpdate.getTime() - time.getTime() > CRL_RENEWAL) return current.crl;
      const fields = {
        number: number + 1,
        thisUpdate: time,
        nextUpdate: new Date(time.getTime() + CRL_VALIDITY),
        revoked: await store.listRevoked(new Date(time.getTime() - LISTED_AFTER_EXPIRY)),
      };
      const crl = await signCrl(fields, this.#issuer.certificate, key);
      // Another process may have revoked or published meanwhile: then theirs counts.
      if (await store.saveCrl(revision, { number: fields.number, crl, nextUpdate: fields.nextUpdate })) return crl;
    }
  }

  ocsp(request: Uint8Array): Promise<OcspReply> {
    return this.#responder.answer(request);
  }

  /** Of the OCSP responder, DER; null where the CA answers itself. */
  responderCertificate(): Promise<Uint8Array | null> {
    return this.#responder.certificate();
  }

  /** A fresh OCSP answer for keeping (PAdES DSS), or null for a certificate that isn't ours or that nobody asks about. */
  async ocspAnswer(certificate: Certificate): Promise<Uint8Array | null> {
    const record = await this.find(certificate.serial);
    if (!record || !equal(record.certificate, certificate.der) || certificate.extensions.has(OID.ocspNoCheck))
      return null;
    return this.#responder.answerAbout(record);
  }
}
