/**
 * Every profile as two independent programs see it, OpenSSL and GnuTLS: keys in files and on a token, EC and RSA, a root of
 * the company's own and a CA below an enterprise's.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInstallation } from '../../../src/config/installation.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';
import { authorityRequest, installAuthority } from '../../../src/pki/authority-setup.ts';
import { generateCertified } from '../../../src/pki/key-setup.ts';
import { Keys } from '../../../src/pki/keys.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { keysOfScopes } from '../../../src/pki/open-authorities.ts';
import type { AuthoritySetup } from '../../../src/pki/succession.ts';
import { fromPem } from '../../../src/pki/x509.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SOFTHSM_MODULE, SoftHsm } from '../../support/softhsm.ts';
import { has, run } from '../../support/tools.ts';
import { certify, makeEnterprise, rootCrl } from './enterprise.ts';
import { JOHN, load, pem, request, silent, Workspace } from './support.ts';

const COMPANY = { name: 'Société Générique S.A.', vat: 'LU12345678', country: 'LU' };

describe.skipIf(!has('openssl', 'gnutls-bin', 'softhsm2')).each([
  ['ecdsa-p256-sha256', 'file', 'root'],
  ['rsa-sha256', 'file', 'root'],
  ['ecdsa-p256-sha256', 'token', 'root'],
  ['rsa-sha256', 'token', 'root'],
  ['ecdsa-p256-sha256', 'file', 'subordinate'],
  ['rsa-sha256', 'file', 'subordinate'],
  ['ecdsa-p256-sha256', 'token', 'subordinate'],
  ['rsa-sha256', 'token', 'subordinate'],
] as const)('C2 %s keys in a %s, CA: %s', (algorithm, where, place) => {
  const workspace = new Workspace();
  const folder = workspace.path('site');
  /** The CA's own certificate; whom a verifier trusts; both, as they come along. */
  const ca = workspace.path('ca.pem');
  const anchor = workspace.path('anchor.pem');
  const chain = join(folder, 'certs/ca.pem');
  let hsm: SoftHsm | null = null;
  let pki: LoadedPki;

  beforeAll(async () => {
    const answers = {
      company: COMPANY,
      publicUrl: 'https://sign.company.com',
      signDomain: 'sign.company.com',
      mailDomains: ['company.com'],
      ports: { milter: 1, lmtp: 2, http: 3, smtp: 4 },
    };
    await createInstallation(folder, answers, algorithm);
    const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim();
    if (where === 'token') await moveToToken(passphrase);
    const config = loadConfig(join(folder, 'signpost.yaml'));
    if (place === 'subordinate') await putBelowEnterprise(config, passphrase);
    pki = await load(workspace, { folder, passphrase, pki: config.pki });
    const certificates = fromPem(readFileSync(chain, 'utf8'));
    workspace.put('ca.pem', pem(certificates[0]!));
    workspace.put('anchor.pem', pem(certificates.at(-1)!));
    workspace.put('john.pem', pem((await pki.ca.issueForPerson(request(workspace), JOHN, 'device-1')).certificate));
    workspace.put('crl.pem', pem(await pki.ca.crl(), 'X509 CRL'));
    workspace.put('crls.pem', await lists());
    workspace.put('responder.pem', pem((await pki.ca.responderCertificate())!));
  });
  afterAll(() => {
    hsm?.remove();
    workspace.remove();
  });

  /** Ours, and the enterprise's. */
  const lists = async (): Promise<string> => (await pki.ca.crls()).map(one => pem(one, 'X509 CRL')).join('');

  async function putBelowEnterprise(config: Config, passphrase: string): Promise<void> {
    const keys = keysOfScopes({ config, passphrase, credentials: undefined, logger: silent });
    const setup: AuthoritySetup = {
      config,
      passphrase,
      keys: keys.local,
      authorityKeys: keys.local,
      certificates: new SqliteCertificateStore(openDatabase(':memory:', MIGRATIONS)),
      now: () => new Date(),
      scope: 'local',
      folder,
    };
    makeEnterprise(workspace);
    const above = certify(workspace, await authorityRequest(setup, null));
    await installAuthority(setup, above, rootCrl(workspace));
  }

  /** The keys in files go away; new ones are made on a token. */
  async function moveToToken(passphrase: string): Promise<void> {
    const token = new SoftHsm();
    hsm = token;
    mkdirSync(join(folder, 'away'));
    const places = Object.fromEntries(
      ['ca', 'seal', 'tsa'].map(name => {
        for (const file of [`keys/${name}.p8`, `certs/${name}.pem`])
          renameSync(join(folder, file), join(folder, 'away', file.replace('/', '-')));
        return [name, { pkcs11: { module: SOFTHSM_MODULE, token: token.label, label: name, pinFile: 'keys/pin' } }];
      }),
    );
    writeFileSync(join(folder, 'keys/pin'), `${token.pin}\n`, { mode: 0o600 });
    const file = join(folder, 'signpost.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^pki:$/m, `pki: ${JSON.stringify({ keys: places })}`));
    const config = loadConfig(file);
    const keys = new Keys({ config, passphrase, credentials: undefined, logger: silent });
    const certificates = new SqliteCertificateStore(openDatabase(':memory:', MIGRATIONS));
    const setup = { config, keys, passphrase, certificates, now: () => new Date() };
    for (const name of ['ca', 'seal', 'tsa'] as const) await generateCertified(setup, name, algorithm);
  }

  const profiles = (): [string, string, string][] => [
    ['person', workspace.path('john.pem'), 'smimesign'],
    ['seal', join(folder, 'certs/seal.pem'), 'smimesign'],
    ['timestamps', join(folder, 'certs/tsa.pem'), 'timestampsign'],
    ['OCSP responder', workspace.path('responder.pem'), 'ocsphelper'],
    ['CA', ca, 'any'],
  ];

  it('C2 openssl verify -x509_strict -crl_check_all takes every profile for its purpose', () => {
    for (const [name, file, purpose] of profiles()) {
      const strict = ['-x509_strict', '-crl_check_all', '-CRLfile', 'crls.pem', '-purpose', purpose];
      const trust = ['-CAfile', anchor, '-untrusted', chain];
      expect(workspace.openssl('verify', ...strict, ...trust, file).output, name).toBe(`${file}: OK\n`);
    }
    const shown = workspace.openssl('crl', '-in', 'crl.pem', '-noout', '-CAfile', ca);
    expect(shown.output).toBe('verify OK\n');
  });

  it('C2 certtool verifies every chain and the CRL, and finds nothing wrong with a certificate', () => {
    for (const [name, file] of profiles()) {
      const own = readFileSync(file);
      const below = place === 'root' || name === 'CA' ? own : Buffer.concat([own, readFileSync(ca)]);
      const trust = ['--load-ca-certificate', anchor, '--load-crl', workspace.path('crls.pem')];
      const verified = run('certtool', ['--verify', ...trust, '--infile', workspace.put('below.pem', below)]);
      expect(verified.status, `${name}: ${verified.output}`).toBe(0);
      expect(verified.output, name).toContain('Chain verification output: Verified.');
      const all = name === 'CA' ? readFileSync(chain) : Buffer.concat([own, readFileSync(chain)]);
      const whole = run('certtool', ['--verify-chain', '--infile', workspace.put('whole.pem', all)]);
      expect(whole.output, name).toContain('Chain verification output: Verified.');
      expect(run('certtool', ['-i', '--infile', file]).output, name).not.toMatch(/error|unknown algorithm/i);
    }
    const list = ['--verify-crl', '--load-ca-certificate', ca, '--infile', workspace.path('crl.pem')];
    expect(run('certtool', list).output).toContain('Verification output: Verified.');
  });

  it('C2 openssl ocsp and ocsptool verify the answers: good, then revoked, and both see it in the CRL', async () => {
    const ask = async (): Promise<string> => {
      workspace.must('ocsp', '-issuer', ca, '-cert', 'john.pem', '-reqout', 'req.der');
      workspace.put('resp.der', (await pki.ca.ocsp(readFileSync(workspace.path('req.der')))).der);
      const files = [
        '-reqin',
        'req.der',
        '-respin',
        'resp.der',
        '-issuer',
        ca,
        '-CAfile',
        anchor,
        '-verify_other',
        ca,
        '-resp_text',
      ];
      const said = workspace.openssl('ocsp', ...files);
      expect(said.output).toContain('Response verify OK');
      const gnutls = run('ocsptool', [
        ...['--verify-response', '--load-response', workspace.path('resp.der'), '--load-trust', ca],
      ]);
      expect(gnutls.output).toMatch(/Verifying OCSP Response: Success/);
      return said.output;
    };
    expect(await ask()).toMatch(/Cert Status: good/);
    const [record] = await pki.ca.listForDevice('device-1');
    await pki.ca.revoke(record!.serial, 'keyCompromise');
    expect(await ask()).toMatch(/Cert Status: revoked/);
    workspace.put('after.pem', await lists());
    const strict = ['-x509_strict', '-crl_check_all', '-CRLfile', 'after.pem', '-CAfile', anchor, '-untrusted', chain];
    expect(workspace.openssl('verify', ...strict, 'john.pem').output).toContain('certificate revoked');
    const args = ['--load-ca-certificate', anchor, '--load-crl', workspace.path('after.pem')];
    const below = Buffer.concat([readFileSync(workspace.path('john.pem')), readFileSync(ca)]);
    const file = place === 'root' ? workspace.path('john.pem') : workspace.put('below.pem', below);
    expect(run('certtool', ['--verify', ...args, '--infile', file]).output).toMatch(/revoked/i);
  });

  it('C2 openssl ts -verify takes the timestamps, openssl req what we take', async () => {
    workspace.put('data', 'something to be stamped');
    workspace.must('ts', '-query', '-data', 'data', '-sha384', '-cert', '-out', 'query');
    workspace.put('reply', await pki.tsa!.respond(readFileSync(workspace.path('query'))));
    const verified = workspace.openssl('ts', '-verify', '-queryfile', 'query', '-in', 'reply', '-CAfile', anchor);
    expect(verified.output).toContain('Verification: OK');
    const checked = workspace.openssl(
      'req',
      '-inform',
      'DER',
      '-in',
      workspace.put('csr', request(workspace)),
      '-verify',
      '-noout',
    );
    expect(checked.output).toMatch(/verify OK/i);
  });
});
