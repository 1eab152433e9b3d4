/**
 * Documents that arrive signed. They are only added to, so they must be what every reader sees: they are read strictly,
 * with nothing repaired, and then inspected by the same rules as others. Runs in the worker's child process only.
 */
import { PDFDict } from '@cantoo/pdf-lib';
import { DocumentRefused, type EarlierSignatures, type Inspection } from './documents.ts';
import { type FoundField, permissionsOf, signatureFields } from './file/fields.ts';
import { openFile, type PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { isDict, readText, stringOf } from './file/values.ts';
import { checkDocument, type Limits } from './inspect.ts';
import type { FoundPage } from './inspect-pages.ts';
import { resolve } from './objects.ts';
import { toPdfLib } from './pdf-lib-bridge.ts';

export interface SignedDocument {
  readonly file: PdfFile;
  readonly fields: readonly FoundField[];
  readonly pages: readonly FoundPage[];
  readonly earlier: EarlierSignatures;
  readonly inspection: Inspection;
}

/**
 * The document, if it is signed; null if it isn't, or if it can't be read strictly (the common inspection refuses a
 * signed one then).
 * @throws DocumentRefused
 */
export function openSigned(pdf: Uint8Array, limits: Limits): SignedDocument | null {
  // A signature's dictionary stands as it is in the file, or its own gap could not.
  if (!Buffer.from(pdf.buffer, pdf.byteOffset, pdf.length).includes('/ByteRange')) return null;
  try {
    const file = openFile(pdf, { maxDecoded: limits.memory / 4 });
    const fields = signatureFields(file);
    if (fields.every(({ signature }) => signature === null)) return null;
    const earlier = readEarlier(file, fields);
    const context = toPdfLib(file, limits.maxObjects);
    const catalog = resolve(context, context.trailerInfo.Root);
    if (!(catalog instanceof PDFDict)) throw new PdfSyntaxError('the catalog is no dictionary');
    const { pages, inspection } = checkDocument(context, catalog, limits, { signed: true });
    return { file, fields, pages, earlier, inspection: { ...inspection, formFields: 0, signatures: earlier } };
  } catch (error) {
    if (!(error instanceof PdfSyntaxError)) throw error;
    return null;
  }
}

/**
 * What earlier signatures allow (ISO 32000-2 §12.8.2, and P of a field's Lock, §12.7.5.5).
 * @throws DocumentRefused 'certified-no-changes'; PdfSyntaxError
 */
function readEarlier(file: PdfFile, fields: readonly FoundField[]): EarlierSignatures {
  const signers: (string | null)[] = [];
  let invisibleOnly = false;
  for (const { dict, signature } of fields) {
    if (signature === null) continue;
    const name = stringOf(file.resolve(signature.dict.get('Name')));
    signers.push(name === null ? null : readText(name));
    const lock = file.resolve(dict.get('Lock'));
    const lockP = isDict(lock) ? file.resolve(lock.get('P')) : undefined;
    const { docMdp, fieldMdp } = permissionsOf(file, signature.dict);
    if (docMdp === 1 || lockP === 1) {
      throw new DocumentRefused('certified-no-changes', 'an earlier signature allows no further ones');
    }
    // New fields belong to those that are locked, unless fields are locked by name.
    if (docMdp !== null || lockP !== undefined || (fieldMdp !== null && fieldMdp.action !== 'Include')) {
      invisibleOnly = true;
    }
  }
  return { count: signers.length, signers, invisibleOnly };
}

/** Empty signature fields that may be filled without asking anybody: no lock, no demands, not locked by a signature. */
export function freeFields({ file, fields }: SignedDocument): FoundField[] {
  const locks = fields.flatMap(({ signature }) => {
    const lock = signature && permissionsOf(file, signature.dict).fieldMdp;
    return lock === null ? [] : [lock];
  });
  const locked = (name: string) =>
    locks.some(({ action, fields: names }) => {
      const listed = names.some(other => name === other || name.startsWith(`${other}.`));
      return action === 'All' || (action === 'Include' ? listed : !listed);
    });
  return fields.filter(
    ({ name, object, dict, widgets, signature }) =>
      signature === null &&
      object !== null &&
      widgets.length === 1 &&
      widgets[0] === object &&
      dict.has('FT') &&
      !['Lock', 'SV', 'Kids', 'MK'].some(key => dict.has(key)) &&
      !isReadOnly(file, dict) &&
      !locked(name),
  );
}

/** Field flag ReadOnly, and annotation flags Hidden and NoView. */
function isReadOnly(file: PdfFile, dict: FoundField['dict']): boolean {
  const flags = (key: string) => {
    const value = file.resolve(dict.get(key));
    return typeof value === 'number' ? value : 0;
  };
  return (flags('Ff') & 1) !== 0 || (flags('F') & (2 | 32)) !== 0;
}
