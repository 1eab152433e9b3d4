/** The rules for a CMS signature and for who may say that a certificate is good, by signatures made for each rule. */
import { createHash, generateKeyPairSync, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { constructed, der } from '../../../src/pki/der.ts';
import { basicConstraints, extendedKeyUsage, extension, KEY_USAGE, keyUsage } from '../../../src/pki/extensions.ts';
import { distinguishedName } from '../../../src/pki/names.ts';
import { OID } from '../../../src/pki/oids.ts';
import {
  type Certificate,
  keyIdentifier,
  parseCertificate,
  publicKeyInfoOf,
  randomSerial,
  signCertificate,
} from '../../../src/pki/x509.ts';
import { signedAttributes } from '../../../src/signatures/signed-attributes.ts';
import type { VerifyInput } from '../../../src/signatures/verify/result.ts';
import { verifyFile } from '../../../src/signatures/verify/verify.ts';

const CONTENT = Buffer.from('I agree.');
const DAY = 86_400_000;
const NOW = new Date();
const ago = (days: number): Date => new Date(Math.floor((NOW.getTime() - days * DAY) / 1000) * 1000);

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
const ec = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve });
const rsa = (modulusLength: number): Pair => generateKeyPairSync('rsa', { modulusLength });

const root = ec('P-256');
const caName = distinguishedName(['commonName', 'A test CA']);
const ca = await certify(root, caName, [
  basicConstraints(0),
  keyUsage(KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign, KEY_USAGE.digitalSignature),
]);

async function certify(pair: Pair, subject: Uint8Array, extensions: readonly Uint8Array[]): Promise<Certificate> {
  const fields = { serial: randomSerial(), issuer: caName, notBefore: ago(30), notAfter: ago(-30) };
  const publicKeyInfo = publicKeyInfoOf(pair.publicKey);
  return parseCertificate(
    await signCertificate(
      { ...fields, subject, publicKeyInfo, extensions },
      {
        algorithm: 'ecdsa-p256-sha256',
        publicKey: root.publicKey,
        sign: async data => sign('sha256', data, root.privateKey),
      },
    ),
  );
}

const USUAL = [keyUsage(KEY_USAGE.nonRepudiation), extendedKeyUsage([OID.documentSigning])];
const signerName = distinguishedName(['surname', 'Doe'], ['commonName', 'John Doe']);

interface Shape {
  readonly pair?: Pair;
  readonly extensions?: readonly Uint8Array[];
  readonly hash?: string;
  readonly digestOid?: string;
  readonly algorithm?: Uint8Array;
  readonly padding?: Partial<SignKeyObjectInput>;
  /** SET OF, as it is signed. */
  readonly attributes?: (certificate: Certificate) => Uint8Array;
  readonly signers?: number;
  readonly content?: Uint8Array | null;
  readonly certificates?: (certificate: Certificate) => readonly Uint8Array[];
}

const ECDSA = der.sequence(der.oid(OID.ecdsaWithSHA256));
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

/** A signature that is right but for what `shape` asks for. */
async function make(shape: Shape = {}): Promise<{ cms: Uint8Array; certificate: Certificate }> {
  const pair = shape.pair ?? ec('P-256');
  const certificate = await certify(pair, signerName, shape.extensions ?? USUAL);
  const attributes = shape.attributes?.(certificate) ?? signedAttributes(sha256(CONTENT), certificate.der);
  const signature = sign(shape.hash ?? 'sha256', attributes, { key: pair.privateKey, ...shape.padding });
  const digestAlgorithm = der.sequence(der.oid(shape.digestOid ?? OID.sha256));
  const signerInfo = der.sequence(
    der.integer(1),
    der.sequence(certificate.issuer, der.integer(certificate.serial)),
    digestAlgorithm,
    der.retag(constructed(0), attributes),
    shape.algorithm ?? ECDSA,
    der.octetString(signature),
  );
  const content = shape.content === null ? [] : [der.constructed(0, der.octetString(shape.content ?? CONTENT))];
  const signedData = der.sequence(
    der.integer(1),
    der.set(digestAlgorithm),
    der.sequence(der.oid(OID.data), ...content),
    der.constructed(0, ...(shape.certificates?.(certificate) ?? [certificate.der])),
    der.set(...Array.from({ length: shape.signers ?? 1 }, () => signerInfo)),
  );
  return { cms: der.sequence(der.oid(OID.signedData), der.constructed(0, signedData)), certificate };
}

const NOT_REVOKED = await crl();

