/** What the gateway needs around its increments: identifiers, digests, and putting signatures into their gap. */
import { createHash } from 'node:crypto';
import type { PdfFile } from './file/file.ts';
import { characters } from './file/values.ts';
import { type ByteRange, CONTENTS_BYTES } from './increment-signature.ts';

/** The second part of the file identifier (ISO 32000-1 §14.4) of a revision that adds `parts`: the same for the same input. */
export function renewedId(file: PdfFile, ...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256').update(file.trailer.id?.[1] ?? '', 'latin1');
  for (const part of parts) hash.update(String(part.length)).update(':').update(part);
  return characters(hash.digest().subarray(0, 16));
}

/** The whole file with the DER value in the gap of its ByteRange. @throws RangeError when it is too big */
export function putContents(file: Uint8Array, [, first]: ByteRange, der: Uint8Array): Uint8Array {
  if (der.length > CONTENTS_BYTES) throw new RangeError(`a signature of ${der.length} octets is too big for its place`);
  const whole = Buffer.from(file);
  whole.write(Buffer.from(der).toString('hex').toUpperCase(), first + 1, 'latin1');
  return whole;
}

export function join(file: Uint8Array, appended: Uint8Array): Uint8Array {
  return Buffer.concat([file, appended]);
}
