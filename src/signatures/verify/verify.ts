/**
 * Verifies a signed file of any kind and answers in the words of ETSI EN 319 102-1. Runs in the document child: whatever
 * the file asks for, it gets only that child's memory and time.
 */

import { verifyPdf } from './pdf.ts';
import { isReportFile, verifyReport } from './report.ts';
import { type FileReport, fault, type VerifyInput } from './result.ts';
import { concludeFile } from './sentences.ts';
import { isSignedData, tokenIn, verifyCms, verifyXml } from './single.ts';

export async function verifyFile(input: VerifyInput): Promise<FileReport> {
  const { file, content } = input;
  if (isReportFile(file)) return verifyReport(input);
  const sealed = content !== null && isReportFile(content) && isSignedData(file);
  if (sealed) return verifyReport({ ...input, file: content, seal: file, content: null });
  if (isSignedData(file)) return verifyCms(input);
  const token = tokenIn(file);
  if (token !== null && isSignedData(token)) return verifyCms({ ...input, file: token });
  if (isXml(file)) return verifyXml(input);
  if (isPdf(file)) return verifyPdf(input);
  return concludeFile('unknown', [], [fault('GENERIC', 'it is of no kind that can be checked here')]);
}

const head = (file: Uint8Array): string => Buffer.from(file.subarray(0, 1024)).toString('latin1');

/** Readers find a header within the first 1024 octets; a file with something before it is refused as a PDF. */
const isPdf = (file: Uint8Array): boolean => head(file).includes('%PDF-');

/** After a byte order mark and white space. */
const isXml = (file: Uint8Array): boolean => /^(\u00ef\u00bb\u00bf)?\s*</.test(head(file));
