/** `signpost device` as its own process against the real gateway. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Grant } from '../../../src/client/protocol.ts';
import { parseReport } from '../../../src/signatures/report.ts';
import { type Gateway, JOHN, MARY, startGateway } from '../http/gateway.ts';

let gateway: Gateway;
let folder: string;
let runner: string;
let attack: ((grant: Grant) => Grant) | null = null;

beforeAll(async () => {
  gateway = await startGateway({ tamper: grant => attack?.(grant) ?? grant });
  folder = mkdtempSync(join(tmpdir(), 'signpost-device-'));
  runner = join(folder, 'run.ts');
  const command = new URL('../../../src/commands/device.ts', import.meta.url).pathname;
  writeFileSync(
    runner,
    `import { deviceCommand } from '${command}';
     await deviceCommand().parseAsync().catch(error => { console.error(error.message); process.exitCode = 1; });`,
  );
});
afterAll(async () => {
  await gateway?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function device(name: string, ...args: string[]): Promise<Outcome> {
  const [command, ...rest] = args;
  const all = [runner, command!, '--store', join(folder, name), ...rest];
  return new Promise(resolve => {
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data;
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data;
    });
    child.on('close', status => resolve({ status, out, err }));
  });
}

async function enrol(name: string, who: typeof JOHN): Promise<Outcome> {
  const { code } = await gateway.devices.createAdminCode(who.id);
  return device(name, 'enrol', gateway.url, who.mail, '--code', code, '--name', 'Terminal');
}

test('enrol, list, show, sign: the saved document is the one that was signed', async () => {
  const enrolled = await enrol('john', JOHN);
  expect(enrolled).toMatchObject({ status: 0, out: expect.stringContaining('device of John Doe') });
  expect(statSync(join(folder, 'john', 'device.json')).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'john')).mode & 0o777).toBe(0o700);

  expect((await device('john', 'list')).out).toContain('Nothing waits');
  const request = await gateway.submit([JOHN]);
  const [waiting] = JSON.parse((await device('john', 'list', '--json')).out);
  expect(waiting).toMatchObject({ request: request.id, link: `${gateway.url}/s/${gateway.tokenOf(request, JOHN)}` });

  const shown = await device('john', 'show', waiting.link, '--save', join(folder, 'saved'));
  expect(shown.out).toContain('From      Paul Archer <paul.archer@company.com>');
  const saved = readFileSync(join(folder, 'saved', '1 Contract 1.pdf'));
  expect(createHash('sha256').update(saved).digest('hex')).toBe(request.documents[0]!.head);

  const unasked = await device('john', 'sign', waiting.link);
  expect(unasked).toMatchObject({ status: 1, err: expect.stringContaining('--yes') });
  const signed = await device('john', 'sign', waiting.link, '--yes', '--save', join(folder, 'signed'));
  expect(signed).toMatchObject({ status: 0, out: expect.stringContaining(`Signed: ${request.id}`) });
  // What it says it signed is what it received, not what the gateway tells about it.
  expect(readFileSync(join(folder, 'signed', '1 Contract 1.pdf'))).toEqual(saved);
  expect(signed.out).toContain(`SHA-256 ${createHash('sha256').update(saved).digest('hex')}`);
  const finished = await gateway.until(request.id, ({ state }) => state === 'finished');
  const head = await gateway.requests.readHead(finished, 0);
  expect(Buffer.from(head.subarray(0, saved.length))).toEqual(saved);
});

test('reject with a reason', async () => {
  await enrol('mary', MARY);
  const request = await gateway.submit([MARY]);
  const { out } = await device('mary', 'reject', gateway.tokenOf(request, MARY), '--reason', 'Too dear', '--json');
  expect(JSON.parse(out)).toMatchObject({ session: 'rejected', comment: 'Too dear' });
});

test('watch --sign signs what waits', async () => {
  await enrol('watching', JOHN);
  const request = await gateway.submit([JOHN], { documents: 2 });
  const watched = await device('watching', 'watch', '--sign', '--once');
  expect(watched).toMatchObject({ status: 0, out: expect.stringContaining(`Signed: ${request.id}`) });
});

test('Standard: typed, drawn from a file, by watch; what is no drawing is said in words', async () => {
  await enrol('drawing', JOHN);
  const typed = await gateway.submit([JOHN], { level: 'standard' });
  const more = ['--yes', '--type', 'J. Doe', '--place', 'Luxembourg'];
  const signed = await device('drawing', 'sign', gateway.tokenOf(typed, JOHN), ...more);
  expect(signed, signed.err).toMatchObject({ status: 0, out: expect.stringContaining(`Signed: ${typed.id}`) });
  const { sessions } = await gateway.until(typed.id, ({ state }) => state === 'finished');
  const { report, call } = (await gateway.requests.readEvidence(sessions[0]!))!;
  const data = Buffer.from(parseReport(Buffer.from(report).toString()).data).toString();
  expect(data).toContain('Place: Luxembourg');
  expect(Buffer.from(call).toString()).toContain('{"kind":"typed","text":"J. Doe"}');

  const drawn = await gateway.submit([JOHN], { level: 'standard' });
  const file = join(folder, 'drawing.json');
  writeFileSync(file, JSON.stringify({ width: 200, height: 100, strokes: [[[10, 10, 2]]], extra: 1 }));
  const bad = await device('drawing', 'sign', gateway.tokenOf(drawn, JOHN), '--yes', '--draw', file);
  expect(bad).toMatchObject({ status: 1, err: expect.stringContaining("can't be used") });
  writeFileSync(
    file,
    JSON.stringify({
      width: 200,
      height: 100,
      strokes: [
        [
          [10, 10, 2],
          [90, 60, 3],
        ],
      ],
    }),
  );
  const good = await device('drawing', 'sign', gateway.tokenOf(drawn, JOHN), '--yes', '--draw', file);
  expect(good, good.err).toMatchObject({ status: 0 });

  const waiting = await gateway.submit([JOHN], { level: 'standard' });
  const watched = await device('drawing', 'watch', '--sign', '--once');
  expect(watched, watched.err).toMatchObject({ status: 0, out: expect.stringContaining(`Signed: ${waiting.id}`) });
});

test('A4: refuses to sign what isn’t what it showed, and says so', async () => {
  await enrol('careful', JOHN);
  const request = await gateway.submit([JOHN]);
  attack = grant => ({
    ...grant,
    documents: grant.documents.map(one => ({ ...one, signedAttributes: one.signedAttributes.with(-1, 0) })),
  });
  const refused = await device('careful', 'sign', gateway.tokenOf(request, JOHN), '--yes');
  attack = null;
  expect(refused).toMatchObject({ status: 1, err: expect.stringContaining('NOT SIGNED') });
  expect((await gateway.requests.find(request.id))?.state).toBe('open');
});

test('another person’s device, no device, a wrong code and a wrong link: refused in words', async () => {
  const request = await gateway.submit([MARY]);
  await enrol('other', JOHN);
  const link = `${gateway.url}/s/${gateway.tokenOf(request, MARY)}`;
  expect(await device('other', 'show', link)).toMatchObject({
    status: 1,
    err: expect.stringContaining('nothing here for this device'),
  });
  expect((await device('nobody', 'list')).err).toContain('signpost device enrol');
  const wrong = await device('nobody', 'enrol', gateway.url, JOHN.mail, '--code', '000000');
  expect(wrong).toMatchObject({ status: 1, err: expect.stringContaining('wrong, expired, used') });
  expect((await device('other', 'show', 'https://x')).err).toContain('whole link');
  const plainHttp = await device('nobody', 'enrol', 'http://sign.company.com', JOHN.mail, '--code', '000000');
  expect(plainHttp).toMatchObject({ status: 1, err: expect.stringContaining('https://sign.company.com') });
});
