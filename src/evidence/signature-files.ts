/** One signature as files that OpenSSL reads: the CMS, what it signs, its value with the timestamp over it. */

import { OID } from '../pki/oids.ts';
import { buildChain } from '../pki/path/path.ts';
import { PathInvalid } from '../pki/path/rules.ts';
import { parseSignedData, signerOf } from '../pki/signed-data.ts';
import { parseToken } from '../pki/token.ts';
import type { Certificate } from '../pki/x509.ts';

export type Files = Map<string, Uint8Array>;

/** What the list of signatures says about one. */
export interface ListedSignature {
  readonly name: string;
  /** foreign: its chain does not end at the company's authorities; it was there before. */
  readonly kind: 'signature' | 'foreign' | 'document-timestamp';
  /** When it is shown to have existed: the time at which certificates are judged. */
  readonly time: Date;
  readonly timestamped: boolean;
  readonly signer: Certificate;
  /** The signed attributes as they were signed (RFC 5652 §5.4), DER; null for a timestamp, or where there are none. */
  readonly attributes: Uint8Array | null;
}

/**
 * Puts NAME.p7s, NAME.content, NAME.value and NAME.tst into `files`.
 * @param fallback a time by which it existed, where it has no timestamp of its own
 * @throws DerError; SignedDataInvalid
 */
export function addSignature(
  files: Files,
  name: string,
  cms: Uint8Array,
  content: Uint8Array,
  { anchors, fallback }: { readonly anchors: readonly Certificate[]; readonly fallback: Date },
): ListedSignature {
  const data = parseSignedData(cms);
  const signer = signerOf(data);
  const token = data.signerInfo.unsigned.get(OID.signatureTimeStampToken)?.[0]?.bytes ?? null;
  const time = token === null ? fallback : parseToken(token).info.time;
  files.set(`${name}.p7s`, cms);
  files.set(`${name}.content`, content);
  if (token !== null) {
    files.set(`${name}.value`, data.signerInfo.signature);
    files.set(`${name}.tst`, token);
  }
  const kind = endsAt(anchors, signer, data.certificates, time) ? 'signature' : 'foreign';
  const { signedAttributes } = data.signerInfo;
  const attributes = signedAttributes && asSet(signedAttributes.bytes);
  return { name, kind, time, timestamped: token !== null, signer, attributes };
}

/** Puts NAME.tst and NAME.content into `files`. @throws DerError; SignedDataInvalid */
export function addDocumentTimestamp(
  files: Files,
  name: string,
  token: Uint8Array,
  content: Uint8Array,
  { anchors }: { readonly anchors: readonly Certificate[] },
): ListedSignature {
  const { data, info } = parseToken(token);
  const signer = signerOf(data);
  files.set(`${name}.tst`, token);
  files.set(`${name}.content`, content);
  const kind = endsAt(anchors, signer, data.certificates, info.time) ? 'document-timestamp' : 'foreign';
  return { name, kind, time: info.time, timestamped: true, signer, attributes: null };
}

/** [0] IMPLICIT where it stands, SET OF where it is signed. */
function asSet(attributes: Uint8Array): Uint8Array {
  return attributes.with(0, 0x31);
}

/** The octets that a ByteRange covers. */
export function covered(pdf: Uint8Array, [start, first, second, rest]: readonly [number, number, number, number]) {
  return new Uint8Array(Buffer.concat([pdf.subarray(start, start + first), pdf.subarray(second, second + rest)]));
}

function endsAt(
  anchors: readonly Certificate[],
  signer: Certificate,
  others: readonly Certificate[],
  time: Date,
): boolean {
  try {
    buildChain(signer, others, anchors, time);
    return true;
  } catch (error) {
    if (error instanceof PathInvalid) return false;
    throw error;
  }
}
