/** Opens the PKI that createPki made, for the gateway and the command line. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { CompanyAuthority } from './authority.ts';
import { certificatePath, keyPath } from './create.ts';
import { DerError, equal } from './der.ts';
import { generateKey, KeyFileError, loadKeyFile, writeKeyFile } from './key-file.ts';
import { Keys } from './keys.ts';
import { buildChain } from './path/path.ts';
import { type ProfileFault, sealFault, timestampFault } from './path/profiles.ts';
import { PathInvalid } from './path/rules.ts';
import type { Identity, Pki, SignatureAlgorithm, SigningKey, TimestampAuthority, ValidationData } from './pki.ts';
import type { CertificateStore, TimestampStore } from './records.ts';
import { OutsideTimestampAuthority, TimestampAuthorities } from './timestamp-client.ts';
import { EmbeddedTimestampAuthority } from './tsa.ts';
import { type Certificate, fromPem, parseCertificate, publicKeyInfoOf } from './x509.ts';

export interface LoadOptions {
  readonly config: Pick<Config, 'folder' | 'company' | 'publicUrl' | 'certificates' | 'timestamps'> &
    Partial<Pick<Config, 'pki'>>;
  readonly passphrase: string;
  readonly certificates: CertificateStore;
  readonly timestamps: TimestampStore;
  readonly now: () => Date;
  /** Milliseconds of a clock that nobody sets; `performance.now` if left out. */
  readonly monotonic?: () => number;
  readonly logger: Logger;
}

/** The PKI's files don't fit together or are out of date; `message` names the file. */
export class PkiUnusable extends Error {
  override readonly name = 'PkiUnusable';
}

export interface LoadedPki extends Pki {
  readonly ca: CompanyAuthority;
  /** Our own timestamp authority; null where the configuration names only others. */
  readonly tsa: EmbeddedTimestampAuthority | null;
  /** Signs the gateway's HTTP answers (RFC 9421); devices pin its public key. */
  readonly gatewayKey: SigningKey;
  /**
   * Takes what has changed in keys/ and certs/ into use; all of it stays as it was where anything doesn't fit.
   * @returns the certificates that are used from now on
   * @throws KeyFileError, TokenError, PkiUnusable
   */
  reload(): Promise<readonly { readonly name: 'seal' | 'tsa'; readonly certificate: Certificate }[]>;
}

const PROFILES: Readonly<Record<'seal' | 'tsa', (certificate: Certificate) => ProfileFault | null>> = {
  seal: sealFault,
  tsa: timestampFault,
};

/**
 * Reads keys and certificates, and checks that they fit together and are in date.
 * @throws KeyFileError, TokenError, PkiUnusable
 */
export async function loadPki(options: LoadOptions): Promise<LoadedPki> {
  const { config, passphrase, now, logger } = options;
  const { folder } = config;
  const keys = new Keys({ config, passphrase, credentials: process.env.CREDENTIALS_DIRECTORY, logger });
  const caKey = await keys.open('ca');
  const root = await loadCertificate(certificatePath(folder, 'ca'), caKey, null, now());
  const identity = async (name: 'seal' | 'tsa'): Promise<Identity> => {
    const path = certificatePath(folder, name);
    const [found] = await readCertificates(path);
    const key = await keys.open(name, found);
    const certificate = await loadCertificate(path, key, root, now());
    const fault = PROFILES[name](certificate);
    if (fault) throw new PkiUnusable(`${path} can't be used: ${fault.message}`);
    return { key, certificate: certificate.der, issuers: [root.der] };
  };
  let seal = await identity('seal');
  let tsa = await identity('tsa');
  const gatewayKey = await loadKeyFile(keyPath(folder, 'gateway'), passphrase, 'ecdsa-p256-sha256');

  const ca = new CompanyAuthority({
    key: caKey,
    certificate: root.der,
    responderKey: await responderKey(folder, passphrase, caKey.algorithm, logger),
    company: config.company,
    publicUrl: config.publicUrl,
    validity: config.certificates.validity,
    store: options.certificates,
    now,
    logger,
  });
  for (const certificate of [root.der, seal.certificate, tsa.certificate]) {
    await ca.register(parseCertificate(certificate));
  }

  const trusted: Certificate[] = [root];
  const authorities: TimestampAuthority[] = [];
  let embedded: EmbeddedTimestampAuthority | null = null;
  for (const authority of config.timestamps.authorities) {
    if (authority === 'embedded') {
      const monotonic = options.monotonic ?? (() => performance.now());
      embedded ??= new EmbeddedTimestampAuthority({ identity: tsa, store: options.timestamps, now, monotonic, logger });
      authorities.push(embedded);
    } else {
      const anchors = await readCertificates(resolve(folder, authority.trust));
      trusted.push(...anchors);
      authorities.push(new OutsideTimestampAuthority({ url: authority.url, anchors, now }));
    }
  }
  return {
    ca,
    tsa: embedded,
    get seal() {
      return seal;
    },
    timestamps: new TimestampAuthorities(authorities, logger),
    anchors: [root.der],
    gatewayKey,
    validationData: certificates => validationData(certificates.map(parseCertificate), trusted, ca),
    async reload() {
      const found = { seal: await identity('seal'), tsa: await identity('tsa') };
      const before = { seal, tsa };
      const changed = (['seal', 'tsa'] as const)
        .filter(name => !equal(found[name].certificate, before[name].certificate))
        .map(name => ({ name, certificate: parseCertificate(found[name].certificate) }));
      for (const { certificate } of changed) await ca.register(certificate);
      ({ seal, tsa } = found);
      embedded?.use(tsa);
      return changed;
    },
  };
}

