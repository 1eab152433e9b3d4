/**
 * The document security store (ETSI EN 319 142-1 §5.4.2): what a validator needs later to judge every signature, as an
 * increment of its own. What the file has already stays: earlier signatures need it still.
 */
import { createHash } from 'node:crypto';
import type { ValidationData } from '../pki/pki.ts';
import type { PdfFile } from './file/file.ts';
import { dict, isArray, isDict, name, type PdfDict, type PdfValue, ref, refOf } from './file/values.ts';
import { renewedId } from './increment.ts';
import { type NewObject, writeIncrement } from './increment-writer.ts';

export interface SignatureEvidence {
  /** The octets of the signature's Contents, with their padding. */
  readonly contents: Uint8Array;
  readonly data: ValidationData;
}

/** Keys of a VRI dictionary; the store's own are the same with an s. */
export type EvidenceKind = 'Cert' | 'OCSP' | 'CRL';

/** What the file's store holds already, by `evidenceKey`: object numbers of streams. */
export type KnownEvidence = ReadonlyMap<string, number>;

export const evidenceKey = (kind: EvidenceKind, der: Uint8Array): string =>
  `${kind} ${createHash('sha256').update(der).digest('hex')}`;

/**
 * @param known what need not be written again
 * @returns what follows the file
 */
export function appendDss(
  file: PdfFile,
  signatures: readonly SignatureEvidence[],
  known: KnownEvidence = new Map(),
): Uint8Array {
  const streams = new Map<string, NewObject>();
  const numbers = { Cert: new Set<number>(), OCSP: new Set<number>(), CRL: new Set<number>() };
  const dss = file.trailer.size;

  function place(kind: EvidenceKind, value: Uint8Array): number {
    const key = evidenceKey(kind, value);
    const old = known.get(key);
    if (old !== undefined) return old;
    let stream = streams.get(key);
    if (stream === undefined) {
      stream = { number: dss + 1 + streams.size, value: dict({}), stream: value };
      streams.set(key, stream);
    }
    return stream.number;
  }

  /** What one signature needs, after what it had. */
  function references(kind: EvidenceKind, values: readonly Uint8Array[], earlier: PdfDict): PdfValue | undefined {
    const placed = values.map(value => place(kind, value));
    for (const number of placed) numbers[kind].add(number);
    return extended(listIn(file, earlier, kind), placed);
  }

  const { root } = file.trailer;
  const catalog = file.dict(root);
  const old = dictAt(file, catalog.get('DSS'));
  const vri = new Map(dictAt(file, old.get('VRI')));
  for (const { contents, data } of signatures) {
    const key = createHash('sha1').update(contents).digest('hex').toUpperCase();
    const earlier = dictAt(file, vri.get(key));
    const lists = dict({
      Type: name('VRI'),
      Cert: references('Cert', data.certificates, earlier),
      OCSP: references('OCSP', data.ocsps, earlier),
      CRL: references('CRL', data.crls, earlier),
    });
    vri.set(key, new Map([...earlier, ...lists]));
  }
  const all = (kind: EvidenceKind) => extended(listIn(file, old, `${kind}s`), [...numbers[kind]]);
  const value: PdfDict = new Map([
    ...old,
    ...dict({ Type: name('DSS'), VRI: vri, Certs: all('Cert'), OCSPs: all('OCSP'), CRLs: all('CRL') }),
  ]);
  const objects: NewObject[] = [
    { number: root, value: new Map([...catalog, ['DSS', ref(dss)]]) },
    { number: dss, value },
    ...streams.values(),
  ];
  return writeIncrement(file, objects, renewedId(file, 'DSS', ...streams.keys())).appended;
}

/** Undefined for an empty list. */
function extended(earlier: readonly PdfValue[], numbers: readonly number[]): PdfValue | undefined {
  const there = new Set(earlier.map(refOf));
  const values = [...earlier, ...[...new Set(numbers)].filter(number => !there.has(number)).map(ref)];
  return values.length > 0 ? values : undefined;
}

function dictAt(file: PdfFile, value: PdfValue | undefined): PdfDict {
  const found = file.resolve(value);
  return isDict(found) ? found : new Map();
}

function listIn(file: PdfFile, entries: PdfDict, key: string): readonly PdfValue[] {
  const value = file.resolve(entries.get(key));
  return isArray(value) ? value : [];
}
