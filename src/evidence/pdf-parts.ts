/**
 * What a signed PDF is made of, for those who check it with other tools: its signatures and what they sign, its
 * validation data. Nothing is verified. Anybody's files: runs in the document child.
 */
import { signatureFields } from '../documents/file/fields.ts';
import { openFile } from '../documents/file/file.ts';
import { readRevisions } from '../documents/file/revisions.ts';
import { readStore, storeContents } from '../signatures/verify/pdf-dss.ts';
import { placeSignature } from '../signatures/verify/pdf-signature.ts';

export interface PdfParts {
  /** Oldest first. */
  readonly signatures: readonly {
    readonly field: string;
    readonly kind: 'signature' | 'document-timestamp';
    readonly byteRange: readonly [number, number, number, number];
    /** CMS or TimeStampToken, DER. */
    readonly value: Uint8Array;
  }[];
  /** Of the document security store, DER. */
  readonly certificates: readonly Uint8Array[];
  readonly ocsps: readonly Uint8Array[];
  readonly crls: readonly Uint8Array[];
}

/** @throws PdfSyntaxError where a signature isn't placed as it must be */
export function readPdfParts(pdf: Uint8Array): PdfParts {
  const file = openFile(pdf);
  const revisions = readRevisions(file);
  const signatures = signatureFields(file)
    .filter(({ signature }) => signature !== null)
    .map(field => placeSignature(file, field, revisions))
    .sort((a, b) => a.revision.index - b.revision.index)
    .map(({ field, subFilter, byteRange, value }) => ({
      field,
      kind: subFilter === 'ETSI.RFC3161' ? ('document-timestamp' as const) : ('signature' as const),
      byteRange,
      value: new Uint8Array(value),
    }));
  const store = readStore(file);
  const held = store === null ? [] : storeContents(file, store);
  const ofKind = (wanted: string) => held.filter(({ kind }) => kind === wanted).map(({ der }) => der);
  return { signatures, certificates: ofKind('certificate'), ocsps: ofKind('OCSP'), crls: ofKind('CRL') };
}
