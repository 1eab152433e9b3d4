/**
 * What a passkey signs, so that its assertion stands for one signature and no other: a hash over the one-time mark of the
 * turn or question and over the very octets that are signed. Device and gateway compute it each for itself.
 */
import { type Bytes, concat, sha256, utf8 } from './bytes.ts';

/** challenge = SHA-256( mark ‖ SHA-256(octets 1) ‖ SHA-256(octets 2) … ) */
export interface Claim {
  /** What makes it this signature and no other. */
  readonly mark: Bytes;
  readonly octets: readonly Uint8Array[];
}

/** @param turn its fencing token; `signedAttributes` of every document, as granted */
export function signatureClaim(turn: string, signedAttributes: readonly Uint8Array[]): Claim {
  return { mark: utf8(`signpost passkey v1\0signature\0${turn}\0`), octets: signedAttributes };
}

/** Standard. @param nonce 20 bytes, of the question; `data` what is approved */
export function approvalClaim(nonce: Uint8Array, data: Uint8Array): Claim {
  return { mark: concat(utf8('signpost passkey v1\0approval\0'), nonce), octets: [data] };
}

export async function challengeFor({ mark, octets }: Claim): Promise<Bytes> {
  const digests: Uint8Array[] = [];
  for (const each of octets) digests.push(await sha256(each));
  return sha256(concat(mark, ...digests));
}
