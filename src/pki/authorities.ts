/**
 * All certificate authorities of the company as one: the one in use issues; those before it go on answering for what they
 * issued. Which are in use can change while the gateway runs (keys rotate ca, ca install).
 */
import type { Logger } from 'pino';
import type { Person } from '../directory/directory.ts';
import type { CompanyAuthority } from './authority.ts';
import { DerError, equal } from './der.ts';
import { OID } from './oids.ts';
import type { Crl } from './path/crl.ts';
import { parseName, sameName } from './path/name.ts';
import type { CertificateAuthority, CertificateRecord, OcspReply, RevocationReason, Scope } from './pki.ts';
import { type CertificateStore, recordAgain, recordFor } from './records.ts';
import { type Certificate, isIssuedBy, isSelfSigned, parseCertificate } from './x509.ts';

export interface AuthoritiesState {
  /** Whose certificates a request gets that doesn't say. */
  readonly scope: Scope;
  readonly local: CompanyAuthority;
  readonly global: CompanyAuthority | null;
  /** Earlier ones of either scope. */
  readonly retired: readonly CompanyAuthority[];
  /** Every CA certificate that ever was in use here, with its issuers. */
  readonly known: readonly Certificate[];
  /** The self-signed ones of these. */
  readonly anchors: readonly Certificate[];
  /** CRLs of the CAs above ours. */
  readonly outsideCrls: readonly Crl[];
  /** Those of them that are about earlier ones of ours alone: nobody brings newer ones. */
  readonly earlierCrls: readonly Crl[];
  /** Files of earlier ones that have not ended and whose key is gone: nobody hears what they revoked. */
  readonly silent: readonly string[];
}

export interface AuthoritiesOptions {
  readonly store: CertificateStore;
  readonly now: () => Date;
  readonly logger: Logger;
}

export class Authorities implements CertificateAuthority {
  readonly #options: AuthoritiesOptions;
  #state: AuthoritiesState;

  constructor(options: AuthoritiesOptions, state: AuthoritiesState) {
    this.#options = options;
    this.#state = state;
  }

  /** From now on. */
  use(state: AuthoritiesState): void {
    this.#state = state;
  }

  get state(): AuthoritiesState {
    return this.#state;
  }

  /** Those in use first. */
  get all(): readonly CompanyAuthority[] {
    const { local, global, retired } = this.#state;
    return [local, ...(global ? [global] : []), ...retired];
  }

  get chain(): readonly Uint8Array[] {
    return this.#state.local.chain;
  }

  issuersOf(certificate: Uint8Array): readonly Uint8Array[] {
    const chain: Certificate[] = [];
    for (let last = parseCertificate(certificate); !isSelfSigned(last); last = chain.at(-1)!) {
      // Also of a CA that can't say anything any more.
      const issuer = this.#state.known.find(one => isIssuedBy(last, one));
      if (!issuer) break;
      chain.push(issuer);
    }
    return chain.map(({ der }) => der);
  }

