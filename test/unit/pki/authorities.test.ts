/** Several certificate authorities: below an enterprise's CA, one after the other, a second one; openssl judges. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scopeFolder } from '../../../src/pki/authority-files.ts';
import {
  AuthorityRefused,
  authorityRequest,
  createAuthority,
  installAuthority,
  rotateAuthority,
} from '../../../src/pki/authority-setup.ts';
import { createPki } from '../../../src/pki/create.ts';
import type { NewKey } from '../../../src/pki/key-kinds.ts';
import type { LoadedPki, LoadOptions } from '../../../src/pki/load.ts';
import { keysOfScopes } from '../../../src/pki/open-authorities.ts';
import { certify as certifyOwn } from '../../../src/pki/own-certificates.ts';
import type { Scope } from '../../../src/pki/pki.ts';
import type { AuthoritySetup } from '../../../src/pki/succession.ts';
import { isSelfSigned, parseCertificate, toPem } from '../../../src/pki/x509.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has } from '../../support/tools.ts';
import { certify, makeEnterprise, rootCrl } from './enterprise.ts';
import { COMPANY, JOHN, load, make, PASSPHRASE, PUBLIC_URL, pem, request, silent, Workspace } from './support.ts';

const KEYS = { ca: 'file', seal: 'file', tsa: 'file' } as const;
const GLOBAL = { keys: KEYS, global: { key: 'file' } } as const;

describe.skipIf(!has('openssl'))('certificate authorities', () => {
  let workspace: Workspace;
  beforeEach(() => {
    workspace = new Workspace();
  });
  afterEach(() => workspace.remove());

  const database = () => workspace.path('state.db');
  const open = (options: Parameters<typeof load>[1] = {}): Promise<LoadedPki> =>
    load(workspace, { database: database(), ...options });

  function setup(scope: Scope = 'local', pki: LoadOptions['config']['pki'] & {} = GLOBAL): AuthoritySetup {
    const config = {
      folder: workspace.folder,
      company: COMPANY,
      publicUrl: PUBLIC_URL,
      domains: [{ sign: 'sign.company.com', mail: ['company.com', 'company.lu'] }],
      pki,
    };
    const keys = keysOfScopes({ config, passphrase: PASSPHRASE, credentials: undefined, logger: silent });
    return {
      config,
      passphrase: PASSPHRASE,
      keys: keys.local,
      authorityKeys: keys[scope],
      certificates: new SqliteCertificateStore(openDatabase(database(), MIGRATIONS)),
      now: () => new Date(),
      scope,
      folder: scopeFolder(workspace.folder, scope),
    };
  }

  const enterprise = (...extra: string[]): void => makeEnterprise(workspace, ...extra);
  const certified = (csr: Uint8Array, extensions?: string, ...extra: string[]): string =>
    certify(workspace, csr, extensions, ...extra);
  const revocations = (revoked = false): Uint8Array => rootCrl(workspace, revoked);

  const text = (name: string): string => readFileSync(workspace.path(name), 'utf8');

  /** openssl's word on a certificate with everything that the PKI knows; strict, every certificate looked up in a CRL. */
  async function verified(pki: LoadedPki, certificate: Uint8Array, anchors = pki.anchors): Promise<string> {
    workspace.put('leaf.pem', toPem(certificate));
    workspace.put('anchors.pem', anchors.map(one => toPem(one)).join(''));
    workspace.put('between.pem', pki.intermediates.map(one => toPem(one)).join('') || toPem(anchors[0]!));
    workspace.put('crls.pem', (await pki.ca.crls()).map(one => pem(one, 'X509 CRL')).join(''));
    const lists = ['-crl_check_all', '-CRLfile', 'crls.pem'];
    return workspace.openssl(
      'verify',
      '-x509_strict',
      ...lists,
      '-CAfile',
      'anchors.pem',
      '-untrusted',
      'between.pem',
      'leaf.pem',
    ).output;
  }

  /** openssl asks the PKI about a certificate, and checks the answer. */
  async function asked(pki: LoadedPki, certificate: Uint8Array, anchors = pki.anchors): Promise<string> {
    workspace.put('leaf.pem', toPem(certificate));
    workspace.put('issuer.pem', toPem(pki.ca.issuersOf(certificate)[0]!));
    workspace.put('anchors.pem', anchors.map(one => toPem(one)).join(''));
    workspace.must('ocsp', '-issuer', 'issuer.pem', '-cert', 'leaf.pem', '-reqout', 'ask.der');
    workspace.put('answer.der', (await pki.ca.ocsp(readFileSync(workspace.path('ask.der')))).der);
    const about = ['-issuer', 'issuer.pem', '-verify_other', 'issuer.pem', '-CAfile', 'anchors.pem', '-resp_text'];
    return workspace.openssl('ocsp', ...about, '-reqin', 'ask.der', '-respin', 'answer.der').output;
  }

  const GOOD = /Cert Status: good[\s\S]*Response verify OK/;

  const makeWith = (algorithm: NewKey): Promise<void> =>
    createPki(workspace.folder, {
      company: COMPANY,
      publicUrl: PUBLIC_URL,
      passphrase: PASSPHRASE,
      algorithm: 'ecdsa-p256-sha256',
      algorithms: { ca: algorithm, seal: algorithm },
      now: () => new Date(),
    });

  it.each([
    ['ecdsa-p384-sha256', 'ecdsa-with-SHA384', '384 bit'],
    ['rsa-4096', 'sha384WithRSAEncryption', '4096 bit'],
  ] as const)(
    'C2 %s: root and subordinate, seal, person, CRL and OCSP as openssl sees them',
    async (kind, signature, size) => {
      await makeWith(kind);
      const root = await open();
      const { certificate: first } = await root.ca.issueForPerson(request(workspace), JOHN, 'phone-1');
      const shown = workspace.must('x509', '-in', 'certs/seal.pem', '-noout', '-text');
      expect(shown).toContain(`Signature Algorithm: ${signature}`);
      expect(shown).toContain(size);
      for (const one of [first, root.seal.certificate]) {
        expect(await verified(root, one)).toMatch(/: OK/);
        expect(await asked(root, one)).toMatch(GOOD);
      }

      enterprise();
      const csr = await authorityRequest(setup(), null);
      workspace.put('ca.csr', csr);
      const asks = workspace.must('req', '-inform', 'DER', '-in', 'ca.csr', '-verify', '-noout', '-text');
      expect(asks).toMatch(/CA:TRUE, pathlen:0[\s\S]*Certificate Sign, CRL Sign/);
      await installAuthority(setup(), certified(csr), revocations());
      const sub = await open();
      expect(sub.anchors.map(der => parseCertificate(der)).map(isSelfSigned)).toEqual([true, true]);
      const { certificate: second } = await sub.ca.issueForPerson(request(workspace), JOHN, 'phone-2');
      const enterpriseRoot = [new Uint8Array(parseCertificate(sub.ca.chain.at(-1)!).der)];
      for (const one of [first, second, sub.seal.certificate]) {
        expect(await verified(sub, one, enterpriseRoot)).toMatch(/: OK/);
        expect(await asked(sub, one, enterpriseRoot)).toMatch(GOOD);
      }
      // A timestamp, by whoever trusts the root alone.
      workspace.put('root-only.pem', toPem(enterpriseRoot[0]!));
      workspace.put('data.txt', 'some data');
      workspace.must('ts', '-query', '-data', 'data.txt', '-sha256', '-cert', '-out', 'query.tsq');
      workspace.put('reply.tsr', await sub.tsa!.respond(readFileSync(workspace.path('query.tsq'))));
      const reply = ['-queryfile', 'query.tsq', '-in', 'reply.tsr', '-CAfile', 'root-only.pem'];
      expect(workspace.openssl('ts', '-verify', ...reply).output).toContain('Verification: OK');
      // What the file needs later: both roots' ways, the CA's own revocation included.
      const data = await sub.validationData([second]);
      expect(data.certificates.map(der => parseCertificate(der).subject)).toContainEqual(
        parseCertificate(enterpriseRoot[0]!).subject,
      );
      expect(data.crls).toHaveLength(2);
      await sub.ca.revoke(parseCertificate(second).serial, 'keyCompromise');
      expect(await verified(sub, second, enterpriseRoot)).toContain('certificate revoked');
    },
    120_000,
  );

  it('C2 three CAs one after the other: each answers for what it issued, at the URLs that stand there', async () => {
    await make(workspace);
    const before = await open();
    const issued = [await before.ca.issueForPerson(request(workspace), JOHN, 'phone-1')];
    const pki = await open();
    for (const device of ['phone-2', 'phone-3']) {
      await rotateAuthority(setup(), null);
      expect((await pki.reload()).map(({ name }) => name)).toEqual(['ca', 'seal', 'tsa']);
      issued.push(await pki.ca.issueForPerson(request(workspace), JOHN, device));
    }
    expect(pki.anchors).toHaveLength(3);
    const serials = [];
    for (const { certificate, serial } of issued) {
      expect(await verified(pki, certificate)).toMatch(/: OK/);
      expect(await asked(pki, certificate)).toMatch(GOOD);
      expect(pki.ca.issuersOf(certificate)).toHaveLength(1);
      const shown = workspace.must('x509', '-in', 'leaf.pem', '-noout', '-text');
      const name = /URI:\S+\/crl\/(\w+)\.crl/.exec(shown)![1]!;
      expect(shown).toContain(name === 'company' ? `${PUBLIC_URL}/ca.cer` : `${PUBLIC_URL}/ca/${name}.cer`);
      expect(pki.ca.certificateNamed(name)).toEqual(pki.ca.issuersOf(certificate)[0]);
      serials.push({ serial, name });
    }
    expect(new Set(serials.map(({ name }) => name)).size).toBe(3);
    expect(serials[0]!.name).toBe('company');
    // Each CRL lists its own alone.
    for (const { serial } of serials) await pki.ca.revoke(serial, 'cessationOfOperation');
    for (const { serial, name } of serials) {
      workspace.put('named.crl', (await pki.ca.crlNamed(name))!);
      const crl = workspace.must('crl', '-inform', 'DER', '-in', 'named.crl', '-noout', '-text');
      expect(crl.match(/Serial Number/g)).toHaveLength(1);
      expect(crl).toContain(serial.toUpperCase());
    }
    expect(await pki.ca.crlNamed('other')).toBeNull();
    // A serial of one CA under another's name was never issued there.
    workspace.put('issuer.pem', toPem(pki.ca.chain[0]!));
    workspace.must('ocsp', '-issuer', 'issuer.pem', '-serial', `0x${serials[0]!.serial}`, '-reqout', 'ask.der');
    workspace.put('answer.der', (await pki.ca.ocsp(readFileSync(workspace.path('ask.der')))).der);
    const wrong = ['-issuer', 'issuer.pem', '-CAfile', 'issuer.pem', '-resp_text'];
    expect(workspace.openssl('ocsp', ...wrong, '-reqin', 'ask.der', '-respin', 'answer.der').output).toMatch(
      /Cert Status: unknown[\s\S]*Response verify OK/,
    );
  }, 120_000);

  it('a retired CA whose key is gone stays trusted; the others go on', async () => {
    await make(workspace);
    const { certificate } = await (await open()).ca.issueForPerson(request(workspace), JOHN, 'phone');
    const { retired } = await rotateAuthority(setup(), 'ecdsa-p384-sha256');
    expect(readdirSync(retired).toSorted()).toEqual(['ca.p8', 'ca.pem']);
    rmSync(join(retired, 'ca.p8'));
    const pki = await open();
    expect(pki.anchors).toHaveLength(2);
    expect(pki.ca.issuersOf(certificate)).toEqual([pki.anchors[1]]);
    expect(await pki.ca.ocspAnswer(parseCertificate(certificate))).toBeNull();
    expect(await pki.ca.crls()).toHaveLength(1);
    expect(pki.ca.state.silent).toEqual([join(retired, 'ca.pem')]);
  });

  it('another key below the enterprise: it waits for its certificate, and the old one goes on until then', async () => {
    await make(workspace);
    enterprise();
    await installAuthority(setup(), certified(await authorityRequest(setup(), null)), revocations());
    await expect(rotateAuthority(setup(), null)).rejects.toThrow(/Enterprise Root.*signpost ca csr --new-key/);
    const { certificate } = await (await open()).ca.issueForPerson(request(workspace), JOHN, 'phone-1');
    const csr = await authorityRequest(setup(), 'rsa-sha256');
    await expect(authorityRequest(setup(), 'rsa-sha256')).rejects.toThrow(/waits for a certificate already/);
    expect((await open()).ca.issuersOf(certificate)).toHaveLength(2);
    expect(await installAuthority(setup(), certified(csr), revocations())).not.toBeNull();
    expect(existsSync(workspace.path('keys/ca.next.p8'))).toBe(false);
    const pki = await open();
    expect(pki.ca.state).toMatchObject({ earlierCrls: [{}], outsideCrls: [{}, {}], silent: [] });
    const { certificate: second } = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone-2');
    for (const one of [certificate, second]) {
      expect(pki.ca.issuersOf(one)).toHaveLength(2);
      expect(await asked(pki, one)).toMatch(GOOD);
    }
    expect(parseCertificate(pki.ca.chain[0]!).subject).not.toEqual(
      parseCertificate(pki.ca.issuersOf(certificate)[0]!).subject,
    );
    // The same again changes nothing but the list.
    expect(await installAuthority(setup(), text('sub.pem') + text('root.pem'), revocations())).toBeNull();
    expect(readdirSync(workspace.path('authorities'))).toHaveLength(2);
  }, 60_000);

  it('ca install says what is wrong, and changes nothing', async () => {
    await make(workspace);
    enterprise();
    const csr = await authorityRequest(setup(), null);
    const good = certified(csr);
    const before = text('certs/ca.pem');
    const refused = async (chain: string, words: RegExp, crl: Uint8Array | null = null): Promise<void> => {
      const install = installAuthority(setup(), chain, crl);
      await expect(install).rejects.toThrow(AuthorityRefused);
      await expect(install).rejects.toThrow(words);
      expect(text('certs/ca.pem')).toBe(before);
      expect(existsSync(workspace.path('authorities'))).toBe(false);
    };
    await refused('nothing', /no sound certificates in PEM form/);
    await refused(text('root.pem'), /none of its certificates belongs to the CA's key.*keys\/ca\.p8/);
    await refused(text('sub.pem'), /the certificate of “Enterprise Root” into the file/);
    await refused(certified(csr, 'basicConstraints=critical,CA:FALSE'), /not one of a CA.*CA:TRUE/);
    await refused(
      certified(csr, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign'),
      /keyUsage lacks cRLSign/,
    );
    certified(csr);
    workspace.must('req', '-inform', 'DER', '-in', 'sub.csr', '-out', 'sub.req');
    revocations();
    const past = [
      '-startdate',
      '20190101000000Z',
      '-enddate',
      '20200101000000Z',
      '-extfile',
      'sub.ext',
      '-rand_serial',
    ];
    const by = ['-config', 'crl.cnf', '-keyfile', 'root.key', '-cert', 'root.pem', '-batch', '-notext', '-preserveDN'];
    workspace.must('ca', ...by, '-in', 'sub.req', '-out', 'old.pem', ...past);
    await refused(text('old.pem') + text('root.pem'), /expired on 2020-01-01/);
    await refused(good, /revocation lists don't say/, await (await open()).ca.crl());
    certified(csr);
    await refused(text('sub.pem') + text('root.pem'), /revoked/, revocations(true));
    const sub = 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n';
    // What only people's certificates break, in one of two mail domains.
    for (const names of ['permitted;email:company.com', 'permitted;email:.company.com', 'excluded;email:company.lu'])
      await refused(certified(csr, `${sub}nameConstraints=critical,${names}`), /would not be valid.*trial@company/);
    await refused(certified(csr, `${sub}extendedKeyUsage=clientAuth`), /lacks emailProtection and timeStamping/);
    await refused(certified(csr, `${sub}extendedKeyUsage=emailProtection`), /lacks timeStamping/);
    enterprise('-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0');
    await refused(certified(csr), /would not be valid.*path-length/);
  }, 60_000);

  it('a CA that is replaced twice, first with its key going on: the key is kept in the end, and answers', async () => {
    await make(workspace);
    enterprise();
    const root = text('certs/ca.pem');
    const { certificate } = await (await open()).ca.issueForPerson(request(workspace), JOHN, 'phone-1');
    const chain = certified(await authorityRequest(setup(), null));
    await installAuthority(setup(), chain, revocations());
    // As where the command was killed right before the certificate's rename.
    workspace.put('certs/ca.pem', root);
    await rotateAuthority(setup(), null);
    expect(await asked(await open(), certificate)).toMatch(GOOD);
    const kept = join(workspace.path('authorities'), readdirSync(workspace.path('authorities'))[0]!);
    expect(readdirSync(kept)).toContain('ca.p8');
  }, 60_000);

  it('killed at any point of a rotation: the PKI loads, and the command can be given again', async () => {
    await make(workspace);
    await open();
    // Right before and after the rename that decides, and with the key not yet at home.
    const saved = { ca: text('certs/ca.pem'), key: text('keys/ca.p8'), seal: text('certs/seal.pem') };
    await rotateAuthority(setup(), null);
    renameSync(workspace.path('keys/ca.p8'), workspace.path('keys/ca.next.p8'));
    workspace.put('keys/ca.p8', saved.key);
    workspace.put('certs/seal.pem', saved.seal);
    workspace.put('certs/ca.next.pem', saved.ca);
    const halfway = await open();
    expect(halfway.seal.issuers).toEqual([parseCertificate(halfway.anchors[1]!).der]);
    expect(await verified(halfway, halfway.seal.certificate)).toMatch(/: OK/);
    await rotateAuthority(setup(), null);
    expect(existsSync(workspace.path('keys/ca.next.p8'))).toBe(false);
    const after = await open();
    expect(after.anchors).toHaveLength(3);
    expect(await verified(after, after.seal.certificate)).toMatch(/: OK/);
  });

  it.skipIf(!has('softhsm2'))(
    'C2 keys on a token: rotated and put below the enterprise, both keys stay there',
    async () => {
      const hsm = new SoftHsm();
      try {
        await make(workspace);
        for (const name of ['keys/ca.p8', 'certs/ca.pem', 'certs/seal.pem', 'certs/tsa.pem'])
          rmSync(workspace.path(name));
        workspace.put('pin', `${hsm.pin}\n`);
        const place = { pkcs11: { module: SOFTHSM_MODULE, token: hsm.label, label: 'ca', pinFile: 'pin' } };
        const pki = { keys: { ...KEYS, ca: place }, global: null };
        const made = setup('local', pki);
        await createAuthority(made, 'rsa-sha256');
        for (const name of ['seal', 'tsa'] as const) {
          const certificate = await certifyOwn(made, name, await made.keys.open(name));
          workspace.put(`certs/${name}.pem`, toPem(certificate.der));
        }
        const running = await open({ pki });
        const { certificate: first } = await running.ca.issueForPerson(request(workspace), JOHN, 'phone-1');
        const { retired } = await rotateAuthority(setup('local', pki), 'ecdsa-p384-sha256');
        expect(readdirSync(retired)).toEqual(['ca.pem']);
        await running.reload();
        enterprise();
        await installAuthority(
          setup('local', pki),
          certified(await authorityRequest(setup('local', pki), 'rsa-4096')),
          revocations(),
        );
        await running.reload();
        const { certificate: second } = await running.ca.issueForPerson(request(workspace), JOHN, 'phone-2');
        for (const one of [first, second, running.seal.certificate]) {
          expect(await verified(running, one)).toMatch(/: OK/);
          expect(await asked(running, one)).toMatch(GOOD);
        }
        expect(running.ca.issuersOf(second)).toHaveLength(2);
        expect(readdirSync(workspace.path('keys')).filter(name => name.startsWith('ca'))).toEqual([]);
      } finally {
        hsm.remove();
      }
    },
    120_000,
  );

  it('the scope global: a second CA issues persons’ certificates where asked to, and is rotated by itself', async () => {
    await make(workspace);
    const company = await open();
    await expect(company.ca.issueForPerson(request(workspace), JOHN, 'phone', 'global')).rejects.toThrow(
      /no pki\.global/,
    );
    await expect(open({ pki: GLOBAL })).rejects.toThrow(/signpost ca create --scope global/);
    await createAuthority(setup('global'), 'ecdsa-p384-sha256');
    await expect(createAuthority(setup('global'), 'ecdsa-p384-sha256')).rejects.toThrow(AuthorityRefused);
    const pki = await open({ pki: GLOBAL });
    const local = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone-1');
    const global = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone-2', 'global');
    const rootOf = (der: Uint8Array) => pki.ca.issuersOf(der).slice(-1);
    expect(rootOf(global.certificate)).not.toEqual(rootOf(local.certificate));
    for (const { certificate } of [local, global]) {
      expect(await verified(pki, certificate, rootOf(certificate))).toMatch(/: OK/);
      expect(await asked(pki, certificate, rootOf(certificate))).toMatch(GOOD);
    }
    const asConfigured = await open({ pki: GLOBAL, certificates: { scope: 'global' } });
    const { certificate: third } = await asConfigured.ca.issueForPerson(request(workspace), JOHN, 'phone-4');
    expect(pki.ca.issuersOf(third)).toEqual(pki.ca.issuersOf(global.certificate));
    await rotateAuthority(setup('global'), null);
    await pki.reload();
    expect(pki.anchors).toHaveLength(3);
    const next = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone-3', 'global');
    for (const { certificate } of [global, next]) expect(await asked(pki, certificate)).toMatch(GOOD);
    expect(text('certs/seal.pem')).toBe(toPem(company.seal.certificate));
  }, 60_000);

  it('what an earlier version recorded, when there was one CA, is found with its issuer', async () => {
    await make(workspace);
    const pki = await open();
    const { certificate, serial } = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone');
    await pki.ca.crl();
    await pki.ca.revoke(serial, 'certificateHold');
    const number = async (from: LoadedPki): Promise<number> => {
      workspace.put('number.crl', await from.ca.crl());
      const shown = workspace.must('crl', '-inform', 'DER', '-in', 'number.crl', '-noout', '-crlnumber');
      return Number.parseInt(/0x(\w+)/.exec(shown)![1]!, 16);
    };
    const before = await number(pki);
    const raw = openDatabase(database(), MIGRATIONS);
    raw.exec("UPDATE certificates SET issuer = ''; UPDATE crls SET issuer = ''");
    raw.close();
    const upgraded = await open();
    expect(await verified(upgraded, certificate)).toContain('revoked');
    expect(await asked(upgraded, certificate)).toMatch(/certificateHold/);
    await upgraded.ca.enable(serial);
    expect(await number(upgraded)).toBeGreaterThan(before);
  });

  it('C2 the configuration’s policies, names and URLs stand in certificates', async () => {
    await make(workspace);
    const policies = { person: ['1.3.6.1.4.1.99999.1.1'], seal: ['1.3.6.1.4.1.99999.1.2'], tsa: [] };
    const pki = await open({
      certificates: {
        policies,
        organization: 'Société Générique Group',
        organizationIdentifier: 'NTRLU-B123456',
        urls: { ocsp: 'http://pki.example/ocsp', crl: 'http://pki.example/{ca}.crl', ca: null },
      },
    });
    const { certificate } = await pki.ca.issueForPerson(request(workspace), JOHN, 'phone');
    expect(await verified(pki, certificate)).toMatch(/: OK/);
    const shown = workspace.must('x509', '-in', 'leaf.pem', '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus_space');
    for (const part of [
      'Policy: 1.3.6.1.4.1.99999.1.1',
      'URI:http://pki.example/company.crl',
      'OCSP - URI:http://pki.example/ocsp',
      `CA Issuers - URI:${PUBLIC_URL}/ca.cer`,
      'O=Société Générique Group',
    ])
      expect(shown).toContain(part);
  });
});
