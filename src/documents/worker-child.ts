/** The child process in which hostile PDFs are parsed, one job at a time. Started by DocumentWorker only. */
import { DocumentRefused } from './documents.ts';
import { firstRevision } from './first-revision.ts';
import { inspect } from './inspect.ts';
import type { FromChild, Job, Outcome } from './worker-protocol.ts';

/** CPU seconds after which a child is replaced; the parent's limit kills it some time later. */
const cpuSeconds = Number(process.argv[2]);

async function perform(job: Job): Promise<Outcome> {
  try {
    if (job.kind === 'inspect') return { kind: 'inspect', result: await inspect(job.pdf, job.limits) };
    return { kind: 'firstRevision', result: await firstRevision(job.pdf, job.plan, job.limits) };
  } catch (error) {
    if (error instanceof DocumentRefused) return { kind: 'refused', reason: error.reason, detail: error.message };
    // Out of stack or of array memory, by what the document asked for.
    if (error instanceof RangeError)
      return { kind: 'refused', reason: 'too-complex', detail: 'the document is too complex' };
    return { kind: 'failed', detail: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function send(message: FromChild): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit());
process.on('message', async (job: Job) => {
  const outcome = await perform(job);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const worn = maxRSS * 1024 > job.limits.memory / 2 || userCPUTime + systemCPUTime > cpuSeconds * 1e6;
  send({ kind: 'done', outcome, worn });
});
send({ kind: 'ready' });
