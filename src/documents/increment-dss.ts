/**
 * The document security store (ETSI EN 319 142-1 §5.4.2): what a validator needs later to judge every signature, as an
 * increment of its own.
 */
import { createHash } from 'node:crypto';
import type { ValidationData } from '../pki/pki.ts';
import type { PdfFile } from './file/file.ts';
import { dict, name, type PdfDict, type PdfValue, ref } from './file/values.ts';
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

  const vri: PdfDict = new Map(
    signatures.map(({ contents, data }) => [
      createHash('sha1').update(contents).digest('hex').toUpperCase(),
      dict({
        Type: name('VRI'),
        Cert: references('Cert', data.certificates),
        OCSP: references('OCSP', data.ocsps),
        CRL: references('CRL', data.crls),
      }),
    ]),
  );
  const all = (kind: keyof typeof numbers) => (numbers[kind].size > 0 ? [...numbers[kind]].map(ref) : undefined);
  const value = dict({ Type: name('DSS'), VRI: vri, Certs: all('Cert'), OCSPs: all('OCSP'), CRLs: all('CRL') });
  const { root } = file.trailer;
  const objects: NewObject[] = [
    { number: root, value: new Map([...file.dict(root), ['DSS', ref(dss)]]) },
    { number: dss, value },
    ...streams.values(),
  ];
  return writeIncrement(file, objects, renewedId(file, 'DSS', ...streams.keys())).appended;
}
