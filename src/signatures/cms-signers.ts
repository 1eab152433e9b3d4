/**
 * CMS SignedData with several signers side by side (RFC 5652 §5.1): each has signed the same content by itself, so they
 * are put together, and taken apart again, without touching what any of them signed.
 */
import { children, constructed, DerError, der, type Element, Fields, hex, oidOf, read, TAG } from '../pki/der.ts';
import { OID } from '../pki/oids.ts';

interface Parts {
  readonly version: Element;
  readonly digestAlgorithms: Element;
  readonly encapsulated: Element;
  readonly certificates: Element | null;
  readonly revocations: Element | null;
  readonly signerInfos: readonly Uint8Array[];
}

/** @throws DerError */
function partsOf(cms: Uint8Array): Parts {
  const contentInfo = new Fields(read(cms, TAG.sequence).content);
  if (oidOf(contentInfo.next(TAG.oid)) !== OID.signedData) throw new DerError('not SignedData');
  const fields = new Fields(read(contentInfo.next(constructed(0)).content, TAG.sequence).content);
  contentInfo.finish();
  const parts = {
    version: fields.next(TAG.integer),
    digestAlgorithms: fields.next(TAG.set),
    encapsulated: fields.next(TAG.sequence),
    certificates: fields.optional(constructed(0)),
    revocations: fields.optional(constructed(1)),
    signerInfos: children(fields.next(TAG.set).content).map(({ bytes }) => bytes),
  };
  fields.finish();
  return parts;
}

const contentInfo = (...fields: readonly Uint8Array[]): Uint8Array =>
  der.sequence(der.oid(OID.signedData), der.constructed(0, der.sequence(...fields)));

/**
 * One SignedData for each signer, otherwise alike: what knows one signer can judge each.
 * @param cms DER ContentInfo
 * @throws DerError
 */
export function splitSigners(cms: Uint8Array): Uint8Array[] {
  const { version, digestAlgorithms, encapsulated, certificates, revocations, signerInfos } = partsOf(cms);
  if (signerInfos.length < 2) return [cms];
  if (new Set(signerInfos.map(hex)).size < signerInfos.length) throw new DerError('the same signer twice');
  const shared = [version, digestAlgorithms, encapsulated, certificates, revocations].flatMap(part =>
    part === null ? [] : [part.bytes],
  );
  return signerInfos.map(signerInfo => contentInfo(...shared, der.set(signerInfo)));
}

/**
 * The signers of all in one SignedData.
 * @param signed as buildCms makes them, detached, all over the same content
 * @param content put inside; null leaves the result detached
 * @throws DerError
 */
export function joinSigners(signed: readonly Uint8Array[], content: Uint8Array | null): Uint8Array {
  const all = signed.map(partsOf);
  const digestAlgorithms = once(all.flatMap(part => children(part.digestAlgorithms.content)));
  const certificates = once(all.flatMap(part => children(part.certificates?.content ?? new Uint8Array())));
  return contentInfo(
    der.integer(1),
    der.set(...digestAlgorithms),
    der.sequence(der.oid(OID.data), ...(content ? [der.constructed(0, der.octetString(content))] : [])),
    der.constructed(0, ...certificates),
    der.set(...all.flatMap(part => part.signerInfos)),
  );
}

/** Each element once, in the order in which they come. */
function once(elements: readonly Element[]): Uint8Array[] {
  return [...new Map(elements.map(({ bytes }) => [hex(bytes), bytes])).values()];
}
