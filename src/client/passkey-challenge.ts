/**
 * What a passkey signs, so that its assertion stands for one signature and no other: a hash over the one-time mark of the
 * turn or question and over the very octets that are signed. Device and gateway compute it each for itself.
 */
import { type Bytes, concat, sha256, utf8 } from './bytes.ts';

/** @param turn its fencing token; `signedAttributes` of every document, as granted */
export async function signatureChallenge(turn: string, signedAttributes: readonly Uint8Array[]): Promise<Bytes> {
  const digests: Uint8Array[] = [];
  for (const attributes of signedAttributes) digests.push(await sha256(attributes));
  return sha256(concat(utf8(`signpost passkey v1\0signature\0${turn}\0`), ...digests));
}

/** Standard. @param nonce 20 bytes, of the question; `data` what is approved */
export async function approvalChallenge(nonce: Uint8Array, data: Uint8Array): Promise<Bytes> {
  return sha256(concat(utf8('signpost passkey v1\0approval\0'), nonce, await sha256(data)));
}
