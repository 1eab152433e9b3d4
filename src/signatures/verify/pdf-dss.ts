/** The document security store (ETSI EN 319 142-1 §5.4.2): what it holds, and of which objects it is made. */

import type { PdfFile } from '../../documents/file/file.ts';
import type { Budget } from '../../documents/file/filters.ts';
import { decodeStream } from '../../documents/file/filters.ts';
import { PdfSyntaxError } from '../../documents/file/parser.ts';
import { isArray, isDict, type PdfDict, type PdfValue, refOf } from '../../documents/file/values.ts';

type LeafKind = 'certificate' | 'OCSP' | 'CRL' | 'timestamp';

export interface Store {
  /** Its dictionaries and lists that are objects. */
  readonly nodes: ReadonlySet<number>;
  /** Where which stream is listed: "CRLs 12", "VRI/0A1B… Cert 12". */
  readonly listed: ReadonlySet<string>;
  /** Its streams: certificates, OCSP answers, lists. */
  readonly leaves: ReadonlyMap<number, LeafKind>;
}

const LISTS = { Certs: 'certificate', OCSPs: 'OCSP', CRLs: 'CRL' } as const;
const VRI_LISTS = { Cert: 'certificate', OCSP: 'OCSP', CRL: 'CRL' } as const;
const MAX_LEAVES = 5000;
const MAX_STREAM = 16 * 1024 * 1024;

/** Null where the file has none. @throws PdfSyntaxError where it holds what doesn't belong there */
export function readStore(file: PdfFile): Store | null {
  const nodes = new Set<number>();
  const leaves = new Map<number, LeafKind>();
  const listed = new Set<string>();
  const open = (value: PdfValue | undefined): PdfValue | undefined => {
    const number = refOf(value);
    if (number !== null) nodes.add(number);
    return file.resolve(value);
  };
  const dictAt = (value: PdfValue | undefined): PdfDict => {
    const found = open(value);
    if (!isDict(found)) throw new PdfSyntaxError('the security store is broken');
    return found;
  };
  const leaf = (where: string, value: PdfValue, kind: LeafKind): void => {
    const number = refOf(value);
    if (number === null || leaves.size >= MAX_LEAVES || (leaves.get(number) ?? kind) !== kind)
      throw new PdfSyntaxError('the security store is broken');
    leaves.set(number, kind);
    listed.add(`${where} ${number}`);
  };
  const list = (where: string, value: PdfValue | undefined, kind: LeafKind): void => {
    const items = open(value);
    if (!isArray(items)) throw new PdfSyntaxError('the security store is broken');
    for (const item of items) leaf(where, item, kind);
  };
  const value = file.dict(file.trailer.root).get('DSS');
  if (value === undefined || value === null) return null;
  for (const [key, entry] of dictAt(value)) {
    if (key === 'Type') continue;
    if (key in LISTS) list(key, entry, LISTS[key as keyof typeof LISTS]);
    else if (key === 'VRI') {
      for (const [name, one] of dictAt(entry)) {
        if (name === 'Type') continue;
        for (const [part, content] of dictAt(one)) {
          if (part in VRI_LISTS) list(`VRI/${name} ${part}`, content, VRI_LISTS[part as keyof typeof VRI_LISTS]);
          else if (part === 'TS') leaf(`VRI/${name} TS`, content, 'timestamp');
          else if (part !== 'Type' && part !== 'TU')
            throw new PdfSyntaxError(`the security store has a strange entry (${part})`);
        }
      }
    } else throw new PdfSyntaxError(`the security store has a strange entry (${key})`);
  }
  for (const number of leaves.keys()) {
    if (nodes.has(number) || file.object(number).stream === null)
      throw new PdfSyntaxError('the security store is broken');
  }
  return { nodes, listed, leaves };
}

/** The octets of its streams. @throws PdfSyntaxError */
export function storeContents(
  file: PdfFile,
  { leaves }: Store,
): { readonly number: number; readonly kind: LeafKind; readonly der: Uint8Array }[] {
  const budget: Budget = { left: 4 * MAX_STREAM };
  return [...leaves].map(([number, kind]) => {
    const { value, stream } = file.object(number);
    if (!isDict(value) || stream === null) throw new PdfSyntaxError('the security store is broken');
    return { number, kind, der: new Uint8Array(decodeStream(value, stream, MAX_STREAM, budget)) };
  });
}
