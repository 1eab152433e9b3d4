/** The child process in which hostile PDFs are parsed, one job at a time. Started by DocumentWorker only. */
import { SignatureInvalid } from '../signatures/invalid.ts';
import type { VerifyInput } from '../signatures/verify/result.ts';
import { XmlRefused } from '../signatures/xml/gate.ts';
import { inspect, layDown } from './arriving.ts';
import { type DocumentRefusalReason, DocumentRefused } from './documents.ts';
import type { SignatureEvidence } from './increment-dss.ts';
import type { Limits } from './inspect.ts';
import { peakMemory } from './worker-memory.ts';
import type { FromChild, Job, Outcome } from './worker-protocol.ts';

/** CPU seconds after which a child is replaced; the parent's limit kills it some time later. */
const cpuSeconds = Number(process.argv[2]);

async function perform(job: Job): Promise<Outcome> {
  try {
    if (job.kind === 'inspect') return { kind: 'inspect', result: await inspect(job.pdf, job.limits) };
    if (job.kind === 'verify') return await performVerification(job.input);
    if (job.kind === 'parts') return await performParts(job.pdf);
    if (job.kind === 'extendable') return await performExtendable(job.pdf, job.limits);
    if (job.kind === 'extension') return await performExtension(job.pdf, job.evidence, job.limits);
    if ('xml' in job) return await performXml(job.kind, job.xml);
    return { kind: 'firstRevision', result: await layDown(job.pdf, job.plan, job.limits) };
  } catch (error) {
    if (error instanceof DocumentRefused) return refused(error.reason, error.message);
    // Out of stack or of array memory, by what the document asked for.
    if (error instanceof RangeError) return refused('too-complex', 'the document is too complex');
    // Node's own errors (ENOENT and the like) have a code and are not the document's doing.
    const stack = error instanceof Error && !('code' in error) ? error.stack : undefined;
    if (stack === undefined) return { kind: 'failed', detail: String(error) };
    // The same document would fail again. Only frames are told: a message may quote the document.
    const frames = stack
      .split('\n')
      .filter(line => line.startsWith('    at '))
      .slice(0, 5);
    return refused('damaged', 'the document is damaged', frames.map(line => line.trim()).join(' < '));
  }
}

async function performVerification(input: VerifyInput): Promise<Outcome> {
  const { verifyFile } = await import('../signatures/verify/verify.ts');
  return { kind: 'verify', result: await verifyFile(input) };
}

async function performExtendable(pdf: Uint8Array, limits: Limits): Promise<Outcome> {
  const { readExtendable } = await import('./extension.ts');
  return { kind: 'extendable', result: readExtendable(pdf, limits) };
}

async function performExtension(
  pdf: Uint8Array,
  evidence: readonly SignatureEvidence[],
  limits: Limits,
): Promise<Outcome> {
  const { appendExtension } = await import('./extension.ts');
  return { kind: 'extension', result: appendExtension(pdf, evidence, limits) };
}

async function performParts(pdf: Uint8Array): Promise<Outcome> {
  const { readPdfParts } = await import('../evidence/pdf-parts.ts');
  return { kind: 'parts', result: readPdfParts(pdf) };
}

/** libxml2 is loaded with the first XML file only. */
async function performXml(kind: 'xmlToSign' | 'xades', xml: Uint8Array): Promise<Outcome> {
  const { readXades, readXmlToSign } = await import('../signatures/xml/read.ts');
  try {
    return kind === 'xades' ? { kind, result: readXades(xml) } : { kind, result: readXmlToSign(xml) };
  } catch (error) {
    if (error instanceof XmlRefused) return { kind: 'xmlRefused', reason: error.reason, detail: error.message };
    if (!(error instanceof SignatureInvalid)) throw error;
    return { kind: 'signatureInvalid', subIndication: error.subIndication, detail: error.message };
  }
}

function refused(reason: DocumentRefusalReason, detail: string, unexpected: string | null = null): Outcome {
  return { kind: 'refused', reason, detail, unexpected };
}

function send(message: FromChild): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit());
process.on('message', async (job: Job) => {
  const outcome = await perform(job);
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const worn = peakMemory() > job.limits.memory / 2 || userCPUTime + systemCPUTime > cpuSeconds * 1e6;
  send({ kind: 'done', outcome, worn });
});
send({ kind: 'ready' });
