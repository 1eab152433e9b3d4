/** Our mail's DKIM signatures, judged by Debian's python3-dkim and by mailauth. */
import { execSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dkimVerify } from 'mailauth';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createComposer } from '../../../src/outbound/composer.ts';
import { createMailSigner, type MailSigner } from '../../../src/outbound/dkim.ts';
import { dkimRecordOf, makeDkimKey, openMailSigner } from '../../../src/outbound/dkim-key.ts';
import { independentDkim } from '../../support/dkim-verifier.ts';
import { type DnsServer, startDns } from '../../support/dns.ts';
import { has } from '../../support/tools.ts';
import { config, publicUrl, samples } from './samples.ts';

const DOMAIN = 'sign.company.com';
const DATE = new Date('2026-11-24T10:00:00Z');
const log = pino({ level: 'silent' });

let dns: DnsServer;
let signer: MailSigner;
let folder: string;

beforeAll(async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  signer = createMailSigner(privateKey, publicKey, DOMAIN);
  dns = await startDns({ [signer.record.name]: { TXT: [signer.record.text] } });
  folder = mkdtempSync('/tmp/signpost-dkim-');
  for (const name of ['keys', 'certs']) mkdirSync(join(folder, name));
});
afterAll(async () => {
  await dns.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function mailauthSays(mail: Buffer): Promise<string> {
  const { results } = await dkimVerify(mail, {
    strict: true,
    resolver: async name => {
      if (name !== signer.record.name) throw Object.assign(new Error(name), { code: 'ENOTFOUND' });
      return [[signer.record.text]];
    },
  });
  return results[0]!.status.result;
}

describe('DKIM signatures of our mail', () => {
  test('every mail that we write verifies, with two verifiers, and not when it is changed', async () => {
    const composer = createComposer({ config, publicUrl, timeZone: 'UTC', signer });
    const python = has('python3-dkim', 'python3-dnspython');
    let kinds = 0;
    for (const { mail, to } of Object.values(samples)) {
      const { bytes } = await composer.compose(mail, to, `row${kinds}`, DATE);
      const signed = Buffer.from(bytes);
      expect(signed.toString('latin1'), mail.kind).toMatch(
        /^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=sign\.company\.com;/,
      );
      expect(await mailauthSays(signed), mail.kind).toBe('pass');
      const changed = Buffer.from(
        signed.toString('latin1').replace('Signpost-Status: ', 'Signpost-Status: x'),
        'latin1',
      );
      expect(await mailauthSays(changed), mail.kind).not.toBe('pass');
      if (python) {
        expect(await independentDkim(signed, dns), mail.kind).toBe(true);
        expect(await independentDkim(changed, dns), mail.kind).toBe(false);
      }
      kinds += 1;
    }
    expect(kinds).toBeGreaterThan(5);
  }, 60_000);

  test('the same mail is the same bytes', async () => {
    const composer = createComposer({ config, publicUrl, timeZone: 'UTC', signer });
    const { mail, to } = Object.values(samples)[0]!;
    const first = await composer.compose(mail, to, 'row1', DATE);
    await new Promise(resolve => setTimeout(resolve, 1100));
    expect(Buffer.from((await composer.compose(mail, to, 'row1', DATE)).bytes).equals(first.bytes)).toBe(true);
  });

  test('the record is one line of a zone file with strings of at most 255 bytes', () => {
    const strings = [...signer.record.zoneLine.matchAll(/"([^"]*)"/g)].map(([, text]) => text!);
    expect(strings.join('')).toBe(signer.record.text);
    for (const text of strings) expect(text.length).toBeLessThanOrEqual(255);
    expect(signer.record.name).toMatch(/^signpost-[0-9a-f]{8}\._domainkey\.sign\.company\.com$/);
  });
});

describe('the key', () => {
  test('is made once, encrypted and for its owner only; its public half is for everybody', async () => {
    await makeDkimKey(folder, 'secret');
    const path = join(folder, 'keys', 'dkim.p8');
    expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'certs', 'dkim.pem')).mode & 0o777).toBe(0o644);
    await expect(makeDkimKey(folder, 'secret')).rejects.toThrow('nothing is ever overwritten');
    const opened = await openMailSigner(folder, DOMAIN, 'secret', log);
    expect(opened?.record).toEqual(await dkimRecordOf(folder, DOMAIN));
    await expect(openMailSigner(folder, DOMAIN, 'wrong', log)).rejects.toThrow("can't be decrypted");
  });

  test('an installation without one gets one at the start; a new key has a new selector', async () => {
    const before = await dkimRecordOf(folder, DOMAIN);
    for (const path of ['keys/dkim.p8', 'certs/dkim.pem']) renameSync(join(folder, path), join(folder, `${path}.old`));
    expect(await dkimRecordOf(folder, DOMAIN)).toBeNull();
    const opened = await openMailSigner(folder, DOMAIN, 'secret', log);
    expect(existsSync(join(folder, 'keys', 'dkim.p8'))).toBe(true);
    expect(opened?.record.selector).not.toBe(before?.selector);
    expect(opened?.record).toEqual(await dkimRecordOf(folder, DOMAIN));
  });

  test('where keys/ can’t be written to, mail goes out unsigned; the command in the log makes a key that signs', async () => {
    const bare = join(folder, 'bare');
    mkdirSync(bare);
    const said: string[] = [];
    const logger = pino({}, { write: line => said.push(line) });
    expect(await openMailSigner(bare, DOMAIN, 'secret', logger)).toBeNull();
    const { msg } = JSON.parse(said[0]!) as { msg: string };
    mkdirSync(join(bare, 'keys'));
    mkdirSync(join(bare, 'certs'));
    writeFileSync(join(bare, 'passphrase'), 'secret\n');
    const command = msg.slice(msg.indexOf('umask')).replace('PASSPHRASE-FILE', join(bare, 'passphrase'));
    execSync(command, { stdio: 'pipe' });
    const opened = await openMailSigner(bare, DOMAIN, 'secret', logger);
    expect(opened?.record).toEqual(await dkimRecordOf(bare, DOMAIN));
  });
});
