import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatePath, keyPath } from '../../../src/pki/create.ts';
import { KeyFileError, loadKeyFile } from '../../../src/pki/key-file.ts';
import { type LoadedPki, PkiUnusable } from '../../../src/pki/load.ts';
import { organizationIdentifier } from '../../../src/pki/names.ts';
import { sealProfile } from '../../../src/pki/profiles.ts';
import { parseCertificate, signCertificate } from '../../../src/pki/x509.ts';
import { has, run } from '../../support/tools.ts';
import {
  ALGORITHMS,
  COMPANY,
  DAY,
  JOHN,
  load,
  make,
  PASSPHRASE,
  PUBLIC_URL,
  pem,
  request,
  requestFor,
  Workspace,
} from './support.ts';

describe.skipIf(!has('openssl')).each(ALGORITHMS)('PKI with %s keys', algorithm => {
  const workspace = new Workspace();
  let pki: LoadedPki;
  beforeAll(async () => {
    await make(workspace, { algorithm });
    pki = await load(workspace);
    const john = await pki.ca.issueForPerson(request(workspace), JOHN, 'device-1');
    workspace.put('john.pem', pem(john.certificate));
    workspace.put('crl.pem', pem(await pki.ca.crl(), 'X509 CRL'));
  });
  afterAll(() => workspace.remove());

  const text = (file: string) =>
    workspace.must('x509', '-in', file, '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus_space');

  it('openssl verifies every certificate strictly, with the CRL, for its purpose', () => {
    for (const [purpose, file] of [
      ['smimesign', 'john.pem'],
      ['smimesign', 'certs/seal.pem'],
      ['timestampsign', 'certs/tsa.pem'],
    ] as const) {
      const args = ['verify', '-x509_strict', '-crl_check', '-CRLfile', 'crl.pem', '-CAfile', 'certs/ca.pem'];
      expect(workspace.openssl(...args, '-purpose', purpose, file).output).toBe(`${file}: OK\n`);
    }
  });

  it('the root may only sign certificates, CRLs and OCSP answers, for more than ten years', () => {
    const root = text('certs/ca.pem');
    expect(root).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(root).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
    expect(
      workspace.openssl('x509', '-in', 'certs/ca.pem', '-noout', '-checkend', String(10 * 366 * 86_400)).status,
    ).toBe(0);
  });

  it("the seal is the organisation's, the timestamping unit can do nothing else", () => {
    const seal = text('certs/seal.pem');
    expect(seal).toMatch(
      /Subject: C=LU, O=Société Générique S\.A\., organizationIdentifier=VATLU-12345678, CN=Société Générique S\.A\. Seal/,
    );
    expect(seal).toMatch(/Key Usage: critical\s+Digital Signature, Non Repudiation/);
    expect(text('certs/tsa.pem')).toMatch(/Extended Key Usage: critical\s+Time Stamping\n/);
  });

  it("a person's certificate has the ETSI EN 319 412-2 shape", () => {
    const john = text('john.pem');
    expect(john).toMatch(
      /Subject: C=LU, O=Société Générique S\.A\., SN=Doe, GN=John, serialNumber=[0-9A-F]{20}, CN=John Doe\n/,
    );
    expect(john).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(john).toMatch(/Key Usage: critical\s+Digital Signature, Non Repudiation/);
    expect(john).toMatch(/Extended Key Usage: \s+E-mail Protection, 1\.3\.6\.1\.5\.5\.7\.3\.36/);
    expect(john).toMatch(/Alternative Name: \s+email:john\.doe@company\.com/);
    expect(john).toMatch(/URI:https:\/\/sign\.company\.com\/crl\/company\.crl/);
    expect(john).toMatch(/OCSP - URI:https:\/\/sign\.company\.com\/ocsp/);
    expect(john).toMatch(/CA Issuers - URI:https:\/\/sign\.company\.com\/ca\.cer/);
    expect(john).toMatch(/Certificate Policies/);
    expect(john).toMatch(/Subject Key Identifier/);
    expect(john).toMatch(/Authority Key Identifier/);
    expect(john).not.toContain(JOHN.id);
  });

  it.skipIf(!has('libnss3-tools'))(
    'NSS, which poppler judges by, takes the signing certificates for signatures',
    () => {
      workspace.put('nss/.keep', '');
      const certutil = (...args: string[]) => run('certutil', [...args, '-d', workspace.path('nss')]);
      expect(certutil('-N', '--empty-password').status).toBe(0);
      certutil('-A', '-n', 'ca', '-t', ',C,', '-a', '-i', workspace.path('certs/ca.pem'));
      for (const file of ['john.pem', 'certs/seal.pem']) {
        certutil('-A', '-n', file, '-t', ',,', '-a', '-i', workspace.path(file));
        expect(certutil('-V', '-n', file, '-u', 'S').output).toMatch(/certificate is valid/);
      }
    },
  );

  it('the private key files are all encrypted and 0600, and nothing is made twice', async () => {
    for (const name of ['ca', 'seal', 'tsa', 'gateway'] as const) {
      expect(statSync(keyPath(workspace.folder, name)).mode & 0o777).toBe(0o600);
      workspace.must('pkey', '-in', keyPath(workspace.folder, name), '-passin', `pass:${PASSPHRASE}`, '-noout');
    }
    const before = readFileSync(certificatePath(workspace.folder, 'ca'));
    await expect(make(workspace)).rejects.toThrow(KeyFileError);
    expect(readFileSync(certificatePath(workspace.folder, 'ca')).equals(before)).toBe(true);
    expect(pki.gatewayKey.algorithm).toBe('ecdsa-p256-sha256');
  });
});

