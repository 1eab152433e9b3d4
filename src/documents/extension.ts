/**
 * A signed file that is to be provable for longer (PAdES B-LTA, ETSI EN 319 142-1 §6): what it holds that needs fresh
 * validation data, and the increment with those data and the place of a further document timestamp. Anybody's files:
 * runs in the worker's child process only.
 */
import { DerError } from '../pki/der.ts';
import { OID } from '../pki/oids.ts';
import { parseSignedData, SignedDataInvalid, signerOf } from '../pki/signed-data.ts';
import { toDer } from '../signatures/verify/ber.ts';
import { readStore, storeContents } from '../signatures/verify/pdf-dss.ts';
import { DocumentRefused } from './documents.ts';
import { type FoundField, permissionsOf, signatureFields } from './file/fields.ts';
import { openFile, type PdfFile } from './file/file.ts';
import { EncryptedFile, PdfSyntaxError } from './file/parser.ts';
import { isArray, isDict, nameOf, octets, type PdfDict, stringOf } from './file/values.ts';
import { join } from './increment.ts';
import {
  appendDss,
  type EvidenceKind,
  evidenceKey,
  type KnownEvidence,
  type SignatureEvidence,
} from './increment-dss.ts';
import type { SignedIncrement } from './increment-signature.ts';
import { appendTimestampField } from './increment-timestamp.ts';
import type { Limits } from './inspect.ts';

/** One signature or document timestamp; nothing of it was verified. */
export interface HeldSignature {
  /** The octets of its Contents, with their padding. */
  readonly contents: Uint8Array;
  /** Certificates, DER, of the signer and of each timestamp inside: the signer's own first. */
  readonly chains: readonly (readonly Uint8Array[])[];
}

export interface Extendable {
  /** Every signature, and the newest document timestamp. */
  readonly signatures: readonly HeldSignature[];
  /** When the certificate of the newest document timestamp ends; null where there is none. */
  readonly timestampEnd: Date | null;
}

/**
 * Null when the file is not signed.
 * @throws DocumentRefused 'not-pdf', 'encrypted', 'damaged', 'certified-no-changes'
 */
export function readExtendable(pdf: Uint8Array, limits: Limits): Extendable | null {
  const file = open(pdf, limits);
  const fields = strictly(() => signatureFields(file)).filter(({ signature }) => signature !== null);
  if (fields.length === 0) return null;
  for (const field of fields) strictly(() => checkPermissions(file, field));
  const values = fields.map(({ signature }) => signature!.dict);
  const timestamps = values.filter(isTimestamp).toSorted((a, b) => endOf(file, a) - endOf(file, b));
  const newest = timestamps.at(-1);
  const wanted = newest === undefined ? values : [...values.filter(value => !isTimestamp(value)), newest];
  return {
    signatures: wanted.map(value => held(file, value)),
    timestampEnd: newest === undefined ? null : signerEnd(file, newest),
  };
}

/** @returns what follows the file; the timestamp's Contents is zeroed. @throws DocumentRefused */
export function appendExtension(
  pdf: Uint8Array,
  evidence: readonly SignatureEvidence[],
  limits: Limits,
): SignedIncrement {
  const file = open(pdf, limits);
  return strictly(() => {
    const store = appendDss(file, evidence, knownEvidence(file));
    const { appended, byteRange } = appendTimestampField(open(join(pdf, store), limits));
    return { appended: new Uint8Array(join(store, appended)), byteRange };
  });
}

const KINDS: Readonly<Record<string, EvidenceKind>> = { certificate: 'Cert', OCSP: 'OCSP', CRL: 'CRL' };

function knownEvidence(file: PdfFile): KnownEvidence {
  const store = readStore(file);
  const known = new Map<string, number>();
  for (const { number, kind, der } of store ? storeContents(file, store) : []) {
    const entry = KINDS[kind];
    if (entry !== undefined) known.set(evidenceKey(entry, der), number);
  }
  return known;
}

function open(pdf: Uint8Array, limits: Limits): PdfFile {
  if (!Buffer.from(pdf.subarray(0, 1024)).includes('%PDF-'))
    throw new DocumentRefused('not-pdf', 'the file is not a PDF');
  return strictly(() => openFile(pdf, { maxDecoded: limits.memory / 4 }));
}

/** The reader's errors as what the person hears. */
function strictly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof EncryptedFile)
      throw new DocumentRefused('encrypted', 'the document is protected by a password or encrypted');
    if (error instanceof PdfSyntaxError)
      throw new DocumentRefused('damaged', `the document is damaged: ${error.message}`);
    throw error;
  }
}

/** DocMDP P of the signature (ISO 32000-2 §12.8.2.2), and P of its field's Lock (§12.7.5.5). */
function checkPermissions(file: PdfFile, { dict, signature }: FoundField): void {
  const lock = file.resolve(dict.get('Lock'));
  const lockP = isDict(lock) ? file.resolve(lock.get('P')) : undefined;
  if (permissionsOf(file, signature!.dict).docMdp === 1 || lockP === 1)
    throw new DocumentRefused('certified-no-changes', 'its certification allows no changes, so nothing can be added');
}

const isTimestamp = (value: PdfDict): boolean => nameOf(value.get('SubFilter')) === 'ETSI.RFC3161';

/** Where its ByteRange ends. */
function endOf(file: PdfFile, value: PdfDict): number {
  const range = file.resolve(value.get('ByteRange'));
  const [, , second, rest] = isArray(range) ? range : [];
  return typeof second === 'number' && typeof rest === 'number' ? second + rest : 0;
}

function held(file: PdfFile, value: PdfDict): HeldSignature {
  const contents = contentsOf(file, value);
  return { contents, chains: chainsIn(contents) };
}

const contentsOf = (file: PdfFile, value: PdfDict): Uint8Array =>
  octets(stringOf(file.resolve(value.get('Contents'))) ?? '');

/** Of what can't be read there is none: verification says why. */
function chainsIn(cms: Uint8Array): Uint8Array[][] {
  const data = readable(() => parseSignedData(toDer(cms).der));
  if (data === null) return [];
  const signer = readable(() => signerOf(data));
  const others = data.certificates.filter(certificate => certificate !== signer);
  const own = [...(signer ? [signer] : []), ...others].map(({ der }) => der);
  const tokens = data.signerInfo.unsigned.get(OID.signatureTimeStampToken) ?? [];
  return [...(own.length > 0 ? [own] : []), ...tokens.flatMap(({ bytes }) => chainsIn(bytes))];
}

function signerEnd(file: PdfFile, value: PdfDict): Date | null {
  return readable(() => signerOf(parseSignedData(toDer(contentsOf(file, value)).der)).notAfter);
}

function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError || error instanceof SignedDataInvalid) return null;
    throw error;
  }
}
