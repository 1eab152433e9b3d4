import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyPath } from '../../../src/pki/create.ts';
import { children, constructed, der, Fields, read, TAG } from '../../../src/pki/der.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { OID } from '../../../src/pki/oids.ts';
import { CertificateRefused, type RevocationReason } from '../../../src/pki/pki.ts';
import { parseCertificate, publicKeyInfoOf } from '../../../src/pki/x509.ts';
import { has } from '../../support/tools.ts';
import { DAY, JOHN, load, make, PASSPHRASE, pem, request, requestFor, Workspace } from './support.ts';

const workspace = new Workspace();
const MARY = { ...JOHN, id: 'uid-4712-mary', name: 'Mary Smith', mail: 'mary.smith@company.com' };
let pki: LoadedPki;
beforeAll(async () => {
  await make(workspace);
  pki = await load(workspace);
});
afterAll(() => workspace.remove());

const P256 = der.sequence(der.oid(OID.ecPublicKey), der.oid(OID.prime256v1));
const ATTRIBUTES = der.constructed(0);

/** A request made by hand, so that each part can be wrong. */
function crafted(parts: {
  readonly version?: number;
  readonly publicKeyInfo?: Uint8Array;
  readonly point?: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
  readonly algorithm?: Uint8Array;
  readonly hash?: string;
  readonly signer?: KeyObject;
}): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const info = der.sequence(
    der.integer(parts.version ?? 0),
    der.sequence(),
    parts.publicKeyInfo ?? (parts.point ? der.sequence(P256, der.bitString(parts.point)) : publicKeyInfoOf(publicKey)),
    ...(parts.attributes ?? [ATTRIBUTES]),
  );
  const signature = sign(parts.hash ?? 'sha256', info, parts.signer ?? privateKey);
  const algorithm = parts.algorithm ?? der.sequence(der.oid(OID.ecdsaWithSHA256));
  return der.sequence(info, algorithm, der.bitString(signature));
}

const point = (length: number, first: number): Uint8Array => new Uint8Array(length).fill(7).fill(first, 0, 1);

const indefinite = (csr: Uint8Array): Uint8Array =>
  Buffer.concat([
    Buffer.from([0x30, 0x80]),
    csr.subarray(csr[1]! < 0x80 ? 2 : 2 + (csr[1]! & 0x7f)),
    Buffer.from([0, 0]),
  ]);

/** One coordinate off by one: the curve with another b, whose small subgroups leak keys. */
function twisted(): Uint8Array {
  const info = publicKeyInfoOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
  const bits = info.slice(-65);
  bits[64]! ^= 1;
  return bits;
}

function unusedBits(bytes: Uint8Array): Uint8Array {
  const encoded = der.bitString(bytes);
  encoded[encoded.length - bytes.length - 1] = 1;
  return encoded;
}

function signatureOf(csr: Uint8Array): Uint8Array {
  const outer = new Fields(read(csr, TAG.sequence).content);
  outer.any();
  outer.any();
  return outer.next(TAG.bitString).content.subarray(1);
}

/** A sound request under another signature. */
function withSignature(signature: Uint8Array): Uint8Array {
  const outer = new Fields(read(crafted({}), TAG.sequence).content);
  return der.sequence(outer.any().bytes, outer.any().bytes, der.bitString(signature));
}

function nested(depth: number): Uint8Array {
  let value = der.sequence();
  for (let i = 0; i < depth; i++) value = der.sequence(value);
  return value;
}

