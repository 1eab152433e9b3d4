/**
 * One CA follows another under a running gateway, seen through mail and a device: rotated, then put below an enterprise's
 * CA. What was signed before stays valid, what is signed afterwards is; retired CAs go on answering. OpenSSL and poppler
 * judge beside `signpost verify`.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
/** Checks exported evidence with openssl, sha256sum and unzip. */
const CHECK = new URL('../17-evidence/check.sh', import.meta.url).pathname;
const JOHN = addressOf('john.doe');
/** Many commands, each a process; the machine may be busy. Milliseconds. */
const PATIENCE = 300_000;

interface Outcome {
  readonly status: number;
  readonly output: string;
}

function execute(program: string, ...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    execFile(program, args, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
    });
  });
}

const signpost = (...args: string[]): Promise<Outcome> => execute(process.execPath, BIN, ...args);

describe.skipIf(!hasPostfix || !has('openssl', 'poppler-utils'))(
  'certificate authorities that follow each other',
  () => {
    let company: Company;
    /** A document that John signed under the first CA, and his certificate of then. */
    let first: { readonly pdf: string; readonly certificate: string };
    /** The first CA's certificate. */
    let firstRoot: string;

    beforeAll(async () => {
      company = await startCompany();
      makeEnterprise();
      firstRoot = at('root-1.pem');
      writeFileSync(firstRoot, readFileSync(join(company.site.config.folder, 'certs', 'ca.pem')));
      const { output } = await admin('user', 'code', 'john.doe');
      const to = [company.site.config.publicUrl, JOHN, '--code', output.split('\n')[0]!, '--store', at('device')];
      const enrolled = await signpost('device', 'enrol', ...to);
      expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
      first = { pdf: await signed(), certificate: await johns('john-1.pem') };
    }, PATIENCE);
    afterAll(() => company?.stop());

    const at = (name: string): string => join(company.folder, name);
    const admin = (...args: string[]) => signpost(...args, '--config', company.site.configFile);

    async function must(...args: string[]): Promise<string> {
      const { status, output } = await admin(...args);
      expect(status, output).toBe(0);
      return output;
    }

    /** Mary asks, John signs: the finished document. */
    async function signed(): Promise<string> {
      const [letter] = await company.ask('mary.smith', ['john.doe']);
      const done = await signpost('device', 'sign', linkIn(letter!), '--yes', '--store', at('device'));
      expect(done, done.output).toMatchObject({ status: 0 });
      const { request } = letter!;
      const finished = await waitForLetter(company.site.mailboxes, JOHN, 'finished', mail => mail.request === request);
      const path = at(`${request}.pdf`);
      writeFileSync(path, finished.parsed.attachments[0]!.content);
      return path;
    }

    /** John's newest certificate, in a file of its own. */
    async function johns(name: string): Promise<string> {
      const all = JSON.parse(await must('certs', 'list', '--json')) as { serial: string }[];
      await must('certs', 'export', all.at(-1)!.serial, '--format', 'der', '--out', at(`${name}.der`));
      run('openssl', ['x509', '-inform', 'DER', '-in', at(`${name}.der`), '-out', at(name)]);
      return at(name);
    }

    async function expectPassed(path: string): Promise<string> {
      const verified = await admin('verify', path, '--json');
      expect(verified, verified.output).toMatchObject({ status: 0, output: expect.stringContaining('TOTAL-PASSED') });
      expect(verified.output).not.toMatch(/TOTAL-FAILED|INDETERMINATE/);
      const { output } = run('pdfsig', [path]);
      expect(output.match(/Signature is Valid/g) ?? [], output).toHaveLength(3);
      return verified.output;
    }

    /** What the gateway gives to everybody who wants to trust it, once it has this many roots. */
    async function roots(count: number): Promise<string> {
      await vi.waitFor(async () => {
        writeFileSync(at('trust.pem'), await (await fetch(`${company.site.config.publicUrl}/trust.pem`)).text());
        expect(readFileSync(at('trust.pem'), 'utf8').match(/BEGIN CERT/g)).toHaveLength(count);
      }, 60_000);
      return at('trust.pem');
    }

    /** The URL that a certificate prints. */
    function printed(certificate: string, what: RegExp): string {
      const { output } = run('openssl', ['x509', '-in', certificate, '-noout', '-text']);
      return what.exec(output)![1]!;
    }

    /** Its issuer and its CRL, from where the certificate says that they are; OpenSSL's word on chain, CRL and OCSP. */
    async function judge(certificate: string, trusted: string, ...more: string[]): Promise<string> {
      const get = async (url: string, name: string): Promise<string> => {
        const answer = await fetch(url);
        expect(answer.status, url).toBe(200);
        writeFileSync(at(name), Buffer.from(await answer.arrayBuffer()));
        return at(name);
      };
      const crl = await get(printed(certificate, /URI:(\S+\.crl)/), 'now.crl');
      const issuer = await get(printed(certificate, /CA Issuers - URI:(\S+)/), 'issuer.cer');
      run('openssl', ['x509', '-inform', 'DER', '-in', issuer, '-out', at('issuer.pem')]);
      run('openssl', ['crl', '-inform', 'DER', '-in', crl, '-out', at('now.pem')]);
      const lists = ['-crl_check_all', '-CRLfile', at('now.pem'), ...more];
      const chain = ['-CAfile', trusted, '-untrusted', at('issuer.pem'), certificate];
      const verified = run('openssl', ['verify', '-x509_strict', ...lists, ...chain]);
      const ocsp = [
        '-issuer',
        at('issuer.pem'),
        '-cert',
        certificate,
        '-CAfile',
        trusted,
        '-verify_other',
        at('issuer.pem'),
      ];
      const asked = await execute('openssl', 'ocsp', ...ocsp, '-url', printed(certificate, /OCSP - URI:(\S+)/));
      expect(asked.output).toContain('Response verify OK');
      return `${verified.output}${asked.output}`;
    }

    test(
      'C3 rotate ca: what was signed before stays valid; old certificates sign on and get answers, the next is from the new CA',
      async () => {
        expect(await must('keys', 'rotate', 'ca', '--algorithm', 'ecdsa-p384')).toContain('Signing CA 2');
        const trusted = await roots(2);
        await expectPassed(first.pdf);
        expect(await judge(first.certificate, firstRoot)).toMatch(/: OK[\s\S]*: good/);

        // His certificate is good until it ends; the seal is from the new CA already.
        const between = await signed();
        expect(await expectPassed(between)).toMatch(/Signing CA 2/);
        expect(await johns('john-still.pem')).toSatisfy(
          path => readFileSync(path, 'utf8') === readFileSync(first.certificate, 'utf8'),
        );

        const [{ serial }] = JSON.parse(await must('certs', 'list', '--json'));
        await must('certs', 'revoke', serial, '--reason', 'superseded');
        expect(await judge(first.certificate, firstRoot)).toMatch(
          /certificate revoked[\s\S]*: revoked[\s\S]*superseded/,
        );
        const after = await signed();
        await expectPassed(after);
        const renewed = await johns('john-2.pem');
        expect(run('openssl', ['x509', '-in', renewed, '-noout', '-issuer']).output).toContain('Signing CA 2');
        expect(await judge(renewed, trusted)).toMatch(/: OK[\s\S]*: good/);
        expect(printed(renewed, /URI:(\S+\.crl)/)).not.toBe(printed(first.certificate, /URI:(\S+\.crl)/));
        for (const pdf of [first.pdf, between, after]) await expectPassed(pdf);
        expect(JSON.parse(await must('ca', 'list', '--json'))).toMatchObject(
          [
            { name: /^[0-9a-f]{16}$/, inUse: true },
            { name: 'company', inUse: false },
          ].map(one => ({ ...one, name: expect.stringMatching(one.name) })),
        );
      },
      PATIENCE,
    );

    /** The enterprise's CA, by openssl. */
    function makeEnterprise(): void {
      const key = ['-newkey', 'rsa:3072', '-nodes', '-keyout', at('root.key'), '-out', at('root.pem'), '-days', '3650'];
      const use = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
      run('openssl', ['req', '-x509', ...key, '-subj', '/O=Enterprise/CN=Enterprise Root', ...use]);
      writeFileSync(at('index.txt'), '');
      writeFileSync(at('crlnumber'), '01\n');
      writeFileSync(
        at('ca.cnf'),
        `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index.txt')}\ncrlnumber=${at('crlnumber')}\nserial=${at('serial')}\n` +
          `new_certs_dir=${company.folder}\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\n` +
          '[x]\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n',
      );
    }

    /** It certifies the company's CA, which takes the certificate and what the enterprise has revoked. */
    async function putBelow(name: string, ...request: string[]): Promise<void> {
      await must('ca', 'csr', '--out', at(`${name}.csr`), ...request);
      const signer = ['-config', at('ca.cnf'), '-keyfile', at('root.key'), '-cert', at('root.pem'), '-batch'];
      const issue = ['-in', at(`${name}.csr`), '-out', at(`${name}.pem`), '-days', '1800', '-notext', '-preserveDN'];
      const made = run('openssl', ['ca', ...signer, ...issue, '-extensions', 'x', '-create_serial', '-rand_serial']);
      expect(existsSync(at(`${name}.pem`)), made.output).toBe(true);
      run('openssl', ['ca', ...signer, '-gencrl', '-crldays', '30', '-out', at('root.crl')]);
      writeFileSync(at('chain.pem'), readFileSync(at('root.pem'), 'utf8') + readFileSync(at(`${name}.pem`), 'utf8'));
      expect(await must('ca', 'install', at('chain.pem'), '--crl', at('root.crl'))).toContain('is the CA now');
    }

    /** What somebody says who trusts the enterprise's root alone: every other proof is in the file. */
    async function expectPassedAlone(pdf: string): Promise<void> {
      const alone = await signpost('verify', pdf, '--trust', at('root.pem'), '--json');
      expect(alone, alone.output).toMatchObject({ status: 0, output: expect.stringContaining('TOTAL-PASSED') });
      expect(alone.output).not.toMatch(/TOTAL-FAILED|INDETERMINATE/);
      expect(alone.output).toContain('Enterprise Root');
    }

    async function supersedeJohns(): Promise<void> {
      const all = JSON.parse(await must('certs', 'list', '--json')) as { serial: string }[];
      await must('certs', 'revoke', all.at(-1)!.serial, '--reason', 'superseded');
    }

    test(
      "C3 ca install: below an enterprise's CA, new signatures lead to its root; all earlier ones stay valid",
      async () => {
        await roots(2);
        const before = await signed();
        await putBelow('sub');
        const trusted = await roots(3);
        for (const pdf of [first.pdf, before]) await expectPassed(pdf);

        // The key is the one of before: so is the CA, and John's certificate leads to both roots.
        const after = await signed();
        await expectPassed(after);
        await expectPassedAlone(after);
        await supersedeJohns();
        const last = await signed();
        const renewed = await johns('john-3.pem');
        expect(await judge(renewed, at('root.pem'), '-CRLfile', at('root.crl'))).toMatch(/: OK[\s\S]*: good/);
        expect(await judge(first.certificate, trusted)).toMatch(/certificate revoked/);
        for (const pdf of [first.pdf, before, after, last]) await expectPassed(pdf);
      },
      PATIENCE,
    );

    test(
      'C3 C6 another key below the enterprise: taken up the same way; openssl alone checks the evidence',
      async () => {
        const before = await signed();
        const earlier = await johns('john-4.pem');
        await putBelow('sub-2', '--new-key', 'rsa-4096');
        const [now] = JSON.parse(await must('ca', 'list', '--json')) as { name: string; subject: string }[];
        const published = `${company.site.config.publicUrl}/ca/${now!.name}.cer`;
        await vi.waitFor(async () => expect((await fetch(published)).status).toBe(200), 60_000);
        await expectPassed(before);
        await supersedeJohns();
        const after = await signed();
        expect(after).not.toBe(before);
        await expectPassed(after);
        await expectPassedAlone(after);
        const renewed = await johns('john-5.pem');
        expect(run('openssl', ['x509', '-in', renewed, '-noout', '-issuer']).output).toContain(now!.subject);
        expect(await judge(renewed, at('root.pem'), '-CRLfile', at('root.crl'))).toMatch(/: OK[\s\S]*: good/);
        writeFileSync(at('trust.pem'), await (await fetch(`${company.site.config.publicUrl}/trust.pem`)).text());
        expect(await judge(earlier, at('trust.pem'), '-CRLfile', at('root.crl'))).toMatch(/certificate revoked/);
        for (const pdf of [first.pdf, before, after]) await expectPassed(pdf);
        await must('evidence', 'export', basename(after, '.pdf'), '--out', at('after.zip'));
        const checked = run('/bin/sh', [CHECK, at('after.zip'), at('evidence')]);
        expect(checked, checked.output).toMatchObject({ status: 0 });
      },
      PATIENCE,
    );
  },
);
