/**
 * Verifies a signed file of any kind and answers in the words of ETSI EN 319 102-1. Runs in the document child: whatever
 * the file asks for, it gets only that child's memory and time.
 */

import { verifyPdf } from './pdf.ts';
import { type FileReport, fault, type VerifyInput } from './result.ts';
import { concludeFile } from './sentences.ts';

export function verifyFile(input: VerifyInput): FileReport {
  const { file } = input;
  if (isPdf(file)) return verifyPdf(input);
  return concludeFile('unknown', [], [fault('GENERIC', 'it is of no kind that can be checked here')]);
}

/** Readers find a header within the first 1024 octets; a file with something before it is refused as a PDF. */
function isPdf(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 1024)).includes('%PDF-');
}