describe('hostile requests', () => {
  it.each<[string, () => Uint8Array]>([
    ['empty', () => new Uint8Array()],
    ['text', () => Buffer.from('hello')],
    ['PEM', () => Buffer.from(pem(crafted({}), 'CERTIFICATE REQUEST'))],
    ['trailing byte', () => Buffer.concat([crafted({}), Buffer.from([0])])],
    ['cut short', () => crafted({}).subarray(0, -1)],
    ['indefinite length (BER)', () => indefinite(crafted({}))],
    ['over 4 KiB', () => crafted({ attributes: [der.constructed(0, new Uint8Array(4096))] })],
    ['nested a thousand times', () => nested(1000)],
    ['version 2', () => crafted({ version: 1 })],
    ['no attributes field', () => crafted({ attributes: [] })],
    ['something after the attributes', () => crafted({ attributes: [ATTRIBUTES, der.null] })],
    [
      'RSA key',
      () => crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey) }),
    ],
    [
      'P-384 key',
      () => crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }),
    ],
    ['Ed25519 key', () => crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('ed25519').publicKey) })],
    ['explicit curve parameters', () => crafted({ publicKeyInfo: explicitParameters() })],
    ['point off the curve', () => crafted({ point: point(65, 4) })],
    ['point at infinity', () => crafted({ point: Uint8Array.of(0) })],
    ['compressed point', () => crafted({ point: point(33, 2) })],
    ['hybrid point', () => crafted({ point: point(65, 6) })],
    ['coordinates beyond the field', () => crafted({ point: new Uint8Array(65).fill(0xff).fill(4, 0, 1) })],
    [
      "another key's signature",
      () => crafted({ signer: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    ],
    ['SHA-1', () => crafted({ hash: 'sha1', algorithm: der.sequence(der.oid('1.2.840.10045.4.1')) })],
    ['SHA-512', () => crafted({ hash: 'sha512', algorithm: der.sequence(der.oid(OID.ecdsaWithSHA512)) })],
    [
      'algorithm with parameters',
      () => crafted({ algorithm: der.sequence(der.oid(OID.ecdsaWithSHA256), der.integer(1)) }),
    ],
    ['a certificate instead', () => pki.seal.certificate],
    [
      'weak RSA key',
      () => crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }),
    ],
    [
      'another curve of that size',
      () =>
        crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) }),
    ],
    [
      'key for agreement alone',
      () => crafted({ publicKeyInfo: publicKeyInfoOf(generateKeyPairSync('x25519').publicKey) }),
    ],
    ['point on the twist', () => crafted({ point: twisted() })],
    ['key of zeros', () => crafted({ point: new Uint8Array(65).fill(4, 0, 1) })],
    ['unused bits in the key', () => crafted({ publicKeyInfo: der.sequence(P256, unusedBits(point(65, 4))) })],
    [
      'a third field in the key',
      () => crafted({ publicKeyInfo: der.sequence(P256, der.bitString(point(65, 4)), der.null) }),
    ],
    ['no signature', () => withSignature(new Uint8Array())],
    ['a signature of zeros', () => withSignature(der.sequence(der.integer(0), der.integer(0)))],
    ['a signature with r and s of 1', () => withSignature(der.sequence(der.integer(1), der.integer(1)))],
    ['the proof of another request', () => withSignature(signatureOf(crafted({})))],
    ['a second request behind the first', () => Buffer.concat([crafted({}), crafted({})])],
    ['a megabyte of attributes', () => crafted({ attributes: [der.constructed(0, new Uint8Array(1 << 20))] })],
  ])('C7 %s is refused', async (_, csr) => {
    await expect(pki.ca.issueForPerson(csr(), JOHN, 'hostile')).rejects.toThrow(CertificateRefused);
    expect(await pki.ca.listForDevice('hostile')).toEqual([]);
  });

  it('C7 attributes may hold anything, nested as deep as fits: none of it is read, and none gets into the certificate', async () => {
    const csr = crafted({ attributes: [der.constructed(0, nested(700))] });
    expect(csr.length).toBeLessThan(4096);
    const { certificate } = await pki.ca.issueForPerson(csr, JOHN, 'nested');
    expect(certificate.length).toBeLessThan(1500);
  });

  it("C7 a reused key: another person's, one whose certificate was revoked, and one of the same device get none", async () => {
    const csr = crafted({});
    const { serial } = await pki.ca.issueForPerson(csr, JOHN, 'first');
    await expect(pki.ca.issueForPerson(csr, MARY, 'hostile')).rejects.toThrow(CertificateRefused);
    await pki.ca.revoke(serial, 'superseded');
    await expect(pki.ca.issueForPerson(csr, MARY, 'hostile')).rejects.toThrow(CertificateRefused);
    await expect(pki.ca.issueForPerson(csr, JOHN, 'first')).rejects.toThrow(CertificateRefused);
    expect(await pki.ca.listForDevice('hostile')).toEqual([]);
  });

  it('a device with a revoked or held certificate gets no other, until the hold has ended', async () => {
    const { serial } = await pki.ca.issueForPerson(crafted({}), JOHN, 'lost');
    await pki.ca.revoke(serial, 'certificateHold');
    await expect(pki.ca.issueForPerson(crafted({}), JOHN, 'lost')).rejects.toThrow(/suspended/);
    expect(await pki.ca.enable(serial)).toBe(true);
    expect(await pki.ca.enable(serial)).toBe(false);
    const second = await pki.ca.issueForPerson(crafted({}), JOHN, 'lost');
    await pki.ca.revoke(second.serial, 'certificateHold');
    const { revokedAt } = (await pki.ca.find(second.serial))!;
    await pki.ca.revoke(second.serial, 'keyCompromise');
    // From when the doubt began.
    expect(await pki.ca.find(second.serial)).toMatchObject({ reason: 'keyCompromise', revokedAt });
    expect(await pki.ca.enable(second.serial)).toBe(false);
    await expect(pki.ca.issueForPerson(crafted({}), JOHN, 'lost')).rejects.toThrow(/revoked/);
    await expect(pki.ca.issueForPerson(crafted({}), JOHN, 'new phone')).resolves.toBeDefined();
  });

  it('the crafted request itself is sound: only the change made above is refused', async () => {
    await expect(pki.ca.issueForPerson(crafted({}), JOHN, 'd')).resolves.toBeDefined();
  });

  it('C7 with any one byte changed are refused', async () => {
    const csr = crafted({});
    for (let i = 0; i < csr.length; i++) {
      const changed = csr.slice();
      changed[i]! ^= 1;
      await expect(pki.ca.issueForPerson(changed, JOHN, 'hostile')).rejects.toThrow(CertificateRefused);
    }
  });

  it.skipIf(!has('openssl'))('C7 asking for CA:TRUE and the name and mail of another get none of it', async () => {
    const csr = request(
      workspace,
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=keyCertSign',
      '-addext',
      'subjectAltName=email:boss@company.com',
    );
    const { certificate } = await pki.ca.issueForPerson(csr, JOHN, 'd');
    workspace.put('greedy.pem', pem(certificate));
    const text = workspace.must('x509', '-in', 'greedy.pem', '-noout', '-text');
    expect(text).toMatch(/CA:FALSE/);
    expect(text).not.toMatch(/CA:TRUE|Certificate Sign|boss@|Somebody Else/);
  });

  /** P-256 spelled out, as in CVE-2020-0601. */
  function explicitParameters(): Uint8Array {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    return publicKeyInfoOf(publicKey);
  }
});

