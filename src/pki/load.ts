/** Opens the PKI that createPki made, for the gateway and the command line. */

import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { Authorities, type AuthoritiesState } from './authorities.ts';
import { PkiUnusable, readCertificates } from './authority-files.ts';
import { certificatePath, keyPath } from './create.ts';
import { equal } from './der.ts';
import { loadKeyFile } from './key-file.ts';
import {
  type AuthoritiesInput,
  checkChain,
  checkKey,
  keysOfScopes,
  openAuthorities,
  type PkiConfig,
  type ScopedKeys,
} from './open-authorities.ts';
import type { OutsideRevocation } from './outside/revocation.ts';
import { type ProfileFault, sealFault, timestampFault } from './path/profiles.ts';
import type { Identity, Pki, SigningKey, TimestampAuthority, ValidationData } from './pki.ts';
import type { TimestampStore } from './records.ts';
import { OutsideTimestampAuthority, TimestampAuthorities } from './timestamp-client.ts';
import { EmbeddedTimestampAuthority } from './tsa.ts';
import { type Certificate, isIssuedBy, isSelfSigned, parseCertificate } from './x509.ts';

export { PkiUnusable };

export interface LoadOptions extends AuthoritiesInput {
  readonly config: PkiConfig & {
    readonly timestamps: Pick<Config['timestamps'], 'authorities'> & Partial<Config['timestamps']>;
  };
  readonly timestamps: TimestampStore;
  /** Milliseconds of a clock that nobody sets; `performance.now` if left out. */
  readonly monotonic?: () => number;
  /** Asks others' authorities about certificates of theirs (outside/revocation.ts); without it nobody is asked. */
  readonly outside?: Pick<OutsideRevocation, 'answerAbout'>;
}

export interface LoadedPki extends Pki {
  readonly ca: Authorities;
  /** Our own timestamp authority; null where the configuration names only others. */
  readonly tsa: EmbeddedTimestampAuthority | null;
  /** Signs the gateway's HTTP answers (RFC 9421); devices pin its public key. */
  readonly gatewayKey: SigningKey;
  /**
   * Takes what has changed in keys/ and certs/ into use; all of it stays as it was where anything doesn't fit.
   * @returns the certificates that are used from now on
   * @throws KeyFileError, TokenError, PkiUnusable
   */
  reload(): Promise<readonly { readonly name: 'ca' | 'seal' | 'tsa'; readonly certificate: Certificate }[]>;
}

const PROFILES: Readonly<Record<'seal' | 'tsa', (certificate: Certificate) => ProfileFault | null>> = {
  seal: sealFault,
  tsa: timestampFault,
};

interface State {
  readonly authorities: AuthoritiesState;
  readonly seal: Identity;
  readonly tsa: Identity;
}

/**
 * Reads keys and certificates, and checks that they fit together and are in date.
 * @throws KeyFileError, TokenError, PkiUnusable
 */
export async function loadPki(options: LoadOptions): Promise<LoadedPki> {
  const { config, passphrase, now, logger } = options;
  const { folder } = config;
  const keys = keysOfScopes({ config, passphrase, credentials: process.env.CREDENTIALS_DIRECTORY, logger });
  let state = await readState(options, keys);
  const gatewayKey = await loadKeyFile(keyPath(folder, 'gateway'), passphrase, 'ecdsa-p256-sha256');
  const ca = new Authorities({ store: options.certificates, now, logger }, state.authorities);
  await ca.adopt();
  await registerOwn(ca, state);

  const outside: Certificate[] = [];
  const authorities: TimestampAuthority[] = [];
  let embedded: EmbeddedTimestampAuthority | null = null;
  for (const authority of config.timestamps.authorities) {
    if (authority === 'embedded') {
      embedded ??= new EmbeddedTimestampAuthority({
        identity: state.tsa,
        store: options.timestamps,
        now,
        monotonic: options.monotonic ?? (() => performance.now()),
        logger,
        ...(config.timestamps.policy !== undefined && { policy: config.timestamps.policy }),
      });
      authorities.push(embedded);
    } else {
      const anchors = await readCertificates(resolve(folder, authority.trust));
      outside.push(...anchors);
      authorities.push(new OutsideTimestampAuthority({ url: authority.url, anchors, now }));
    }
  }
  return {
    ca,
    tsa: embedded,
    get seal() {
      return state.seal;
    },
    timestamps: new TimestampAuthorities(authorities, logger),
    get anchors() {
      return ca.state.anchors.map(({ der }) => der);
    },
    get intermediates() {
      return ca.state.known.filter(one => !isSelfSigned(one)).map(({ der }) => der);
    },
    gatewayKey,
    validationData: certificates => validationData(certificates.map(parseCertificate), outside, ca, options.outside),
    async reload() {
      const found = await readState(options, keys);
      const changed = changedCertificates(state, found);
      ca.use(found.authorities);
      // Known to OCSP before anything is signed with them.
      await registerOwn(ca, found);
      state = found;
      embedded?.use(state.tsa);
      return changed;
    },
  };
}

