/**
 * The device's own check of a turn on a document that isn't a PDF, before its key signs: nothing was appended to what it
 * showed, and what it signs are the attributes of a CAdES signature over exactly those octets. Runs in browsers.
 */
import { type Attribute, attributesFor } from './attributes.ts';
import { sha256 } from './bytes.ts';
import { encode, equalBytes } from './der.ts';
import { Tampered } from './increments.ts';

export interface FileGrantToCheck {
  /** The octets that the device showed. */
  readonly content: Uint8Array;
  /** What the gateway would have follow them: nothing. */
  readonly appended: Uint8Array;
  /** DER of the attributes that the key is to sign, as SET OF. */
  readonly signedAttributes: Uint8Array;
  /** The device's own certificate, DER. */
  readonly certificate: Uint8Array;
  /** The time of the grant: the signature must claim it, to the second. */
  readonly signingTime: Date;
}

/** @throws Tampered when anything differs from what it must be */
export async function checkFileGrant(grant: FileGrantToCheck): Promise<void> {
  const { content, appended, signedAttributes, certificate, signingTime } = grant;
  if (appended.length > 0) throw new Tampered('something would be added to the file');
  // A signature over a file that begins as a PDF could be put into a PDF that was never shown as one.
  if (looksLikePdf(content)) throw new Tampered('a PDF was shown as another kind of file');
  const time: Attribute = ['1.2.840.113549.1.9.5', utcTime(signingTime)];
  const expected = attributesFor(await sha256(content), await sha256(certificate), time);
  if (!equalBytes(expected, signedAttributes)) {
    throw new Tampered('the attributes to be signed do not fit this file and certificate');
  }
}

/** The header stands within the first 1024 bytes (ISO 32000-2 Annex I). */
export function looksLikePdf(content: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(content.subarray(0, 1024 + 5)).includes('%PDF-');
}

/** Time (RFC 5652 §11.3): UTCTime through 2049. Whole seconds. */
function utcTime(time: Date): Uint8Array {
  const digits = `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const utc = time.getUTCFullYear() < 2050;
  return encode.tlv(utc ? 0x17 : 0x18, new TextEncoder().encode(utc ? digits.slice(2) : digits));
}
