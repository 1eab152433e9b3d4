/** Verification in a document child, with an answer for files that ask for too much. */
import { DocumentRefused } from '../../documents/documents.ts';
import type { DocumentWorker } from '../../documents/worker.ts';
import { type FileReport, fault, type VerifyInput } from './result.ts';
import { concludeFile } from './sentences.ts';

/** @throws DocumentWorkerUnavailable */
export async function verifyInChild(worker: Pick<DocumentWorker, 'verify'>, input: VerifyInput): Promise<FileReport> {
  try {
    return await worker.verify(input);
  } catch (error) {
    if (!(error instanceof DocumentRefused)) throw error;
    const reason = error.reason === 'too-slow' ? 'checking it takes too long' : 'it is too complex to be checked';
    return concludeFile('unknown', [], [fault('GENERIC', reason)]);
  }
}
