/** One certificate authority of the company: issues to people, and says what it has revoked. */
import type { Logger } from 'pino';
import type { Person } from '../directory/directory.ts';
import { signCrl } from './crl.ts';
import { provenPublicKey } from './csr.ts';
import { DerError } from './der.ts';
import { parseRequest } from './ocsp.ts';
import { OcspResponder } from './ocsp-responder.ts';
import { type CertificateRecord, CertificateRefused, type OcspReply, type SigningKey } from './pki.ts';
import { type Company, type Issuer, type IssuerUrls, type PolicyKind, personProfile } from './profiles.ts';
import { type CertificateStore, recordFor } from './records.ts';
import { stopsDevice } from './suspension.ts';
import { authorityId, type Certificate, isIssuedBy, parseCertificate, signCertificate } from './x509.ts';

const DAY = 86_400_000;
/** A CRL is good for a week and made anew every day, so that a day's failure of ours leaves nobody without. */
const CRL_VALIDITY = 7 * DAY;
const CRL_RENEWAL = 6 * DAY;
/** An expired certificate stays listed until every CRL that was current at its end has been replaced (RFC 5280 §3.3). */
const LISTED_AFTER_EXPIRY = CRL_VALIDITY;

/** What all authorities of a gateway have in common. */
export interface AuthorityParts {
  /** The OCSP responder's own key; null: each CA signs its answers itself. */
  readonly responderKey: SigningKey | null;
  readonly company: Company;
  readonly publicUrl: string;
  readonly policies?: Readonly<Record<PolicyKind, readonly string[]>>;
  /** Milliseconds; cut at 31 days. */
  readonly validity: number;
  readonly store: CertificateStore;
  readonly now: () => Date;
  readonly logger: Logger;
}

export interface AuthorityOptions extends AuthorityParts {
  readonly key: SigningKey;
  /** Its certificate, then that one's issuers up to the root. */
  readonly chain: readonly Certificate[];
  /** What its URLs call it. */
  readonly name: string;
  readonly urls: IssuerUrls;
}

export class CompanyAuthority {
  readonly id: string;
  readonly name: string;
  readonly certificate: Certificate;
  /** Its certificate, then that one's issuers up to the root; DER. */
  readonly chain: readonly Uint8Array[];
  readonly #options: AuthorityOptions;
  readonly #issuer: Issuer;
  readonly #responder: OcspResponder;

  constructor(options: AuthorityOptions) {
    const { chain, publicUrl, urls, policies, key, responderKey } = options;
    this.#options = options;
    this.certificate = chain[0]!;
    this.id = authorityId(this.certificate);
    this.name = options.name;
    this.chain = chain.map(({ der }) => der);
    this.#issuer = { certificate: this.certificate, publicUrl, urls, ...(policies && { policies }) };
    this.#responder = new OcspResponder({ ...options, issuer: this.#issuer, caKey: key, key: responderKey });
  }

  hasIssued(certificate: Certificate): boolean {
    return isIssuedBy(certificate, this.certificate);
  }

  /** @throws CertificateRefused */
  async issueForPerson(csr: Uint8Array, person: Person, deviceId: string): Promise<CertificateRecord> {
    const { key, company, validity, store, now, logger } = this.#options;
    const publicKeyInfo = provenPublicKey(csr);
    await this.#refuseStopped(deviceId);
    const fields = personProfile(person, company, publicKeyInfo, this.#issuer, now(), validity);
    if (fields.notAfter <= now()) throw new Error('the company CA certificate has expired');
    const certificate = await signCertificate(fields, key);
    const record = recordFor(parseCertificate(certificate), this.id, person.id, deviceId);
    // The store's unique key decides between two issuances at once: a certificate that isn't recorded never leaves.
    if (!(await store.add(record))) throw new CertificateRefused('this key has a certificate already; make a new key');
    logger.info({ serial: record.serial, personId: person.id, deviceId, ca: this.name }, 'certificate issued');
    return record;
  }

  /** A new certificate would undo what an admin did. @throws CertificateRefused */
  async #refuseStopped(deviceId: string): Promise<void> {
    const stop = (await this.#options.store.listForDevice(deviceId)).find(stopsDevice);
    if (!stop) return;
    throw new CertificateRefused(
      stop.reason === 'certificateHold'
        ? 'This device is suspended. Ask your administrator to enable its certificate again.'
        : 'The certificate of this device was revoked. Set up the device again with a new code from your administrator.',
    );
  }

  /** The current full CRL, DER. */
  async crl(): Promise<Uint8Array> {
    const { store, key, now } = this.#options;
    for (;;) {
      const { revision, number, current } = await store.crl(this.id);
      const time = now();
      const left = (current?.nextUpdate.getTime() ?? 0) - time.getTime();
      // More than a whole validity: made while the clock was ahead, and not valid yet.
      if (current && left > CRL_RENEWAL && left <= CRL_VALIDITY) return current.crl;
      const fields = {
        number: number + 1,
        thisUpdate: time,
        nextUpdate: new Date(time.getTime() + CRL_VALIDITY),
        revoked: await store.listRevoked(this.id, new Date(time.getTime() - LISTED_AFTER_EXPIRY)),
      };
      const crl = await signCrl(fields, this.certificate, key);
      // Another process may have revoked or published meanwhile: then theirs counts.
      const made = { number: fields.number, crl, nextUpdate: fields.nextUpdate };
      if (await store.saveCrl(this.id, revision, made)) return crl;
    }
  }

  /** Whether an OCSP request names this CA as an issuer. */
  isAsked(request: Uint8Array): boolean {
    try {
      return parseRequest(request, this.certificate).certIds.some(({ serial }) => serial !== null);
    } catch (error) {
      if (error instanceof DerError) return false;
      throw error;
    }
  }

  /** Never throws. */
  ocsp(request: Uint8Array): Promise<OcspReply> {
    return this.#responder.answer(request);
  }

  /** Of the OCSP responder, DER; null where the CA answers itself. */
  responderCertificate(): Promise<Uint8Array | null> {
    return this.#responder.certificate();
  }

  /** A fresh OCSP answer about a certificate that this CA issued, for keeping (PAdES DSS). */
  ocspAnswer(record: CertificateRecord): Promise<Uint8Array> {
    return this.#responder.answerAbout(record);
  }
}