const verify = async (cms: Uint8Array, more: Partial<VerifyInput> = {}) =>
  verifyFile({
    file: cms,
    content: null,
    anchors: [ca.der],
    timestampAnchors: [],
    certificates: [],
    crls: [NOT_REVOKED],
    now: NOW,
    ...more,
  });
const resultOf = async (shape: Shape): Promise<string> => {
  const { indication, subIndication } = await verify((await make(shape)).cms);
  return subIndication ?? indication;
};

interface CrlShape {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly revoked?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
  readonly by?: KeyObject;
}

async function crl(shape: CrlShape = {}): Promise<Uint8Array> {
  const { revoked, extensions } = shape;
  const list = der.sequence(
    der.integer(1),
    ECDSA,
    caName,
    der.time(shape.thisUpdate ?? ago(0.01)),
    der.time(shape.nextUpdate ?? ago(-7)),
    ...(revoked ? [der.sequence(...revoked)] : []),
    ...(extensions ? [der.constructed(0, der.sequence(...extensions))] : []),
  );
  return der.sequence(list, ECDSA, der.bitString(sign('sha256', list, shape.by ?? root.privateKey)));
}

describe('a CMS signature', () => {
  test('with one signer, DER, SHA-256 and a P-256 key passes', async () => {
    expect(await resultOf({})).toBe('TOTAL-PASSED');
  });

  const pss = (salt: number): Uint8Array => {
    const hash = der.sequence(der.oid(OID.sha256));
    const mask = der.sequence(der.oid(OID.mgf1), hash);
    return der.sequence(
      der.oid(OID.rsassaPss),
      der.sequence(der.constructed(0, hash), der.constructed(1, mask), der.constructed(2, der.integer(salt))),
    );
  };
  const PSS = { padding: 6, saltLength: 32 };
  test.each<[string, () => Shape]>([
    ['P-384', () => ({ pair: ec('P-384') })],
    ['RSA 2048', () => ({ pair: rsa(2048), algorithm: der.sequence(der.oid(OID.sha256WithRSAEncryption), der.null) })],
    ['RSA-PSS', () => ({ pair: rsa(2048), algorithm: pss(32), padding: PSS })],
  ])('by %s passes', async (_, shape) => {
    expect(await resultOf(shape())).toBe('TOTAL-PASSED');
  });

  test.each<[string, string, () => Shape]>([
    ['a weak curve', 'CRYPTO_CONSTRAINTS_FAILURE', () => ({ pair: ec('secp256k1') })],
    [
      'RSA 1024',
      'CRYPTO_CONSTRAINTS_FAILURE',
      () => ({ pair: rsa(1024), algorithm: der.sequence(der.oid(OID.sha256WithRSAEncryption), der.null) }),
    ],
    ['SHA-1', 'CRYPTO_CONSTRAINTS_FAILURE', () => ({ digestOid: OID.sha1 })],
    [
      'a PSS salt of another length',
      'SIG_CRYPTO_FAILURE',
      () => ({ pair: rsa(2048), algorithm: pss(20), padding: PSS }),
    ],
    ['two signers', 'FORMAT_FAILURE', () => ({ signers: 2 })],
    ['another content', 'HASH_FAILURE', () => ({ content: Buffer.from('I disagree.') })],
    ['no content at all', 'SIGNED_DATA_NOT_FOUND', () => ({ content: null })],
    [
      'another certificate than the one it names',
      'NO_SIGNING_CERTIFICATE_FOUND',
      () => ({ certificates: () => [ca.der] }),
    ],
    [
      'a certificate more that is damaged',
      'GENERIC',
      () => ({ certificates: ({ der: own }) => [own, der.sequence(der.integer(1))] }),
    ],
    [
      'a key for a web server',
      'CHAIN_CONSTRAINTS_FAILURE',
      () => ({ extensions: [extendedKeyUsage(['1.3.6.1.5.5.7.3.1'])] }),
    ],
    [
      'a key for timestamps',
      'CHAIN_CONSTRAINTS_FAILURE',
      () => ({ extensions: [extendedKeyUsage([OID.timeStamping])] }),
    ],
    ['a key that only encrypts', 'CHAIN_CONSTRAINTS_FAILURE', () => ({ extensions: [keyUsage(2)] })],
    [
      'an unknown critical extension',
      'CERTIFICATE_CHAIN_GENERAL_FAILURE',
      () => ({ extensions: [extension('1.2.3.4', der.null, true)] }),
    ],
  ])('with %s: %s', async (_, expected, shape) => {
    expect(await resultOf(shape())).toBe(expected);
  });

  const attribute = (oid: string, value: Uint8Array): Uint8Array => der.sequence(der.oid(oid), der.set(value));
  const parts = (certificate: Certificate) => ({
    type: attribute(OID.contentType, der.oid(OID.data)),
    digest: attribute(OID.messageDigest, der.octetString(sha256(CONTENT))),
    signer: attribute(
      OID.signingCertificateV2,
      der.sequence(der.sequence(der.sequence(der.octetString(sha256(certificate.der))))),
    ),
  });
  test.each<[string, string, (certificate: Certificate) => Uint8Array]>([
    ['no signing certificate', 'SIG_CONSTRAINTS_FAILURE', one => der.set(parts(one).type, parts(one).digest)],
    ['no message digest', 'FORMAT_FAILURE', one => der.set(parts(one).type, parts(one).signer)],
    ['no content type', 'FORMAT_FAILURE', one => der.set(parts(one).digest, parts(one).signer)],
    [
      'the CA as signing certificate',
      'SIG_CONSTRAINTS_FAILURE',
      one => der.set(parts(one).type, parts(one).digest, parts(ca).signer),
    ],
    ['two message digests', 'FORMAT_FAILURE', one => der.set(...Object.values(parts(one)), parts(one).digest)],
    [
      'attributes that are not sorted',
      'FORMAT_FAILURE',
      one => der.retag(0x31, der.sequence(parts(one).signer, parts(one).digest, parts(one).type)),
    ],
  ])('with %s: %s', async (_, expected, attributes) => {
    expect(await resultOf({ attributes })).toBe(expected);
  });

  test('with octets after it, or of BER, is no signature that can be read', async () => {
    const { cms } = await make();
    expect((await verify(Buffer.concat([cms, Buffer.of(0)]))).indication).not.toBe('TOTAL-PASSED');
    const indefinite = Buffer.concat([Buffer.of(0x30, 0x80), cms.subarray(4), Buffer.of(0, 0)]);
    expect((await verify(indefinite)).indication).not.toBe('TOTAL-PASSED');
  });

  test('whose content is given and another', async () => {
    expect(await verify((await make()).cms, { content: Buffer.from('other') })).toMatchObject({
      subIndication: 'HASH_FAILURE',
    });
  });
});

