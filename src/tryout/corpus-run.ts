/** Signs every PDF of a folder as the gateway would: inspection, first revision, one signatory, closing. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DocumentRefused } from '../documents/documents.ts';
import type { Box, DocumentLayout } from '../documents/layout.ts';
import type { Workbench } from './workbench.ts';

export type CorpusLevel = 'advanced' | 'seal';

export interface CorpusResult {
  readonly name: string;
  readonly outcome: 'signed' | 'refused' | 'failed';
  /** The reason of a refusal, or what went wrong. */
  readonly why: string;
  readonly pages: number | null;
  /** Where we drew on the document's own pages. */
  readonly marks: readonly Box[];
}

/** PDFs of the folder, by name. @throws Error when it can't be read */
export function corpusFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => /\.pdf$/i.test(name))
    .sort();
}

/** Results go to `out` under the same names. Never stops on one file. */
export async function runCorpus(
  bench: Workbench,
  { folder, out, level }: { readonly folder: string; readonly out: string; readonly level: CorpusLevel },
  onResult: (result: CorpusResult, done: number) => void,
): Promise<CorpusResult[]> {
  mkdirSync(out, { recursive: true });
  const results: CorpusResult[] = [];
  for (const name of corpusFiles(folder)) {
    const result = await one(bench, name, join(folder, name), join(out, name), level);
    results.push(result);
    onResult(result, results.length);
  }
  return results;
}

async function one(
  bench: Workbench,
  name: string,
  path: string,
  target: string,
  level: CorpusLevel,
): Promise<CorpusResult> {
  let pages: number | null = null;
  try {
    const pdf = readFileSync(path);
    pages = (await bench.core.documents.inspect(pdf)).pages;
    const { bytes, layout } = await signed(bench, pdf, level);
    writeFileSync(target, bytes);
    return { name, outcome: 'signed', why: '', pages, marks: marksOn(layout, pages) };
  } catch (error) {
    if (error instanceof DocumentRefused)
      return { name, outcome: 'refused', why: `${error.reason}: ${error.message}`, pages, marks: [] };
    return { name, outcome: 'failed', why: error instanceof Error ? error.message : String(error), pages, marks: [] };
  }
}

/** @throws DocumentRefused */
async function signed(
  bench: Workbench,
  pdf: Uint8Array,
  level: CorpusLevel,
): Promise<{ bytes: Uint8Array; layout: DocumentLayout }> {
  const { documents, pki } = bench.core;
  const { bytes, layout } = await documents.prepare(pdf, bench.plan(level));
  if (level === 'seal') return { bytes: await documents.close(bytes, layout, new Date()), layout };
  const prepared = await documents.prepareSignature(bytes, layout, bench.mark());
  const head = await documents.completeSignature(prepared, {
    certificate: bench.device.certificate,
    issuers: pki.ca.issuersOf(bench.device.certificate),
    algorithm: 'ecdsa-p256-sha256',
    signature: bench.device.sign(prepared.signedAttributes),
  });
  return { bytes: await documents.close(head, layout, new Date()), layout };
}

/** @param pages how many the document had */
function marksOn({ seal, signatories, closing }: DocumentLayout, pages: number): Box[] {
  return [seal, ...signatories, closing].flatMap(field => (field?.box && field.box.page < pages ? [field.box] : []));
}