/**
 * The OCSP responder's key. An installation of an earlier version lacks it: it is made, and where keys/ can't be written to
 * (as under systemd) the CA goes on signing OCSP answers itself. @throws KeyFileError
 */
async function responderKey(
  folder: string,
  passphrase: string,
  algorithm: SignatureAlgorithm,
  logger: Logger,
): Promise<SigningKey | null> {
  const path = keyPath(folder, 'ocsp');
  const present = () =>
    loadKeyFile(path, passphrase).catch((error: unknown) => {
      if (error instanceof KeyFileError && error.fault === 'missing') return null;
      throw error;
    });
  const found = await present();
  if (found) return found;
  const made = await writeKeyFile(path, await generateKey(algorithm), passphrase).then(
    () => null,
    (error: unknown) => error,
  );
  // Where another process was faster, its key counts.
  const key = await present();
  if (key) logger.info({ path }, 'key of the OCSP responder made');
  else logger.warn({ err: made, path }, "the OCSP responder's key can't be made; the CA signs OCSP answers");
  return key;
}

async function loadCertificate(
  path: string,
  key: SigningKey,
  issuer: Certificate | null,
  now: Date,
): Promise<Certificate> {
  const [certificate, ...others] = await readCertificates(path);
  if (!certificate || others.length > 0) throw new PkiUnusable(`${path} must hold one certificate`);
  if (!equal(certificate.publicKeyInfo, publicKeyInfoOf(key.publicKey))) {
    throw new PkiUnusable(`${path} does not belong to its key file`);
  }
  try {
    buildChain(certificate, [], [issuer ?? certificate], now);
  } catch (error) {
    if (error instanceof PathInvalid) throw new PkiUnusable(`${path} can't be used: ${error.message}`);
    throw error;
  }
  return certificate;
}

async function readCertificates(path: string): Promise<Certificate[]> {
  try {
    return fromPem(await readFile(path, 'utf8')).map(parseCertificate);
  } catch (error) {
    if (error instanceof DerError) throw new PkiUnusable(`${path} is damaged: ${error.message}`);
    throw new PkiUnusable(`${path} can't be read: ${error instanceof Error ? error.message : 'unknown fault'}`);
  }
}

/** The certificates with all their issuers that we know, an OCSP answer for each of ours, and the CRL. */
async function validationData(
  given: readonly Certificate[],
  trusted: readonly Certificate[],
  ca: CompanyAuthority,
): Promise<ValidationData> {
  const all: Certificate[] = [];
  const include = (certificate: Certificate): void => {
    if (all.some(other => equal(other.der, certificate.der))) return;
    all.push(certificate);
    for (const issuer of trusted) {
      if (equal(issuer.subject, certificate.issuer) && certificate.signedBy(issuer.publicKey)) include(issuer);
    }
  };
  for (const certificate of given) include(certificate);

  const root = ca.chain[0]!;
  const ocsps: Uint8Array[] = [];
  let ours = false;
  for (const certificate of all) {
    if (equal(certificate.der, root)) {
      ours = true;
      continue;
    }
    const answer = await ca.ocspAnswer(certificate);
    if (answer) ocsps.push(answer);
  }
  const responder = ocsps.length > 0 ? await ca.responderCertificate() : null;
  if (responder) include(parseCertificate(responder));
  return {
    certificates: all.map(certificate => certificate.der),
    ocsps,
    crls: ours ? [await ca.crl()] : [],
  };
}
