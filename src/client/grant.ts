/**
 * The device's own check of a granted turn, before its key signs (DESIGN.md decisions 5 and 12): the document that it
 * showed is the unchanged beginning of what it signs, and what was appended since are signatures, the last of them the
 * one that is asked for. It hashes the whole itself. Fast: a hash and a handful of objects. Runs in browsers.
 */
import { attributesFor } from './attributes.ts';
import { sha256 } from './bytes.ts';
import { concat, equalBytes } from './der.ts';
import { type AppendedRevision, readAppended, Tampered } from './increments.ts';

export { type AppendedRevision, Tampered } from './increments.ts';

export interface GrantToCheck {
  /** The octets that the device showed. */
  readonly known: Uint8Array;
  /** What follows them, up to and including the revision to be signed. */
  readonly appended: Uint8Array;
  readonly byteRange: readonly number[];
  /** DER of the attributes that the key is to sign, as SET OF. */
  readonly signedAttributes: Uint8Array;
  /** The device's own certificate, DER. */
  readonly certificate: Uint8Array;
  /** The signature field that is this person's, where the device knows it. */
  readonly layoutOfMine?: { readonly name: string; readonly object: number };
  /** The time of the grant, where the device knows it: the signature must show it, to the second. */
  readonly signingTime?: Date;
  /** The person, as shown before the press: the signature must name them so. */
  readonly signer?: string;
}

export interface CheckedGrant {
  readonly whole: Uint8Array<ArrayBuffer>;
  /** What others signed since the device looked, oldest first. */
  readonly changed: AppendedRevision[];
  /** The revision that this device is about to sign. */
  readonly mine: AppendedRevision;
}

/** @throws Tampered when anything differs from what it must be */
export async function checkGrant(grant: GrantToCheck): Promise<CheckedGrant> {
  const whole = concat(grant.known, grant.appended);
  const revisions = readAppended(whole, grant.known.length);
  const mine = revisions.pop();
  if (mine === undefined) throw new Tampered('nothing was appended to sign');
  if (mine.signed) throw new Tampered('the place for the signature is not empty');
  if (revisions.some(revision => !revision.signed)) throw new Tampered('an earlier revision was never signed');
  const { layoutOfMine, signingTime, signer } = grant;
  if (layoutOfMine && (mine.field !== layoutOfMine.name || mine.fieldObject !== layoutOfMine.object)) {
    throw new Tampered('the signature would stand in the place of another person');
  }
  if (signingTime && Math.floor(signingTime.getTime() / 1000) !== mine.signingTime.getTime() / 1000) {
    throw new Tampered('the signature shows another time than the grant');
  }
  if (signer !== undefined && mine.signer !== signer) throw new Tampered('the signature would name somebody else');
  // readAppended wrote the revision again, so this ByteRange is the one whose gap is exactly its zeroed Contents.
  const [, first, second] = mine.byteRange;
  if (grant.byteRange.length !== 4 || !mine.byteRange.every((value, i) => value === grant.byteRange[i])) {
    throw new Tampered('the ByteRange differs from the one in the document');
  }
  const digest = await sha256(concat(whole.subarray(0, first), whole.subarray(second)));
  // The one form of signedAttrs that a PAdES baseline signature of ours has (ETSI EN 319 142-1 §6.3).
  const expected = attributesFor(digest, await sha256(grant.certificate));
  if (!equalBytes(expected, grant.signedAttributes)) {
    throw new Tampered('the attributes to be signed do not fit this document and certificate');
  }
  return { whole, changed: revisions, mine };
}