describe('a key has one certificate', () => {
  it('the second request for it is refused, whoever asks', async () => {
    const csr = crafted({});
    await pki.ca.issueForPerson(csr, JOHN, 'phone');
    await expect(pki.ca.issueForPerson(csr, JOHN, 'phone')).rejects.toThrow(/has a certificate already/);
    await expect(pki.ca.issueForPerson(csr, MARY, 'other')).rejects.toThrow(CertificateRefused);
    expect(await pki.ca.listForDevice('other')).toEqual([]);
  });

  it('C7 of several issuances at once for one key, in two processes, one wins', async () => {
    const database = workspace.path('race.sqlite');
    const processes = [await load(workspace, { database }), await load(workspace, { database })];
    const csr = crafted({});
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => processes[i % 2]!.ca.issueForPerson(csr, i % 3 ? JOHN : MARY, 'race')),
    );
    expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(1);
    expect(await processes[0]!.ca.listForDevice('race')).toHaveLength(1);
  });

  it.skipIf(!has('openssl'))("the company's own keys get none", async () => {
    workspace.must(
      'pkey',
      '-in',
      keyPath(workspace.folder, 'seal'),
      '-passin',
      `pass:${PASSPHRASE}`,
      '-out',
      'seal.key',
    );
    await expect(pki.ca.issueForPerson(requestFor(workspace, 'seal.key'), JOHN, 'd')).rejects.toThrow(
      CertificateRefused,
    );
    expect(createPrivateKey(readFileSync(workspace.path('seal.key'))).asymmetricKeyType).toBe('ec');
  });
});