describe.skipIf(!has('openssl'))('certificates for persons', () => {
  const workspace = new Workspace();
  beforeAll(() => make(workspace));
  afterAll(() => workspace.remove());

  it('last at most 31 days whatever the configuration says, and never beyond the CA', async () => {
    const greedy = await load(workspace, { validity: 400 * DAY });
    const record = await greedy.ca.issueForPerson(request(workspace), JOHN, 'd');
    expect(record.notAfter.getTime() - record.notBefore.getTime()).toBe(31 * DAY);

    const root = parseCertificate(greedy.ca.chain[0]!);
    // Everything but the seal is in date four days before the root's end: load now, issue then.
    let time = new Date();
    const late = await load(workspace, { now: () => time });
    time = new Date(root.notAfter.getTime() - 4 * DAY);
    expect((await late.ca.issueForPerson(request(workspace), JOHN, 'd')).notAfter).toEqual(root.notAfter);
    time = new Date(root.notAfter.getTime() + 1000);
    await expect(late.ca.issueForPerson(request(workspace), JOHN, 'd')).rejects.toThrow(/CA certificate has expired/);
  });

  it('cut long names, drop controls, and take names and mailboxes in any script', async () => {
    const pki = await load(workspace);
    const person = {
      ...JOHN,
      name: `Žofie\u202e\n${'𝒵'.repeat(80)}`,
      surname: null,
      givenName: null,
      mail: 'žofie@company.com',
    };
    const record = await pki.ca.issueForPerson(request(workspace), person, 'd');
    workspace.put('long.pem', pem(record.certificate));
    const subject = workspace.must('x509', '-in', 'long.pem', '-noout', '-subject', '-nameopt', 'utf8,sep_multiline');
    expect(/CN=(.*)\n/.exec(subject)?.[1]).toBe(`Žofie ${'𝒵'.repeat(58)}`);
    expect(workspace.must('x509', '-in', 'long.pem', '-noout', '-ext', 'subjectAltName')).toContain(
      'SmtpUTF8Mailbox::žofie@company.com',
    );
    expect(workspace.openssl('verify', '-x509_strict', '-CAfile', 'certs/ca.pem', 'long.pem').status).toBe(0);
  });

  it('have positive random serials of 159 bits', async () => {
    const pki = await load(workspace);
    const serials = new Set<string>();
    for (let i = 0; i < 5; i++) serials.add((await pki.ca.issueForPerson(request(workspace), JOHN, 'd')).serial);
    expect(serials.size).toBe(5);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{39}$/);
  });
});

