/** Which keys and signatures count, on certificates that openssl makes. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { type AlgorithmPolicy, CURRENT_ALGORITHMS } from '../../../../src/pki/path/signature.ts';
import { fromPem } from '../../../../src/pki/x509.ts';
import { has } from '../../../support/tools.ts';
import { Workspace } from '../support.ts';

const EVERYTHING: AlgorithmPolicy = {
  signatures: new Set([
    ...CURRENT_ALGORITHMS.signatures,
    ...(['rsa-sha1', 'ecdsa-sha1', 'dsa-sha1', 'dsa-sha224', 'dsa-sha256', 'ed25519'] as const),
  ]),
  rsaBits: 1024,
  dsaBits: 1024,
  curves: new Set([...CURRENT_ALGORITHMS.curves, 'prime192v1', 'secp256k1']),
  inheritedParameters: true,
};

/** Key, its options for genpkey, and those of the signature. */
type Kind = readonly [name: string, key: readonly string[], signature: readonly string[]];
const rsa = (bits: number) => ['RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];
const ec = (curve: string, encoding = 'named_curve') => [
  'EC',
  '-pkeyopt',
  `ec_paramgen_curve:${curve}`,
  '-pkeyopt',
  `ec_param_enc:${encoding}`,
];
const pss = (salt: string) => ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', `rsa_pss_saltlen:${salt}`];

const CURRENT: readonly Kind[] = [
  ['RSA 2048, SHA-256', rsa(2048), ['-sha256']],
  ['RSA 3072, SHA-384', rsa(3072), ['-sha384']],
  ['RSA 4096, SHA-512', rsa(4096), ['-sha512']],
  ['RSA-PSS, SHA-256', rsa(2048), ['-sha256', ...pss('32')]],
  ['RSA-PSS, SHA-512, no salt', rsa(2048), ['-sha512', ...pss('0')]],
  ['a key for RSA-PSS alone', ['RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'], ['-sha256', ...pss('32')]],
  ['P-256, SHA-256', ec('P-256'), ['-sha256']],
  ['P-384, SHA-384', ec('P-384'), ['-sha384']],
  ['P-521, SHA-512', ec('P-521'), ['-sha512']],
];

const OLD: readonly Kind[] = [
  ['RSA 1024', rsa(1024), ['-sha256']],
  ['RSA with SHA-1', rsa(2048), ['-sha1']],
  ['P-192', ec('prime192v1'), ['-sha256']],
  ['ECDSA with SHA-1', ec('P-256'), ['-sha1']],
  ['a curve of another family', ec('secp256k1'), ['-sha256']],
  ['DSA', [], ['-sha256']],
  ['Ed25519', ['ED25519'], []],
];

/** Not even where everything is allowed. */
const NEVER: readonly Kind[] = [
  ['RSA with MD5', rsa(2048), ['-md5']],
  ['RSA-PSS with SHA-1', rsa(2048), ['-sha1', ...pss('20')]],
  ['a curve written out', ec('P-256', 'explicit'), ['-sha256']],
];

describe.skipIf(!has('openssl'))('algorithms', () => {
  const workspace = new Workspace();
  afterAll(() => workspace.remove());
  beforeAll(() => {
    workspace.put(
      'openssl.cnf',
      '[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n[end]\n',
    );
    workspace.must(
      'genpkey',
      '-genparam',
      '-algorithm',
      'DSA',
      '-pkeyopt',
      'dsa_paramgen_bits:2048',
      '-out',
      'dsa.param',
    );
  });

  const make = (name: string, key: readonly string[], signature: readonly string[], issuer: string | null) => {
    const algorithm = key.length > 0 ? ['-algorithm', ...key] : ['-paramfile', 'dsa.param'];
    workspace.must('genpkey', ...algorithm, '-out', `${name}.key`);
    const signer = issuer
      ? ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-extensions', 'end']
      : ['-extensions', 'ca'];
    workspace.must(
      ...['req', '-x509', '-config', 'openssl.cnf', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-days', '2'],
      ...[...signer, ...signature, '-out', `${name}.pem`],
    );
    return { der: fromFile(`${name}.pem`) };
  };
  /** PEM without x509.ts, which refuses keys that nobody can use. */
  const fromFile = (file: string) => {
    const text = readFileSync(workspace.path(file), 'utf8');
    return new Uint8Array(Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64'));
  };

  const judge = ([, key, signature]: Kind, algorithms?: AlgorithmPolicy) => {
    const anchor = make('root', key, signature, null);
    const certificate = make('end', ec('P-256'), signature, 'root');
    const parameters = algorithms ? { algorithms } : {};
    const input = { certificate, candidates: [], time: new Date(), parameters, revocation: null };
    return validatePath({ ...input, anchors: [anchor] });
  };

  it.each(CURRENT)('of today: %s', (...kind) => {
    expect(judge(kind)).toMatchObject({ valid: true });
  });

  it.each(OLD)('not of today: %s, which counts where the caller says so', (...kind) => {
    expect(judge(kind)).toMatchObject({ valid: false, rule: 'algorithm' });
    expect(judge(kind, EVERYTHING)).toMatchObject({ valid: true });
  });

  it.each(NEVER)('of no day: %s', (...kind) => {
    expect(judge(kind, EVERYTHING)).toMatchObject({ valid: false, rule: 'algorithm' });
  });

  it('count for the key of the certificate itself', () => {
    const anchor = make('root', ec('P-256'), ['-sha256'], null);
    const certificate = make('end', rsa(1024), ['-sha256'], 'root');
    const input = { certificate, candidates: [], anchors: [anchor], time: new Date(), revocation: null };
    expect(validatePath(input)).toMatchObject({ valid: false, rule: 'algorithm', certificate });
  });

  it('are named twice in a certificate, and must be one', () => {
    const [root] = fromPem(readFileSync(workspace.path('root.pem'), 'utf8'));
    // ecdsa-with-SHA256 → ecdsa-with-SHA384 in the outer place, which no signature covers.
    const hexadecimal = Buffer.from(root!).toString('hex');
    const at = hexadecimal.lastIndexOf('06082a8648ce3d040302');
    const changed = Buffer.from(`${hexadecimal.slice(0, at)}06082a8648ce3d040303${hexadecimal.slice(at + 20)}`, 'hex');
    const input = { certificate: { der: new Uint8Array(changed) }, candidates: [], anchors: [], time: new Date() };
    expect(validatePath({ ...input, revocation: null })).toMatchObject({ rule: 'malformed' });
  });
});
