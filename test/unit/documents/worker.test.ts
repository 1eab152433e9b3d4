import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import {
  attachmentPdf,
  bombPdf,
  endlessPdfs,
  formPdf,
  objectStreamPdf,
  simplePdf,
  xrefBombPdf,
} from '../../support/pdfs.ts';
import { run } from '../../support/tools.ts';

const linux = process.platform === 'linux';
const workers: DocumentWorker[] = [];
const start = (options: Parameters<typeof documentWorker>[0] = {}) => {
  const worker = documentWorker({ memory: 160 * 1024 * 1024, ...options });
  workers.push(worker);
  return worker;
};
afterEach(async () => {
  await Promise.all(workers.splice(0).map(worker => worker.close()));
});

/** Process ids of this process's document children. */
function children(): number[] {
  const { output } = run('/usr/bin/pgrep', ['-P', String(process.pid), '-f', 'worker-child.ts']);
  return output.split('\n').filter(Boolean).map(Number);
}

test.skipIf(!linux)('A7 bombs are refused, our own memory stays flat and the next document is served', async () => {
  const worker = start();
  const bomb = bombPdf();
  const table = xrefBombPdf('/XR#65f');
  expect(bomb.length).toBeLessThan(20_000);
  const before = process.memoryUsage().rss;
  for (const pdf of [bomb, table]) {
    await expect(worker.inspect(pdf)).rejects.toMatchObject({ reason: 'too-complex' });
    await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});

test('structures without an end come to one, and the child lives on', async () => {
  const worker = start();
  for (const [name, make] of Object.entries(endlessPdfs)) {
    const outcome = await worker.firstRevision(make(), layoutPlan()).then(
      () => 'accepted',
      (error: { reason?: string }) => error.reason,
    );
    expect(['accepted', 'damaged', 'too-complex'], name).toContain(outcome);
  }
  await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
});

test('damaged files are read or refused, whatever is damaged, and the child lives on', async () => {
  const worker = start({ memory: 512 * 1024 * 1024 });
  const samples = [formPdf(), attachmentPdf(), objectStreamPdf([[7, '(text)']], '/A 7 0 R'), simplePdf({ pages: 3 })];
  const pieces = [
    '/Kids',
    '/Parent',
    'null',
    '[',
    '<<',
    '>>',
    '999999999',
    '-1 0 R',
    '1 0 R',
    'stream',
    '(',
    '<F',
    '/BBox',
  ];
  // A fixed sequence (a linear congruential generator): a failure can be repeated.
  let state = 20261124;
  const random = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
  const outcomes = new Set<string | undefined>();
  for (let round = 0; round < 300; round++) {
    const pdf = Buffer.from(samples[random(samples.length)]!);
    for (let change = random(4); change >= 0; change--) {
      const at = random(pdf.length);
      if (random(2) === 0) pdf[at] = random(256);
      else pdf.write(pieces[random(pieces.length)]!, at, 'latin1');
    }
    const outcome = worker.firstRevision(pdf, layoutPlan()).then(() => 'accepted');
    outcomes.add(await outcome.catch((error: { name: string }) => error.name));
  }
  expect([...outcomes].sort()).toEqual(['DocumentRefused', 'accepted']);
  await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
});

test('a job over its time is ended, the next one is served', async () => {
  const worker = start({ timeout: 300 });
  await expect(worker.inspect(xrefBombPdf('/XR#65f'))).rejects.toMatchObject({ reason: 'too-slow' });
  await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
});

test.skipIf(!linux)('a child that somebody else kills refuses no document: it is a fault of ours', async () => {
  const worker = start();
  await worker.inspect(simplePdf());
  const running = worker.inspect(xrefBombPdf('/XR#65f'));
  for (const pid of children()) process.kill(pid, 'SIGKILL');
  await expect(running).rejects.toMatchObject({ name: 'DocumentWorkerUnavailable' });
  await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
});

test('jobs wait for a free child, up to a limit', async () => {
  const worker = start({ maxWaiting: 3 });
  await worker.inspect(simplePdf());
  const jobs = Array.from({ length: 6 }, () => worker.inspect(simplePdf()));
  const settled = await Promise.allSettled(jobs);
  // One running, three waiting.
  expect(settled.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 4 }, () => 'fulfilled'),
    ...Array.from({ length: 2 }, () => 'rejected'),
  ]);
  await expect(jobs[5]).rejects.toMatchObject({ name: 'DocumentWorkerUnavailable' });
});

test('closing ends the children and what is under way', async () => {
  const worker = start({ children: 2 });
  await worker.inspect(simplePdf());
  const jobs = [1, 2, 3].map(() => worker.inspect(xrefBombPdf('/XR#65f')));
  const settled = Promise.allSettled(jobs);
  await worker.close();
  for (const outcome of await settled)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'DocumentWorkerUnavailable' } });
  await expect(worker.inspect(simplePdf())).rejects.toMatchObject({ name: 'DocumentWorkerUnavailable' });
  if (linux) expect(children()).toEqual([]);
});

test.skipIf(!linux)('a child knows nothing of us: no environment, another folder', async () => {
  process.env.SIGNPOST_TEST_SECRET = 'secret';
  const worker = start();
  await worker.inspect(simplePdf());
  const [pid] = children();
  const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').filter(Boolean);
  expect(variables.map(variable => variable.split('=')[0]).filter(name => !name!.startsWith('NODE_CHANNEL_'))).toEqual([
    'PWD',
  ]);
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
});