describe('loading', () => {
  const workspace = new Workspace();
  const other = new Workspace();
  beforeAll(() => Promise.all([make(workspace), make(other)]));
  afterAll(() => {
    workspace.remove();
    other.remove();
  });

  it('refuses certificates that do not fit their keys, are damaged, expired, or from another CA', async () => {
    const seal = readFileSync(certificatePath(workspace.folder, 'seal'), 'utf8');
    const replaced = async (text: string) => {
      workspace.put('certs/seal.pem', text);
      return load(workspace);
    };
    await expect(replaced(readFileSync(certificatePath(other.folder, 'seal'), 'utf8'))).rejects.toThrow(
      /seal\.pem does not belong to its key/,
    );
    await expect(replaced(seal.replace(/\n[^\n]+\n-----END/, '\n-----END'))).rejects.toThrow(/seal\.pem is damaged/);
    await expect(replaced(`${seal}${seal}`)).rejects.toThrow(/must hold one certificate/);
    await expect(replaced('')).rejects.toThrow(PkiUnusable);
    workspace.put('certs/seal.pem', seal);
    await expect(load(workspace, { now: () => new Date(Date.now() + 6 * 365 * DAY) })).rejects.toThrow(
      /seal\.pem can't be used: a certificate is out of its validity/,
    );
    await expect(load(workspace)).resolves.toBeDefined();
    expect(existsSync(keyPath(workspace.folder, 'ca'))).toBe(true);
  });
});

it('a second certificate for a key of our own is known to OCSP; one for a key of a person is refused at loading', async () => {
  const workspace = new Workspace();
  try {
    await make(workspace);
    const database = workspace.path('state.sqlite');
    const first = await load(workspace, { database });
    const caKey = await loadKeyFile(keyPath(workspace.folder, 'ca'), PASSPHRASE);
    const { seal, anchors } = await load(workspace, { database });
    const issuer = { certificate: parseCertificate(anchors[0]!), publicUrl: PUBLIC_URL };
    const again = await signCertificate(sealProfile(COMPANY, seal.key.publicKey, issuer, new Date()), caKey);
    workspace.put('certs/seal.pem', pem(again));
    const { ca } = await load(workspace, { database });
    for (const der of [seal.certificate, again])
      expect(await ca.find(parseCertificate(der).serial)).toMatchObject({ personId: null, revokedAt: null });
    expect(await ca.ocspAnswer(parseCertificate(again))).not.toBeNull();

    workspace.must('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'john.key');
    await first.ca.issueForPerson(requestFor(workspace, 'john.key'), JOHN, 'phone');
    workspace.must(
      'pkcs8',
      '-topk8',
      '-scrypt',
      '-in',
      'john.key',
      '-passout',
      `pass:${PASSPHRASE}`,
      '-out',
      'john.p8',
    );
    workspace.put('keys/seal.p8', readFileSync(workspace.path('john.p8')));
    const johns = await loadKeyFile(keyPath(workspace.folder, 'seal'), PASSPHRASE);
    const his = await signCertificate(sealProfile(COMPANY, johns.publicKey, issuer, new Date()), caKey);
    workspace.put('certs/seal.pem', pem(his));
    await expect(load(workspace, { database })).rejects.toThrow(/a key that a person signs with/);
  } finally {
    workspace.remove();
  }
});

it.each([
  ['LU12345678', 'VATLU-12345678'],
  ['lu 123 456 78', 'VATLU-12345678'],
  ['12345678', 'VATLU-12345678'],
  ['VATDE-123', 'VATDE-123'],
  ['', null],
  [null, null],
])('VAT number %s becomes %s', (vat, expected) => {
  expect(organizationIdentifier(vat, 'LU')).toBe(expected);
});
