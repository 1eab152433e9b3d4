/**
 * New keys while the gateway runs in a process of its own, mail is in the queue and a phone is in the middle of a request.
 * OpenSSL, poppler and qpdf judge beside `signpost verify`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromPem, parseCertificate } from '../../../src/pki/x509.ts';
import { type Letter, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has, hasPostfix, run } from '../../support/tools.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const JOHN = addressOf('john.doe');
/** Many commands, each a process; the machine may be busy. Milliseconds. */
const PATIENCE = 300_000;
const execute = promisify(execFile);

interface Asked {
  readonly request: string;
  readonly link: string;
}

describe.skipIf(!hasPostfix || !has('openssl', 'poppler-utils', 'qpdf'))('rotation', () => {
  let folder: string;
  let site: Site;
  let gateway: GatewayProcess;
  let number = 0;
  const at = (name: string): string => join(folder, name);
  const own = (name: string): string => join(folder, 'gateway', name);
  const log = (): string => readFileSync(at('log'), 'utf8');
  const serialOf = (name: string): string =>
    parseCertificate(fromPem(readFileSync(own(`certs/${name}.pem`), 'utf8'))[0]!).serial;

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-rotation-');
    site = await makeSite({ folder });
    gateway = await startGatewayProcess(site, at('log'));
    const code = (await signpost('user', 'code', 'john.doe')).output.match(/^\d+/)![0];
    const enrolled = await device('enrol', site.config.publicUrl, JOHN, '--code', code);
    expect(enrolled, enrolled.output).toMatchObject({ status: 0 });
  }, PATIENCE);
  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function command(...args: string[]): Promise<{ status: number; output: string }> {
    return new Promise(resolve => {
      execFile(process.execPath, [BIN, ...args], (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, output: `${stdout}${stderr}` });
      });
    });
  }
  const signpost = (...args: string[]) => command(...args, '--config', site.configFile);
  const device = (...args: string[]) => command('device', ...args, '--store', at('device'));

  /** As an admin does; resolves once the gateway has said that it uses the new one. */
  async function exchange(act: 'rotate' | 'renew', name: string): Promise<void> {
    const key = name === 'timestamp' ? 'tsa' : name;
    const uses = (): number =>
      log()
        .split('\n')
        .filter(line => line.includes(`"key":"${key}"`) && line.includes('is in use')).length;
    const before = uses();
    const { status, output } = await signpost('keys', act, name);
    expect(status, output).toBe(0);
    await expect.poll(uses, { timeout: 60_000 }).toBeGreaterThan(before);
  }

  async function send(subject: string): Promise<void> {
    await site.send({
      from: addressOf('mary.smith'),
      to: [`john.doe@${SIGN_DOMAIN}`],
      subject,
      attachments: [{ filename: 'Contract.pdf', content: await simplePdf({ pages: 1, text: subject }) }],
    });
  }

  async function asked(subject: string): Promise<Asked> {
    const fits = ({ parsed }: Letter): boolean => parsed.subject?.includes(subject) ?? false;
    const letter = await waitForLetter(site.mailboxes, JOHN, 'please-sign', fits);
    return { link: linkIn(letter), request: letter.request! };
  }

  async function ask(): Promise<Asked> {
    number += 1;
    const subject = `Advanced: contract ${number}`;
    await send(subject);
    return asked(subject);
  }

  /** Signs it on the device; the path of what came back by mail. */
  async function signed({ link, request }: Asked): Promise<string> {
    const { status, output } = await device('sign', link, '--yes');
    expect(status, output).toBe(0);
    const letter = await waitForLetter(site.mailboxes, JOHN, 'finished', one => one.request === request);
    writeFileSync(at(`${request}.pdf`), letter.parsed.attachments[0]!.content);
    return at(`${request}.pdf`);
  }

  /** Everybody's verdict. */
  async function expectPassed(path: string): Promise<void> {
    const verified = await signpost('verify', path, '--json');
    expect(verified, verified.output).toMatchObject({ status: 0, output: expect.stringContaining('TOTAL-PASSED') });
    expect(verified.output).not.toMatch(/TOTAL-FAILED|INDETERMINATE/);
    const { output } = run('pdfsig', [path]);
    expect(output.match(/Signature is Valid/g) ?? [], output).toHaveLength(3);
    const checked = run('qpdf', ['--check', path]);
    expect(checked, checked.output).toMatchObject({ status: 0 });
  }

  /** Serials of those who signed, in order, the timestamp's last: each signature verified by openssl. */
  function signers(path: string): string[] {
    const pdf = readFileSync(path);
    const ranges = [...pdf.toString('latin1').matchAll(/\/ByteRange\s*\[\s*(\d+) (\d+) (\d+) (\d+)\s*\]/g)];
    return ranges.map(range => {
      const [start, length, next, rest] = range.slice(1).map(Number) as [number, number, number, number];
      const contents = pdf
        .subarray(start + length, next)
        .toString('latin1')
        .replace(/[<>]/g, '');
      writeFileSync(at('signature'), Buffer.from(contents, 'hex'));
      writeFileSync(
        at('signed'),
        Buffer.concat([pdf.subarray(start, start + length), pdf.subarray(next, next + rest)]),
      );
      const isStamp = rest === pdf.length - next;
      if (isStamp) {
        const stamp = ['-token_in', '-in', at('signature'), '-data', at('signed'), '-CAfile', own('certs/ca.pem')];
        const { output } = run('openssl', ['ts', '-verify', ...stamp]);
        expect(output).toContain('Verification: OK');
      }
      const content = isStamp ? [] : ['-content', at('signed')];
      const purpose = [
        '-purpose',
        'any',
        '-CAfile',
        own('certs/ca.pem'),
        '-signer',
        at('signer.pem'),
        '-out',
        at('out'),
      ];
      const { status, output } = run('openssl', [
        'cms',
        '-verify',
        '-binary',
        '-inform',
        'DER',
        '-in',
        at('signature'),
        ...content,
        ...purpose,
      ]);
      expect(status, output).toBe(0);
      return parseCertificate(fromPem(readFileSync(at('signer.pem'), 'utf8'))[0]!).serial;
    });
  }

  /** What the running gateway answers about a certificate, read by openssl. */
  async function ocsp(serial: string): Promise<string> {
    const about = ['-issuer', own('certs/ca.pem'), '-CAfile', own('certs/ca.pem'), '-serial', `0x${serial}`];
    const { stdout, stderr } = await execute('openssl', ['ocsp', ...about, '-url', `${site.config.publicUrl}/ocsp`]);
    expect(stdout + stderr).toContain('Response verify OK');
    return stdout;
  }

  async function crl(): Promise<void> {
    const answer = await fetch(`${site.config.publicUrl}/crl/company.crl`);
    writeFileSync(at('crl'), Buffer.from(await answer.arrayBuffer()));
  }

  let earlier: string;

  test(
    'C3 rotate seal, timestamp, link: a request that was open before is signed after, by the link in the mail; old and new documents hold',
    async () => {
      earlier = await signed(await ask());
      await expectPassed(earlier);
      const [before, waits] = [await ask(), await ask()];
      const old = { seal: serialOf('seal'), tsa: serialOf('tsa') };
      for (const name of ['seal', 'timestamp', 'link']) await exchange('rotate', name);
      const now = { seal: serialOf('seal'), tsa: serialOf('tsa') };
      expect(now.seal).not.toBe(old.seal);
      expect(now.tsa).not.toBe(old.tsa);

      // Certified by the old key, closed by the new one; the phone notices nothing.
      const across = await signed(before);
      await expectPassed(across);
      const [certified, , closed, stamped] = signers(across);
      expect([certified, closed, stamped]).toEqual([old.seal, now.seal, now.tsa]);

      // What the phone lists leads by the same link as the mail.
      const listed = JSON.parse((await device('list', '--json')).output) as { request: string; link: string }[];
      expect(listed).toEqual([expect.objectContaining({ request: waits.request, link: waits.link })]);
      await expectPassed(await signed(waits));

      const later = await signed(await ask());
      await expectPassed(later);
      const [, , , last] = signers(later);
      expect([signers(later)[0], signers(later)[2], last]).toEqual([now.seal, now.seal, now.tsa]);
      expect(signers(earlier)[0]).toBe(old.seal);
      await expectPassed(earlier);
      for (const serial of [old.seal, old.tsa, now.seal, now.tsa]) expect(await ocsp(serial)).toContain(': good');
      await crl();
      const checked = ['-x509_strict', '-crl_check', '-CAfile', own('certs/ca.pem'), '-CRLfile', at('crl')];
      for (const name of [`retired/seal-${old.seal}`, `retired/tsa-${old.tsa}`, 'seal', 'tsa']) {
        const verified = run('openssl', ['verify', ...checked, own(`certs/${name}.pem`)]);
        expect(verified, verified.output).toMatchObject({ status: 0 });
      }
    },
    PATIENCE,
  );

  test(
    'C3 rotate seal and timestamp again and renew both, with a request open throughout',
    async () => {
      const open = await ask();
      for (const name of ['seal', 'timestamp'])
        for (const act of ['renew', 'rotate'] as const) await exchange(act, name);
      await expectPassed(await signed(open));
      await expectPassed(await signed(await ask()));
    },
    PATIENCE,
  );

  test(
    'C3 rotate seal, then revoke the old certificate: OCSP and CRL say so; what was timestamped before stays TOTAL-PASSED',
    async () => {
      const open = await ask();
      const stolen = serialOf('seal');
      const revoke = (serial: string, reason: string) => signpost('certs', 'revoke', serial, '--reason', reason);
      expect(await revoke(stolen, 'keyCompromise')).toMatchObject({
        status: 1,
        output: expect.stringContaining('signpost keys rotate seal'),
      });
      await exchange('rotate', 'seal');
      expect(await revoke(stolen, 'certificateHold')).toMatchObject({ status: 1 });
      expect(await revoke(serialOf('ca'), 'keyCompromise')).toMatchObject({ status: 1 });
      const revoked = await revoke(stolen, 'keyCompromise');
      expect(revoked, revoked.output).toMatchObject({ status: 0 });
      expect(await ocsp(stolen)).toMatch(/: revoked[\s\S]*keyCompromise/);
      expect(await ocsp(serialOf('seal'))).toContain(': good');
      await crl();
      const listed = run('openssl', ['crl', '-inform', 'DER', '-in', at('crl'), '-noout', '-text']);
      expect(listed.output).toContain(stolen.toUpperCase());
      // Certified with it before, closed after.
      const across = await signed(open);
      expect(signers(across)[0]).toBe(stolen);
      await expectPassed(across);
      await expectPassed(earlier);
    },
    PATIENCE,
  );

  test(
    'C3 rotate verdict: mail that was in the queue is believed as long as the old key is, and new mail by the new one',
    async () => {
      const { configFolder } = site.postfix!;
      const hold = async (transports: string): Promise<void> => {
        await execute('postconf', ['-c', configFolder, '-e', `defer_transports = ${transports}`]);
        await execute('postfix', ['-c', configFolder, 'reload']);
      };
      await hold('lmtp');
      await send('Advanced: in the queue');
      await expect.poll(async () => (await site.postfix!.queue()).length, { timeout: 60_000 }).toBeGreaterThan(0);
      await exchange('rotate', 'verdict');
      // As when its time is over. The next rotation has been noticed: so has this.
      const [old] = readdirSync(own('keys/retired')).filter(name => name.startsWith('verdict'));
      renameSync(own(`keys/retired/${old}`), at('old.key'));
      await exchange('rotate', 'verdict');
      await send('Advanced: after it');
      await expect.poll(async () => (await site.postfix!.queue()).length, { timeout: 60_000 }).toBeGreaterThan(1);
      await hold('');
      await site.postfix!.flush();
      const refused = () => log().includes('made with an unknown key');
      await expect.poll(refused, { timeout: 60_000 }).toBe(true);
      await expectPassed(await signed(await asked('Advanced: after it')));
      // Nothing is lost: Postfix tries again, and now it is believed.
      renameSync(at('old.key'), own(`keys/retired/${old}`));
      await expectPassed(await signed(await asked('Advanced: in the queue')));
    },
    PATIENCE,
  );

  test(
    'C3 rotate: what isn’t whole is not used; the gateway goes on with what it has, and takes it when it is',
    async () => {
      const [path, whole] = [own('certs/seal.pem'), readFileSync(own('certs/seal.pem'), 'utf8')];
      const used = serialOf('seal');
      const complaints = (): number => log().split("the keys can't be loaded again").length;
      const before = complaints();
      writeFileSync(path, whole.slice(0, 300));
      process.kill(gateway.pid, 'SIGHUP');
      await expect.poll(complaints, { timeout: 60_000 }).toBeGreaterThan(before);
      expect(signers(await signed(await ask()))[2]).toBe(used);
      writeFileSync(path, whole);
      await exchange('rotate', 'seal');
      expect(signers(await signed(await ask()))[2]).toBe(serialOf('seal'));
      expect(serialOf('seal')).not.toBe(used);
    },
    PATIENCE,
  );

  test(
    'C3 C5 all of it stands in the evidence log, which holds; the gateway was never restarted',
    async () => {
      const verified = await signpost('evidence', 'verify');
      expect(verified, verified.output).toMatchObject({ output: expect.stringContaining('The evidence log is whole') });
      const { DatabaseSync } = await import('node:sqlite');
      const database = new DatabaseSync(own('state/signpost.db'), { readOnly: true });
      const rows = database
        .prepare(
          "SELECT body FROM evidence WHERE json_extract(body, '$.kind') IN ('admin.act', 'key.changed', 'key.used') ORDER BY sequence",
        )
        .all();
      database.close();
      const entries = rows.map(
        ({ body }) => JSON.parse(String(body)) as { kind: string; facts: Record<string, string> },
      );
      const of = (kind: string, key: string) =>
        entries.filter(one => one.kind === kind && one.facts.key === key).length;
      for (const [key, times] of [
        ['seal', 5],
        ['tsa', 3],
        ['link', 1],
        ['verdict', 2],
      ] as const) {
        expect(of('admin.act', key), key).toBe(times);
        expect(of('key.changed', key), key).toBe(times);
        expect(of('key.used', key), key).toBe(times);
      }
      expect(() => process.kill(gateway.pid, 0)).not.toThrow();
      expect(log().split('gateway is up')).toHaveLength(2);
    },
    PATIENCE,
  );
});
