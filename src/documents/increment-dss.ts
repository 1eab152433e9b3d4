/**
 * The document security store (ETSI EN 319 142-1 §5.4.2): what a validator needs later to judge every signature, as an
 * increment of its own.
 */
import { createHash } from 'node:crypto';
import type { ValidationData } from '../pki/pki.ts';
import type { PdfFile } from './file/file.ts';
import { dict, isArray, isDict, name, type PdfDict, type PdfValue, ref } from './file/values.ts';
import { renewedId } from './increment.ts';
import { type NewObject, writeIncrement } from './increment-writer.ts';

export interface SignatureEvidence {
  /** The octets of the signature's Contents, with their padding. */
  readonly contents: Uint8Array;
  readonly data: ValidationData;
}

/** @returns what follows the file */
export function appendDss(file: PdfFile, signatures: readonly SignatureEvidence[]): Uint8Array {
  const streams = new Map<string, NewObject>();
  const numbers = { Cert: new Set<number>(), OCSP: new Set<number>(), CRL: new Set<number>() };
  const dss = file.trailer.size;

  function references(kind: keyof typeof numbers, values: readonly Uint8Array[]): readonly PdfValue[] | undefined {
    if (values.length === 0) return undefined;
    const wanted = values.map(value => {
      const key = createHash('sha256').update(value).digest('hex');
      let stream = streams.get(key);
      if (stream === undefined) {
        stream = { number: dss + 1 + streams.size, value: dict({}), stream: value };
        streams.set(key, stream);
      }
      numbers[kind].add(stream.number);
      return stream.number;
    });
    return [...new Set(wanted)].map(ref);
  }

  const { root } = file.trailer;
  const catalog = file.dict(root);
  const old = readDss(file, catalog);
  const vri: PdfDict = new Map([
    ...old.vri,
    ...signatures.map(({ contents, data }): [string, PdfValue] => [
      createHash('sha1').update(contents).digest('hex').toUpperCase(),
      dict({
        Type: name('VRI'),
        Cert: references('Cert', data.certificates),
        OCSP: references('OCSP', data.ocsps),
        CRL: references('CRL', data.crls),
      }),
    ]),
  ]);
  const all = (kind: keyof typeof numbers, earlier: readonly PdfValue[]) => {
    const values = [...earlier, ...[...numbers[kind]].map(ref)];
    return values.length > 0 ? values : undefined;
  };
  const value: PdfDict = new Map([
    ...old.rest,
    ...dict({
      Type: name('DSS'),
      VRI: vri,
      Certs: all('Cert', old.certificates),
      OCSPs: all('OCSP', old.ocsps),
      CRLs: all('CRL', old.crls),
    }),
  ]);
  const objects: NewObject[] = [
    { number: root, value: new Map([...catalog, ['DSS', ref(dss)]]) },
    { number: dss, value },
    ...streams.values(),
  ];
  return writeIncrement(file, objects, renewedId(file, 'DSS', ...streams.keys())).appended;
}

/** What the file has already: earlier signatures need it still. @throws PdfSyntaxError */
function readDss(file: PdfFile, catalog: PdfDict) {
  const found = file.resolve(catalog.get('DSS'));
  const old: PdfDict = isDict(found) ? found : new Map();
  const list = (key: string): readonly PdfValue[] => {
    const value = file.resolve(old.get(key));
    return isArray(value) ? value : [];
  };
  const vri = file.resolve(old.get('VRI'));
  return {
    rest: old,
    vri: isDict(vri) ? vri : (new Map() as PdfDict),
    certificates: list('Certs'),
    ocsps: list('OCSPs'),
    crls: list('CRLs'),
  };
}