describe('a list of revoked certificates', () => {
  const withCrl = async (shape: (certificate: Certificate) => CrlShape): Promise<string> => {
    const { cms, certificate } = await make();
    const { indication, subIndication } = await verify(cms, { crls: [await crl(shape(certificate))] });
    return subIndication ?? indication;
  };
  const entry = ({ serial }: Certificate, reason?: number): Uint8Array =>
    der.sequence(
      der.integer(serial),
      der.time(ago(1)),
      ...(reason === undefined ? [] : [der.sequence(extension(OID.reasonCode, der.enumerated(reason)))]),
    );

  test.each<[string, string, (certificate: Certificate) => CrlShape]>([
    ['without it', 'TOTAL-PASSED', () => ({})],
    ['with another', 'TOTAL-PASSED', () => ({ revoked: [entry(ca)] })],
    ['with it', 'REVOKED_NO_POE', one => ({ revoked: [entry(ca), entry(one)] })],
    ['with it on hold', 'TRY_LATER', one => ({ revoked: [entry(one, 6)] })],
    ['by another key', 'TRY_LATER', () => ({ by: ec('P-256').privateKey })],
    ['of last month', 'TRY_LATER', () => ({ thisUpdate: ago(30), nextUpdate: ago(23) })],
    ['of tomorrow', 'TRY_LATER', () => ({ thisUpdate: ago(-1) })],
    ['that is only a difference', 'TRY_LATER', () => ({ extensions: [extension('2.5.29.27', der.integer(1), true)] })],
    [
      'about authorities alone',
      'TRY_LATER',
      () => ({ extensions: [extension('2.5.29.28', der.sequence(der.primitive(2, Buffer.of(0xff))), true)] }),
    ],
  ])('%s: %s', async (_, expected, shape) => {
    expect(await withCrl(shape)).toBe(expected);
  });
});