/** @throws KeyFileError, TokenError, PkiUnusable */
async function readState(options: LoadOptions, keys: ScopedKeys): Promise<State> {
  const { config, now } = options;
  const { folder } = config;
  const authorities = await openAuthorities(options, keys);
  const identity = async (name: 'seal' | 'tsa'): Promise<Identity> => {
    const path = certificatePath(folder, name);
    const [certificate, ...others] = await readCertificates(path);
    if (!certificate || others.length > 0) throw new PkiUnusable(`${path} must hold one certificate`);
    const key = await keys.local.open(name, certificate);
    checkKey(path, certificate, key);
    const ca = [authorities.local, ...authorities.retired].find(one => one.hasIssued(certificate));
    // What follows explains it.
    const issuers = (ca ?? authorities.local).chain.map(parseCertificate);
    checkChain(path, certificate, issuers, now());
    const fault = PROFILES[name](certificate);
    if (fault) throw new PkiUnusable(`${path} can't be used: ${fault.message}`);
    return { key, certificate: certificate.der, issuers: issuers.map(({ der }) => der) };
  };
  return { authorities, seal: await identity('seal'), tsa: await identity('tsa') };
}

/** @returns what is used from now on and was not before */
function changedCertificates(before: State, found: State) {
  const list = ({ authorities, seal, tsa }: State) => [
    { name: 'ca' as const, certificate: authorities.local.certificate },
    { name: 'seal' as const, certificate: parseCertificate(seal.certificate) },
    { name: 'tsa' as const, certificate: parseCertificate(tsa.certificate) },
  ];
  const old = list(before);
  return list(found).filter(({ certificate }, i) => !equal(certificate.der, old[i]!.certificate.der));
}

async function registerOwn(ca: Authorities, { authorities, seal, tsa }: State): Promise<void> {
  const own = [...authorities.anchors, parseCertificate(seal.certificate), parseCertificate(tsa.certificate)];
  for (const certificate of own) await ca.register(certificate);
}

/**
 * The certificates with all their issuers that we know, an OCSP answer for each of ours, and the CRLs; of others' what their
 * authorities answer now.
 */
async function validationData(
  given: readonly Certificate[],
  outside: readonly Certificate[],
  ca: Authorities,
  others: LoadOptions['outside'],
): Promise<ValidationData> {
  const all: Certificate[] = [];
  const known = [...ca.state.known, ...outside];
  const include = (certificate: Certificate): void => {
    if (all.some(other => equal(other.der, certificate.der))) return;
    all.push(certificate);
    for (const issuer of known) if (isIssuedBy(certificate, issuer)) include(issuer);
  };
  for (const certificate of given) include(certificate);

  const ocsps: Uint8Array[] = [];
  const crls: Uint8Array[] = [];
  for (const certificate of [...all]) {
    const answer = await ca.ocspAnswer(certificate);
    if (!answer) {
      // Anchors are trusted as they are. What a stranger issued has no path to one of them.
      const issuer = known.find(one => isIssuedBy(certificate, one));
      const theirs = issuer && !isSelfSigned(certificate) ? await others?.answerAbout(certificate, issuer) : null;
      if (theirs) (theirs.kind === 'OCSP' ? ocsps : crls).push(theirs.der);
      continue;
    }
    ocsps.push(answer);
    const responder = await ca.responderFor(certificate);
    if (responder) include(parseCertificate(responder));
  }
  return { certificates: all.map(({ der }) => der), ocsps, crls: [...(await ca.crlsAbout(all)), ...crls] };
}
