/** Requests to a timestamp authority and its replies (RFC 3161 §2.4). */
import { type Hash, hashOf } from './algorithms.ts';
import {
  booleanOf,
  constructed,
  DerError,
  der,
  type Element,
  Fields,
  oidOf,
  read,
  smallIntegerOf,
  TAG,
} from './der.ts';

/** PKIFailureInfo (RFC 3161 §2.4.2). */
const FAILURE = {
  badAlg: 0,
  badRequest: 2,
  badDataFormat: 5,
  timeNotAvailable: 14,
  unacceptedPolicy: 15,
  unacceptedExtension: 16,
  systemFailure: 25,
} as const;
export type TimestampFailure = keyof typeof FAILURE;

/** No token for this request; `message` stands in the reply. */
export class TimestampRefused extends Error {
  override readonly name = 'TimestampRefused';
  readonly failure: TimestampFailure;
  constructor(failure: TimestampFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** What a token is asked for. */
export interface TimestampAsk {
  /** MessageImprint as it stood in the request: the token repeats it byte for byte. */
  readonly messageImprint: Uint8Array;
  /** INTEGER as in the request, or null. */
  readonly nonce: Uint8Array | null;
  /** Whether the authority's certificate is to go along. */
  readonly certReq: boolean;
}

const LENGTHS: ReadonlyMap<Hash, number> = new Map([
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
]);
const MAX_NONCE = 64;
const PKI_STATUS = { granted: 0, rejection: 2 } as const;

/** TimeStampReq (RFC 3161 §2.4.1). @param policy the only one there is @throws TimestampRefused */
export function parseTimestampRequest(bytes: Uint8Array, policy: string): TimestampAsk {
  try {
    return parse(bytes, policy);
  } catch (error) {
    if (error instanceof DerError)
      throw new TimestampRefused('badDataFormat', `not a TimeStampReq in DER: ${error.message}`);
    throw error;
  }
}

function parse(bytes: Uint8Array, policy: string): TimestampAsk {
  const fields = new Fields(read(bytes, TAG.sequence).content);
  const version = smallIntegerOf(fields.next(TAG.integer));
  const messageImprint = fields.next(TAG.sequence);
  const asked = fields.optional(TAG.oid);
  const nonce = fields.optional(TAG.integer);
  const certReq = fields.optional(TAG.boolean);
  const extensions = fields.optional(constructed(0));
  fields.finish();

  if (version !== 1) throw new TimestampRefused('badRequest', 'only version 1 is known');
  checkImprint(messageImprint);
  if (asked && oidOf(asked) !== policy) throw new TimestampRefused('unacceptedPolicy', `the only policy is ${policy}`);
  // Critical or not (RFC 3161 §2.4.1).
  if (extensions) throw new TimestampRefused('unacceptedExtension', 'no extension is known');
  return {
    messageImprint: messageImprint.bytes,
    nonce: nonce && checkedNonce(nonce),
    certReq: certReq !== null && booleanOf(certReq),
  };
}

function checkImprint({ content }: Element): void {
  const fields = new Fields(content);
  const hash = hashOf(fields.next(TAG.sequence));
  const imprint = fields.next(TAG.octetString).content;
  fields.finish();
  const length = hash && LENGTHS.get(hash);
  if (!length) throw new TimestampRefused('badAlg', 'the digest must be SHA-256, SHA-384 or SHA-512');
  if (imprint.length !== length)
    throw new TimestampRefused('badDataFormat', `a ${hash} digest has ${length} octets, not ${imprint.length}`);
}

/** It is repeated in what we sign: so only DER, and of a sensible size. */
function checkedNonce({ content, bytes }: Element): Uint8Array {
  const [first, second] = content;
  if (first === undefined || content.length > MAX_NONCE) throw new DerError('bad nonce');
  const padded = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (padded) throw new DerError('the nonce is not minimal');
  return bytes;
}

/** TimeStampResp with a token. */
export function granted(token: Uint8Array): Uint8Array {
  return der.sequence(der.sequence(der.integer(PKI_STATUS.granted)), token);
}

/** TimeStampResp without one, with the reason for machines and people. */
export function rejected({ failure, message }: TimestampRefused): Uint8Array {
  return der.sequence(
    der.sequence(der.integer(PKI_STATUS.rejection), der.sequence(der.utf8String(message)), der.flags(FAILURE[failure])),
  );
}
