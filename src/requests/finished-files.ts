/** Which files a finished request has: one for each document, two where its signatures stand beside it. */
import type { FileForm } from '../signatures/file-signatures.ts';
import type { BlobId, Request, RequestDocument } from './model.ts';

export interface FinishedFile {
  /** The document's name; what the file itself is called, src/outbound/filenames.ts says. */
  readonly name: string;
  /** Absent for a PDF; content: the document itself, beside its signatures. */
  readonly form?: FileForm | 'content';
  /** Of a PDF; else 0. */
  readonly pages: number;
  readonly blob: BlobId;
  /** Bytes. */
  readonly length: number;
}

/** In the order of the documents. @throws RangeError unless the request is finished */
export function finishedFiles({ documents }: Pick<Request, 'documents'>): FinishedFile[] {
  return documents.flatMap(filesOf);
}

function filesOf(document: RequestDocument): FinishedFile[] {
  const { name, pages, original, headLength, finished, finishedLength, finishedForm: form } = document;
  if (finished === null || finishedLength === undefined) throw new RangeError('the request is not finished');
  const file = { name, pages, blob: finished, length: finishedLength, ...(form ? { form } : {}) };
  if (form !== 'cades-detached') return [file];
  return [{ name, pages, blob: original, length: headLength, form: 'content' }, file];
}