  #issuerOf(certificate: Certificate): CompanyAuthority | null {
    return this.all.find(authority => authority.hasIssued(certificate)) ?? null;
  }

  async issueForPerson(
    csr: Uint8Array,
    person: Person,
    deviceId: string,
    scope: Scope = this.#state.scope,
  ): Promise<CertificateRecord> {
    const { local, global } = this.#state;
    const authority = scope === 'local' ? local : global;
    if (!authority) throw new Error('there is no CA for the scope global: the configuration has no pki.global');
    return authority.issueForPerson(csr, person, deviceId);
  }

  /**
   * Records a certificate of our own that was made beside the gateway (root, seal, timestamping unit), so that OCSP knows
   * it. One that another CA issued is its own affair.
   */
  async register(certificate: Certificate): Promise<void> {
    const { store } = this.#options;
    const issuer = this.#issuerOf(certificate);
    if (!issuer || (await store.find(certificate.serial))) return;
    const record = recordFor(certificate, issuer.id, null, null);
    if (await store.add(record)) return;
    if ((await store.list()).some(({ keyHash }) => keyHash === record.keyHash))
      throw new Error(`certificate ${certificate.serial} has a key that a person signs with`);
    if ((await store.add(recordAgain(record))) || (await store.find(certificate.serial))) return;
    throw new Error(`certificate ${certificate.serial} can't be recorded`);
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

  crl(): Promise<Uint8Array> {
    return this.#state.local.crl();
  }

  async crlNamed(name: string): Promise<Uint8Array | null> {
    return this.#named(name)?.crl() ?? null;
  }

  certificateNamed(name: string): Uint8Array | null {
    return this.#named(name)?.certificate.der ?? null;
  }

  #named(name: string): CompanyAuthority | null {
    return this.all.find(authority => authority.name === name) ?? null;
  }

  async crls(): Promise<readonly Uint8Array[]> {
    const own = await Promise.all(this.all.map(authority => this.#crlIfPossible(authority)));
    return [...own.filter(crl => crl !== null), ...this.#state.outsideCrls.map(({ der }) => der)];
  }

  /** What a retired CA can't say, its key being away, must not keep the others silent. */
  async #crlIfPossible(authority: CompanyAuthority): Promise<Uint8Array | null> {
    try {
      return await authority.crl();
    } catch (error) {
      if (!this.#state.retired.includes(authority)) throw error;
      this.#options.logger.error({ err: error, ca: authority.name }, 'no CRL of a retired CA');
      return null;
    }
  }

  /** A request about several CAs' certificates is answered for one of them: nobody could sign for the others. */
  ocsp(request: Uint8Array): Promise<OcspReply> {
    const asked = this.all.find(authority => authority.isAsked(request)) ?? this.#state.local;
    return asked.ocsp(request);
  }

  /** Of the OCSP responder of the CA in use, DER; null where the CA answers itself. */
  responderCertificate(): Promise<Uint8Array | null> {
    return this.#state.local.responderCertificate();
  }

  /** A fresh OCSP answer for keeping (PAdES DSS), or null for a certificate that isn't ours or that nobody asks about. */
  async ocspAnswer(certificate: Certificate): Promise<Uint8Array | null> {
    const found = await this.#recorded(certificate);
    return found ? found.authority.ocspAnswer(found.record) : null;
  }

  /** Certificate of the responder that answers about this one, DER. */
  async responderFor(certificate: Certificate): Promise<Uint8Array | null> {
    const found = await this.#recorded(certificate);
    return found ? found.authority.responderCertificate() : null;
  }

  async #recorded(certificate: Certificate) {
    if (isSelfSigned(certificate) || certificate.extensions.has(OID.ocspNoCheck)) return null;
    const record = await this.find(certificate.serial);
    if (!record || !equal(record.certificate, certificate.der)) return null;
    const authority = this.all.find(({ id }) => id === record.issuer);
    return authority ? { record, authority } : null;
  }

  /** The CRLs that say something about any of these certificates, DER. */
  async crlsAbout(certificates: readonly Certificate[]): Promise<readonly Uint8Array[]> {
    const asked = this.all.filter(authority =>
      certificates.some(one => equal(one.der, authority.certificate.der) || authority.hasIssued(one)),
    );
    const own = await Promise.all(asked.map(authority => this.#crlIfPossible(authority)));
    const issuers = certificates.filter(one => !this.all.some(({ certificate }) => equal(certificate.der, one.der)));
    const names = issuers.map(({ subject }) => parseName(subject));
    const outside = this.#state.outsideCrls.filter(({ issuer }) => names.some(name => sameName(name, issuer)));
    return [...own.filter(crl => crl !== null), ...outside.map(({ der }) => der)];
  }

  /** Rows of an earlier version, which had one CA. */
  async adopt(): Promise<void> {
    const only = this.#state.retired.at(-1) ?? this.#state.local;
    await this.#options.store.adopt(der => this.#issuerOfRecord(der) ?? only.id, only.id);
  }

  #issuerOfRecord(der: Uint8Array): string | null {
    try {
      return this.#issuerOf(parseCertificate(der))?.id ?? null;
    } catch (error) {
      if (error instanceof DerError) return null;
      throw error;
    }
  }
}
