/** Timestamp tokens (RFC 3161 §2.4.2, RFC 5816): the structures, and a full check of one. */
import { digest, type Hash, hashOf } from './algorithms.ts';
import {
  booleanOf,
  constructed,
  DerError,
  equal,
  Fields,
  integerOf,
  oidOf,
  read,
  smallIntegerOf,
  TAG,
  timeOf,
} from './der.ts';
import { OID } from './oids.ts';
import { buildChain } from './path/path.ts';
import { timestampFault } from './path/profiles.ts';
import { PathInvalid } from './path/rules.ts';
import type { Timestamp } from './pki.ts';
import { checkSigner, parseSignedData, type SignedData, SignedDataInvalid, signerOf } from './signed-data.ts';
import type { Certificate } from './x509.ts';

/** The token proves nothing; `message` says which rule it breaks. */
export class TokenInvalid extends Error {
  override readonly name = 'TokenInvalid';
}

/** What a token has to be about. */
export interface TokenExpectation {
  readonly sha256: Uint8Array;
  /** Hex, as sent in the request; null when there was none. */
  readonly nonce: string | null;
  readonly anchors: readonly Certificate[];
  /** genTime must lie between these. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Checks everything in a token: form, imprint, nonce, time, the signer's purpose and identity (ESS signing certificate),
 * signature and chain at genTime. @throws TokenInvalid
 */
export function checkToken(token: Uint8Array, expected: TokenExpectation): Timestamp {
  try {
    return check(token, expected);
  } catch (error) {
    if (error instanceof DerError || error instanceof PathInvalid || error instanceof SignedDataInvalid)
      throw new TokenInvalid(error.message);
    throw error;
  }
}

function check(token: Uint8Array, expected: TokenExpectation): Timestamp {
  const { content, info, data } = parseToken(token);
  if (info.hash !== 'sha256' || !equal(info.imprint, expected.sha256)) throw new TokenInvalid('another imprint');
  if (info.nonce !== expected.nonce) throw new TokenInvalid('another nonce');
  if (info.time < expected.notBefore || info.time > expected.notAfter) {
    throw new TokenInvalid(`its time ${info.time.toISOString()} can't be`);
  }
  const signer = signerOf(data);
  checkPurpose(signer);
  checkSigner(data, {
    contentType: OID.tstInfo,
    digestOf: hash => digest(hash, content),
    signer,
    signingCertificate: 'required',
  });
  const chain = buildChain(signer, data.certificates, expected.anchors, info.time);
  return { token, time: info.time, certificates: chain.map(certificate => certificate.der) };
}

export interface ParsedToken {
  readonly data: SignedData;
  /** TSTInfo, DER. */
  readonly content: Uint8Array;
  readonly info: TstInfo;
}

/** SignedData version 3 over a TSTInfo (RFC 3161 §2.4.2). @throws DerError; SignedDataInvalid */
export function parseToken(token: Uint8Array): ParsedToken {
  const data = parseSignedData(token);
  if (data.version !== 3) throw new DerError('not SignedData version 3');
  if (data.contentType !== OID.tstInfo || data.content === null) throw new DerError('not about a TSTInfo');
  return { data, content: data.content, info: parseTstInfo(data.content) };
}

/** @throws TokenInvalid when the signer is no timestamp authority (RFC 3161 §2.3) */
export function checkPurpose(signer: Certificate): void {
  const fault = timestampFault(signer);
  if (fault) throw new TokenInvalid(fault.message);
}

export interface TstInfo {
  readonly hash: Hash | null;
  readonly imprint: Uint8Array;
  readonly serial: string;
  readonly time: Date;
  readonly nonce: string | null;
}

/** TSTInfo version 1 (RFC 3161 §2.4.2). @throws DerError */
export function parseTstInfo(content: Uint8Array): TstInfo {
  const fields = new Fields(read(content, TAG.sequence).content);
  if (smallIntegerOf(fields.next(TAG.integer)) !== 1) throw new DerError('not TSTInfo version 1');
  oidOf(fields.next(TAG.oid));
  const imprint = fields.sequence();
  const algorithm = imprint.next(TAG.sequence);
  const hashed = imprint.next(TAG.octetString).content;
  imprint.finish();
  const serial = integerOf(fields.next(TAG.integer));
  const time = timeOf(fields.next(TAG.generalizedTime));
  fields.optional(TAG.sequence); // accuracy
  const ordering = fields.optional(TAG.boolean);
  if (ordering) booleanOf(ordering);
  const nonce = fields.optional(TAG.integer);
  fields.optional(constructed(0)); // tsa
  fields.optional(constructed(1)); // extensions
  fields.finish();
  return {
    hash: hashOf(algorithm),
    imprint: hashed,
    serial,
    time,
    nonce: nonce && integerOf(nonce),
  };
}
