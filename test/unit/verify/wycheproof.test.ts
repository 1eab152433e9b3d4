/**
 * B7: Wycheproof's vectors through the functions that check signatures of CMS, timestamps, certificates, CRLs and OCSP
 * (signatureHolds), of devices over documents (verifySignature) and of devices over HTTP requests (verifyBase). Reads
 * whatever files lie there.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { verifyBase } from '../../../src/client/http-signature.ts';
import { type Hash, signatureHolds } from '../../../src/pki/algorithms.ts';
import { DerError, der, read, TAG } from '../../../src/pki/der.ts';
import { distinguishedName } from '../../../src/pki/names.ts';
import { OID } from '../../../src/pki/oids.ts';
import { publicKeyInfoOf, signCertificate } from '../../../src/pki/x509.ts';
import { signatureAlgorithm } from '../../../src/signatures/verify/checked.ts';
import { BadSignature, verifySignature } from '../../../src/signatures/verify.ts';

const FOLDER = join(
  process.env.SIGNPOST_CORPORA ?? fileURLToPath(new URL('../../../../shared/corpora', import.meta.url)),
  'wycheproof',
);
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER).filter(name => name.endsWith('.json')) : [];
if (FILES.length === 0) console.warn(`SKIPPING Wycheproof: no vectors in ${FOLDER}`);

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'acceptable' | 'invalid';
}
interface Group {
  readonly type: string;
  readonly publicKeyDer?: string;
  readonly keyDer?: string;
  readonly sha?: string;
  readonly mgf?: string;
  readonly mgfSha?: string;
  readonly sLen?: number;
  readonly tests: readonly Vector[];
}

const HASHES: Readonly<Record<string, Hash>> = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
const HASH_OIDS = { sha256: OID.sha256, sha384: OID.sha384, sha512: OID.sha512 };
const ECDSA = { sha256: OID.ecdsaWithSHA256, sha384: OID.ecdsaWithSHA384, sha512: OID.ecdsaWithSHA512 };
const RSA = {
  sha256: OID.sha256WithRSAEncryption,
  sha384: OID.sha384WithRSAEncryption,
  sha512: OID.sha512WithRSAEncryption,
};
const ED25519 = '1.3.101.112';

type Sha2 = keyof typeof RSA;

/** The AlgorithmIdentifier that a signature of this group would have; null for a hash that we have no name for. */
function identifierOf({ type, sha, mgfSha, sLen }: Group): Uint8Array | null {
  if (!type.startsWith('Ecdsa') && !type.startsWith('Rsassa')) return der.sequence(der.oid(ED25519));
  const hash = HASHES[sha ?? ''] as Sha2 | undefined;
  const mask = HASHES[mgfSha ?? sha ?? ''] as Sha2 | undefined;
  if (!hash || !mask) return null;
  if (type.startsWith('Ecdsa')) return der.sequence(der.oid(ECDSA[hash]));
  if (type !== 'RsassaPssVerify') return der.sequence(der.oid(RSA[hash]), der.null);
  const named = (oid: string): Uint8Array => der.sequence(der.oid(oid), der.null);
  const parameters = der.sequence(
    der.constructed(0, named(HASH_OIDS[hash])),
    der.constructed(1, der.sequence(der.oid(OID.mgf1), named(HASH_OIDS[mask]))),
    der.constructed(2, der.integer(sLen ?? 20)),
  );
  return der.sequence(der.oid(OID.rsassaPss), parameters);
}

function keyOf(group: Group): KeyObject | null {
  try {
    const spki = Buffer.from(group.publicKeyDer ?? group.keyDer ?? '', 'hex');
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

/** As CMS and tokens are checked: an accepted kind of key and hash, then the signature. */
function holds(
  identifier: Uint8Array,
  key: KeyObject,
  hash: Hash,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const algorithm = read(identifier, TAG.sequence);
    const accepted = signatureAlgorithm(hash, { publicKey: key }) !== null;
    return accepted && signatureHolds(algorithm, key, message, signature, hash);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

const wrongs = (wrong: (vector: Vector) => boolean, tests: readonly Vector[]): string[] =>
  tests.filter(wrong).map(({ tcId, comment, result }) => `${tcId} (${result}): ${comment}`);

const groupsIn = (file: string): readonly Group[] => {
  const { testGroups } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { testGroups: readonly Group[] };
  return testGroups;
};

describe.skipIf(FILES.length === 0)('B7 Wycheproof', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test.each(FILES)('%s through what checks CMS, timestamps, certificates', file => {
    const wrong: string[] = [];
    for (const group of groupsIn(file)) {
      if (group.type.includes('P1363')) continue;
      const identifier = identifierOf(group);
      const key = keyOf(group);
      if (identifier === null || key === null) continue;
      const hash = HASHES[group.sha ?? ''] ?? 'sha256';
      const accepted =
        !group.type.startsWith('Ed') && signatureAlgorithm(hash, { publicKey: key }) !== null && sameMask(group);
      wrong.push(
        ...wrongs(({ msg, sig, result }) => {
          const held = holds(identifier, key, hash, Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'));
          if (!accepted || result === 'invalid') return held;
          return result === 'valid' && !held;
        }, group.tests),
      );
    }
    expect(wrong).toEqual([]);
  });

  test.each(FILES.filter(file => /sha256/.test(file)))('%s through what checks devices', async file => {
    const wrong: string[] = [];
    for (const group of groupsIn(file)) {
      const key = keyOf(group);
      if (key === null) continue;
      if (group.type === 'EcdsaP1363Verify' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') {
        const spki = publicKeyInfoOf(key);
        const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };
        const imported = await crypto.subtle.importKey('spki', Buffer.from(spki), ecdsa, true, ['verify']);
        for (const vector of group.tests) {
          const held = await verifyBase(Buffer.from(vector.msg, 'hex'), Buffer.from(vector.sig, 'hex'), imported);
          if (vector.result !== 'acceptable' && held !== (vector.result === 'valid')) wrong.push(`${vector.tcId}`);
        }
        continue;
      }
      const ours = { EcdsaVerify: 'ecdsa-p256-sha256', RsassaPkcs1Verify: 'rsa-sha256' } as const;
      const algorithm = ours[group.type as keyof typeof ours];
      if (algorithm === undefined || group.sha !== 'SHA-256') continue;
      const certificate = await certify(key);
      wrong.push(
        ...wrongs(({ msg, sig, result }) => {
          try {
            verifySignature(Buffer.from(msg, 'hex'), Buffer.from(sig, 'hex'), algorithm, certificate);
            return result === 'invalid';
          } catch (error) {
            if (!(error instanceof BadSignature)) throw error;
            return result === 'valid';
          }
        }, group.tests),
      );
    }
    expect(wrong).toEqual([]);
  });

  /** A certificate for the vectors' key, signed by a key of this test. */
  function certify(key: KeyObject): Promise<Uint8Array> {
    const name = distinguishedName(['commonName', 'Wycheproof']);
    return signCertificate(
      {
        serial: '01',
        issuer: name,
        subject: name,
        notBefore: new Date('2026-01-01T00:00:00Z'),
        notAfter: new Date('2027-01-01T00:00:00Z'),
        publicKeyInfo: publicKeyInfoOf(key),
        extensions: [],
      },
      { algorithm: 'ecdsa-p256-sha256', publicKey, sign: async data => sign('sha256', data, privateKey) },
    );
  }
});

/** MGF1 with another hash than the message's is not accepted. */
const sameMask = ({ type, sha, mgfSha }: Group): boolean => type !== 'RsassaPssVerify' || sha === mgfSha;
