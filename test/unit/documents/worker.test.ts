import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import { documentWorker, layoutPlan } from '../../support/documents.ts';
import { bombPdf, endlessPdfs, simplePdf, xrefBombPdf } from '../../support/pdfs.ts';
import { run } from '../../support/tools.ts';

const linux = process.platform === 'linux';
const workers: DocumentWorker[] = [];
const start = (options: Parameters<typeof documentWorker>[0] = {}) => {
  const worker = documentWorker({ memory: 256 * 1024 * 1024, ...options });
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
  const table = xrefBombPdf();
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

test('a job over its time is ended, the next one is served', async () => {
  const worker = start({ timeout: 300 });
  await expect(worker.inspect(xrefBombPdf())).rejects.toMatchObject({ reason: 'too-slow' });
  await expect(worker.inspect(simplePdf())).resolves.toMatchObject({ pages: 1 });
});

test.skipIf(!linux)('a child that somebody else kills refuses no document: it is a fault of ours', async () => {
  const worker = start();
  await worker.inspect(simplePdf());
  const running = worker.inspect(xrefBombPdf());
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
  const jobs = [1, 2, 3].map(() => worker.inspect(xrefBombPdf()));
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