describe('an OCSP answer', () => {
  interface Answer {
    readonly status?: (certificate: Certificate) => Uint8Array;
    readonly about?: (certificate: Certificate) => Certificate;
    readonly issuer?: Certificate;
    readonly by?: Pair;
    readonly responder?: Certificate;
    readonly extensions?: readonly Uint8Array[];
  }
  const good = der.primitive(0, new Uint8Array());
  const sha1 = (data: Uint8Array): Uint8Array => createHash('sha1').update(data).digest();

  /** In the signature's own revocation data (RFC 5940). */
  async function withAnswer(answer: Answer): Promise<string> {
    const { cms, certificate } = await make();
    const about = answer.about?.(certificate) ?? certificate;
    const issuer = answer.issuer ?? ca;
    const certId = der.sequence(
      der.sequence(der.oid(OID.sha1), der.null),
      der.octetString(sha1(issuer.subject)),
      der.octetString(keyIdentifier(issuer.publicKeyInfo)),
      der.integer(about.serial),
    );
    const responder = answer.responder ?? ca;
    const data = der.sequence(
      der.constructed(2, der.octetString(keyIdentifier(responder.publicKeyInfo))),
      der.generalizedTime(ago(0.01)),
      der.sequence(
        der.sequence(
          certId,
          answer.status?.(certificate) ?? good,
          der.generalizedTime(ago(0.01)),
          der.constructed(0, der.generalizedTime(ago(-1))),
        ),
      ),
    );
    const signature = sign('sha256', data, (answer.by ?? root).privateKey);
    const more = answer.responder ? [der.constructed(0, der.sequence(answer.responder.der))] : [];
    const basic = der.sequence(data, ECDSA, der.bitString(signature), ...more);
    const response = der.sequence(
      der.enumerated(0),
      der.constructed(0, der.sequence(der.oid(OID.ocspBasic), der.octetString(basic))),
    );
    const { indication, subIndication } = await verify(addRevocation(cms, response), { crls: [] });
    return subIndication ?? indication;
  }

  /** SignedData.crls with an OCSP answer makes it version 5 (RFC 5652 §5.1). */
  function addRevocation(cms: Uint8Array, response: Uint8Array): Uint8Array {
    const inner = (element: Uint8Array): Uint8Array[] => elements(element).map(part => part);
    const [oid, explicit] = inner(cms) as [Uint8Array, Uint8Array];
    const [signedData] = inner(explicit) as [Uint8Array];
    const [, digests, content, certificates, signers] = inner(signedData) as Uint8Array[];
    const other = der.constructed(1, der.oid('1.3.6.1.5.5.7.16.2'), response);
    const rebuilt = der.sequence(
      der.integer(5),
      digests!,
      content!,
      certificates!,
      der.constructed(1, other),
      signers!,
    );
    return der.sequence(oid, der.constructed(0, rebuilt));
  }

  function elements(element: Uint8Array): Uint8Array[] {
    const size = (at: number): [header: number, length: number] => {
      const first = element[at + 1]!;
      if (first < 0x80) return [2, first];
      const octets = first & 0x7f;
      return [2 + octets, Buffer.from(element).readUIntBE(at + 2, octets)];
    };
    const parts: Uint8Array[] = [];
    for (let at = size(0)[0]; at < element.length; ) {
      const [header, length] = size(at);
      parts.push(element.subarray(at, at + header + length));
      at += header + length;
    }
    return parts;
  }

  const responderPair = ec('P-256');
  const responder = (...extensions: Uint8Array[]): Promise<Certificate> =>
    certify(responderPair, distinguishedName(['commonName', 'Responder']), extensions);
  const noCheck = extension(OID.ocspNoCheck, der.null);

  test.each<[string, string, () => Promise<Answer>]>([
    ['of the issuer', 'TOTAL-PASSED', async () => ({})],
    [
      'of a responder whom it named',
      'TOTAL-PASSED',
      async () => ({ by: responderPair, responder: await responder(extendedKeyUsage([OID.ocspSigning]), noCheck) }),
    ],
    [
      'of somebody with another purpose',
      'TRY_LATER',
      async () => ({ by: responderPair, responder: await responder(extendedKeyUsage([OID.documentSigning]), noCheck) }),
    ],
    [
      'of a responder that would have to be asked about itself',
      'TRY_LATER',
      async () => ({ by: responderPair, responder: await responder(extendedKeyUsage([OID.ocspSigning])) }),
    ],
    ['by another key', 'TRY_LATER', async () => ({ by: ec('P-256') })],
    ['about another certificate', 'TRY_LATER', async () => ({ about: () => ca })],
    ['that does not know it', 'TRY_LATER', async () => ({ status: () => der.primitive(2, new Uint8Array()) })],
    [
      'that it is revoked',
      'REVOKED_NO_POE',
      async () => ({ status: () => der.constructed(1, der.generalizedTime(ago(1))) }),
    ],
  ])('%s: %s', async (_, expected, answer) => {
    expect(await withAnswer(await answer())).toBe(expected);
  });
});