describe('records', () => {
  it('are found by serial and by device, as issued', async () => {
    const first = await pki.ca.issueForPerson(crafted({}), JOHN, 'tablet');
    const second = await pki.ca.issueForPerson(crafted({}), JOHN, 'tablet');
    expect(await pki.ca.find(first.serial)).toEqual(first);
    expect(parseCertificate(first.certificate).serial).toBe(first.serial);
    expect((await pki.ca.listForDevice('tablet')).map(record => record.serial).sort()).toEqual(
      [first.serial, second.serial].sort(),
    );
    expect(await pki.ca.find('abc')).toBeNull();
  });

  it('keep the first revocation', async () => {
    const { serial } = await pki.ca.issueForPerson(crafted({}), JOHN, 'd');
    await pki.ca.revoke(serial, 'superseded');
    const { revokedAt } = (await pki.ca.find(serial))!;
    await pki.ca.revoke(serial, 'keyCompromise');
    expect(await pki.ca.find(serial)).toMatchObject({ reason: 'superseded', revokedAt });
    await expect(pki.ca.revoke('abc', 'superseded')).resolves.toBeUndefined();
  });
});

describe.skipIf(!has('openssl'))('CRL', () => {
  let files = 0;
  const text = async (from: LoadedPki) => {
    const file = workspace.put(`crl-${++files}.der`, await from.ca.crl());
    return workspace.must('crl', '-in', file, '-inform', 'DER', '-noout', '-text', '-CAfile', 'certs/ca.pem');
  };
  const number = (crl: string) => Number(/CRL Number: \s+(\d+)/.exec(crl)?.[1]);

  it('lists every revocation with its reason, and openssl verify obeys it', async () => {
    const own = await load(workspace);
    const reasons: Record<RevocationReason, RegExp> = {
      unspecified: /(?!)/,
      keyCompromise: /Key Compromise/,
      affiliationChanged: /Affiliation Changed/,
      superseded: /Superseded/,
      cessationOfOperation: /Cessation Of Operation/,
      certificateHold: /Certificate Hold/,
      privilegeWithdrawn: /Privilege Withdrawn/,
    };
    expect(await text(own)).toMatch(/No Revoked Certificates/);
    for (const reason of Object.keys(reasons) as RevocationReason[]) {
      const record = await own.ca.issueForPerson(crafted({}), JOHN, `device revoked for ${reason}`);
      await own.ca.revoke(record.serial, reason);
      const crl = await text(own);
      const entry = crl.split('Serial Number: ').find(part => part.startsWith(record.serial.toUpperCase()));
      if (reason === 'unspecified') expect(entry).not.toMatch(/CRL Reason/);
      else expect(entry).toMatch(reasons[reason]);

      workspace.put('revoked.pem', pem(record.certificate));
      workspace.put('crl.pem', pem(await own.ca.crl(), 'X509 CRL'));
      const verdict = workspace.openssl(
        'verify',
        '-crl_check',
        '-CRLfile',
        'crl.pem',
        '-CAfile',
        'certs/ca.pem',
        'revoked.pem',
      );
      expect(verdict.output).toMatch(/certificate revoked/);
    }
    expect(workspace.openssl('crl', '-in', 'crl.pem', '-noout', '-CAfile', 'certs/ca.pem').output).toMatch(/verify OK/);
  });

  it('has no revokedCertificates field, rather than an empty one, when nothing is revoked', async () => {
    const crl = new Fields(read(await (await load(workspace)).ca.crl(), TAG.sequence).content);
    const tags = children(crl.next(TAG.sequence).content).map(element => element.tag);
    const { integer, sequence, utcTime } = TAG;
    expect(tags).toEqual([integer, sequence, sequence, utcTime, utcTime, constructed(0)]);
  });

  it('is kept while nothing changes, made anew daily, and its number only grows', async () => {
    let time = Date.now();
    const own = await load(workspace, { now: () => new Date(time) });
    const first = await own.ca.crl();
    time += DAY / 2;
    expect(Buffer.from(await own.ca.crl()).equals(first)).toBe(true);
    time += DAY;
    const daily = await text(own);
    expect(number(daily)).toBe(2);
    const { serial } = await own.ca.issueForPerson(crafted({}), JOHN, 'd');
    await own.ca.revoke(serial, 'superseded');
    expect(number(await text(own))).toBe(3);
    await own.ca.revoke(serial, 'superseded');
    expect(number(await text(own))).toBe(3);
  });

  it("another process's revocation shows at once, and both go on with one numbering", async () => {
    const database = workspace.path('crl.sqlite');
    const [gateway, commandLine] = [await load(workspace, { database }), await load(workspace, { database })];
    const record = await gateway.ca.issueForPerson(crafted({}), JOHN, 'stolen');
    expect(number(await text(gateway))).toBe(1);
    await commandLine.ca.revoke(record.serial, 'keyCompromise');
    expect(await text(gateway)).toContain(record.serial.toUpperCase());
    expect(number(await text(commandLine))).toBe(2);

    const issued = await Promise.all(
      Array.from({ length: 6 }, () => gateway.ca.issueForPerson(crafted({}), JOHN, 'd')),
    );
    await Promise.all(
      issued.flatMap(({ serial }, i) => [
        (i % 2 ? gateway : commandLine).ca.revoke(serial, 'superseded'),
        gateway.ca.crl(),
        commandLine.ca.crl(),
      ]),
    );
    const last = await text(gateway);
    for (const { serial } of issued) expect(last).toContain(serial.toUpperCase());
  });

  it('C4 a clock that was a month ahead and is set back: no list of the future, no number used twice, nothing revives', async () => {
    let time = Date.now();
    const own = await load(workspace, { now: () => new Date(time) });
    const { serial } = await own.ca.issueForPerson(crafted({}), JOHN, 'd');
    await own.ca.revoke(serial, 'keyCompromise');
    const before = await text(own);
    expect(before).toContain(serial.toUpperCase());
    time += 45 * DAY;
    const ahead = await text(own);
    // Expired by that clock, and so not listed.
    expect(ahead).toMatch(/No Revoked Certificates/);
    time -= 45 * DAY;
    const after = await text(own);
    expect(after).toContain(serial.toUpperCase());
    expect([number(before), number(ahead), number(after)]).toEqual([1, 2, 3]);
    expect(Date.parse(/Last Update: (.*)/.exec(after)![1]!)).toBeLessThanOrEqual(time);
    expect(await own.ca.find(serial)).toMatchObject({ reason: 'keyCompromise' });
  });

  it('drops a certificate a while after it has expired', async () => {
    let time = Date.now();
    const own = await load(workspace, { now: () => new Date(time) });
    const { serial, notAfter } = await own.ca.issueForPerson(crafted({}), JOHN, 'd');
    await own.ca.revoke(serial, 'superseded');
    time = notAfter.getTime() + 6 * DAY;
    expect(await text(own)).toContain(serial.toUpperCase());
    time = notAfter.getTime() + 8 * DAY;
    expect(await text(own)).toMatch(/No Revoked Certificates/);
  });
});
