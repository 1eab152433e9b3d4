/** The same hostile files through `signpost verify`, as they are and with a signature in them: always an answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { peakMemoryOf } from '../../support/gateway-process.ts';
import { has } from '../../support/tools.ts';
import { INPUTS } from './inputs.ts';
import { withSignature } from './pieces.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const LONG = process.env.SIGNPOST_LONG === '1';
/** Bytes that the command may hold beside its document child. */
const MEMORY = 400_000_000;

interface Answer {
  readonly file: string;
  readonly indication: string;
  readonly reason: string;
  readonly signatures: readonly unknown[];
}

const folder = mkdtempSync('/tmp/signpost-verify-hostile-');
const inputs = INPUTS.filter(({ long, name }) => (LONG || !long) && (has('qpdf') || !name.startsWith('encrypted')));
const answers = new Map<string, Answer>();
let status: number | null = null;
let peak = 0;

const fileOf = (name: string, kind: 'plain' | 'signed') =>
  join(folder, `${name.replace(/[^A-Za-z0-9]+/g, '-')}.${kind}.pdf`);

function signpost(...args: string[]): {
  child: ChildProcess;
  ended: Promise<{ status: number | null; output: string }>;
} {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<{ status: number | null; output: string }>(resolve => {
    child.once('close', code => resolve({ status: code, output: Buffer.concat(chunks).toString() }));
  });
  return { child, ended };
}

beforeAll(async () => {
  const files: string[] = [];
  for (const { name, make } of inputs) {
    const pdf = make();
    for (const kind of ['plain', 'signed'] as const) {
      const file = fileOf(name, kind);
      writeFileSync(file, kind === 'plain' ? pdf : withSignature(pdf));
      files.push(file);
    }
  }
  const { child, ended } = signpost('verify', '--json', ...files);
  const watch = setInterval(() => {
    try {
      const [node] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').split(' ');
      peak = Math.max(peak, peakMemoryOf(Number(node)));
    } catch {
      // Not started yet, or ended.
    }
  }, 50);
  const { status: code, output } = await ended;
  clearInterval(watch);
  status = code;
  for (const answer of JSON.parse(output) as Answer[]) answers.set(answer.file, answer);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(inputs)('B6 signpost verify has a sentence for: $name', ({ name }) => {
  for (const kind of ['plain', 'signed'] as const) {
    const { indication, reason } = answers.get(fileOf(name, kind))!;
    expect(['INDETERMINATE', 'TOTAL-FAILED']).toContain(indication);
    expect(reason).toMatch(/^[A-Z].{10,400}\.$/);
  }
});

test('B6 signpost verify met all of them in little memory, and said by its status that something failed', () => {
  expect(status).toBe(2);
  expect(peak).toBeGreaterThan(50_000_000);
  expect(peak).toBeLessThan(MEMORY);
  // The signature was really found and judged where the file could be read.
  const judged = inputs.filter(({ name }) => answers.get(fileOf(name, 'signed'))!.signatures.length > 0);
  expect(judged.length).toBeGreaterThan(inputs.length / 2);
});

test('B6 signpost verify says in words what it could not check, one file at a time', async () => {
  for (const [name, said] of [
    ['0 bytes', /no kind that can be checked here/],
    ['10 GB bomb: object stream', /no signature that can be checked/],
  ] as const) {
    const { status: code, output } = await signpost('verify', fileOf(name, 'plain')).ended;
    expect(output).toMatch(said);
    expect(code).toBe(1);
  }
});
