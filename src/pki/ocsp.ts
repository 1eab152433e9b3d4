/** OCSP (RFC 6960): what stands in requests and answers. */
import { digest, type Hash, hashOf, signed } from './algorithms.ts';
import { REASON_CODE } from './crl.ts';
import {
  bitsOf,
  constructed,
  DerError,
  der,
  type Element,
  equal,
  Fields,
  integerOf,
  read,
  smallIntegerOf,
  TAG,
} from './der.ts';
import { extension } from './extensions.ts';
import { OID } from './oids.ts';
import type { CertificateRecord, SigningKey } from './pki.ts';
import { type Certificate, keyIdentifier, parseExtensions } from './x509.ts';

const MAX_SIZE = 16_384;
const MAX_CERTIFICATES = 32;
/** How long an answer may be used, milliseconds. */
export const VALIDITY = 3_600_000;

/** OCSPResponseStatus (RFC 6960 §4.2.1). */
type ErrorStatus = 'malformedRequest' | 'internalError';
const STATUS = { malformedRequest: 1, internalError: 2 } as const;

/** One certificate asked about. */
interface CertId {
  /** As it stood in the request: the answer repeats it byte for byte. */
  readonly bytes: Uint8Array;
  /** Null when the CertID names an issuer that isn't ours. */
  readonly serial: string | null;
}

interface OcspRequest {
  readonly certIds: readonly CertId[];
  /** The nonce extension's value, to be repeated. */
  readonly nonce: Uint8Array | null;
}

/** Who signs answers. */
export interface Signer {
  readonly key: SigningKey;
  /** The key's. */
  readonly certificate: Certificate;
  /** The same, where it isn't the CA's: it goes along with the answer (RFC 6960 §4.2.2.2). */
  readonly delegate: Certificate | null;
}

/** CertID of a certificate of ours. SHA-1 here is a look-up key, not a signature; every validator knows it (RFC 5019 §2.1.1). */
export function certIdOf({ serial }: Pick<CertificateRecord, 'serial'>, issuer: Certificate): Uint8Array {
  const hash = (data: Uint8Array) => der.octetString(digest('sha1', data));
  return der.sequence(
    der.sequence(der.oid(OID.sha1), der.null),
    hash(issuer.subject),
    hash(subjectPublicKey(issuer)),
    der.integer(serial),
  );
}

/** OCSPRequest (RFC 6960 §4.1.1) as RFC 5019 §2.1 wants it: about one certificate, without a nonce. */
export function ocspRequest(certificate: Pick<CertificateRecord, 'serial'>, issuer: Certificate): Uint8Array {
  return der.sequence(der.sequence(der.sequence(der.sequence(certIdOf(certificate, issuer)))));
}

/** @throws DerError */
export function parseRequest(bytes: Uint8Array, issuer: Certificate): OcspRequest {
  if (bytes.length > MAX_SIZE) throw new DerError('too big');
  const outer = new Fields(read(bytes, TAG.sequence).content);
  const request = outer.sequence();
  outer.optional(constructed(0)); // A signature on the request changes nothing for us.
  outer.finish();

  const version = request.optional(constructed(0));
  if (version && smallIntegerOf(read(version.content, TAG.integer)) !== 0) throw new DerError('unknown version');
  request.optional(constructed(1)); // requestorName
  const list = request.sequence();
  const extensions = request.optional(constructed(2));
  request.finish();

  const certIds: CertId[] = [];
  while (!list.done) {
    if (certIds.length === MAX_CERTIFICATES) throw new DerError('too many certificates');
    const single = list.sequence();
    certIds.push(parseCertId(single.next(TAG.sequence), issuer));
    single.optional(constructed(0));
    single.finish();
  }
  if (certIds.length === 0) throw new DerError('no certificate');
  return { certIds, nonce: extensions ? nonceOf(read(extensions.content, TAG.sequence)) : null };
}

function parseCertId(element: Element, issuer: Certificate): CertId {
  const fields = new Fields(element.content);
  const hash = hashOf(fields.next(TAG.sequence));
  const nameHash = fields.next(TAG.octetString).content;
  const keyHash = fields.next(TAG.octetString).content;
  const serial = integerOf(fields.next(TAG.integer));
  fields.finish();
  const isOurs = (algorithm: Hash) =>
    equal(nameHash, digest(algorithm, issuer.subject)) && equal(keyHash, digest(algorithm, subjectPublicKey(issuer)));
  return { bytes: element.bytes, serial: hash && isOurs(hash) ? serial : null };
}

/** RFC 9654 §2.1: an OCTET STRING of 1 to 128 octets; others are malformed. */
function nonceOf(list: Element): Uint8Array | null {
  const nonce = parseExtensions(list).get(OID.ocspNonce);
  if (!nonce) return null;
  const { length } = read(nonce.value, TAG.octetString).content;
  if (length < 1 || length > 128) throw new DerError('bad nonce');
  return nonce.value;
}

/**
 * SingleResponse (RFC 6960 §4.2.1); null is a certificate that was never issued here. We never forget one: the archive
 * cutoff (§4.4.4) says so, and makes an answer count that was given after a short-lived certificate had expired (the
 * last signatory may be weeks later than the first).
 */
export function singleResponse(
  certId: Uint8Array,
  record: CertificateRecord | null,
  issuer: Certificate,
  now: Date,
): Uint8Array {
  const cutoff = extension(OID.ocspArchiveCutoff, der.generalizedTime(issuer.notBefore));
  return der.sequence(
    certId,
    certStatus(record),
    der.generalizedTime(now),
    der.constructed(0, der.generalizedTime(new Date(now.getTime() + VALIDITY))),
    ...(record ? [der.constructed(1, der.sequence(cutoff))] : []),
  );
}

function certStatus(record: CertificateRecord | null): Uint8Array {
  if (!record) return der.primitive(2, new Uint8Array());
  if (!record.revokedAt) return der.primitive(0, new Uint8Array());
  const reason = der.constructed(0, der.enumerated(REASON_CODE[record.reason ?? 'unspecified']));
  return der.constructed(1, der.generalizedTime(record.revokedAt), reason);
}

/** OCSPResponse with a BasicOCSPResponse (RFC 6960 §4.2.1). */
export async function successful(
  answers: readonly Uint8Array[],
  nonce: Uint8Array | null,
  { certificate, key, delegate }: Signer,
  now: Date,
): Promise<Uint8Array> {
  const extensions = nonce ? [der.constructed(1, der.sequence(extension(OID.ocspNonce, nonce)))] : [];
  const data = der.sequence(
    der.constructed(2, der.octetString(keyIdentifier(certificate.publicKeyInfo))),
    der.generalizedTime(now),
    der.sequence(...answers),
    ...extensions,
  );
  const certificates = delegate ? [der.constructed(0, der.sequence(delegate.der))] : [];
  const basic = await signed(data, key, ...certificates);
  return der.sequence(
    der.enumerated(0),
    der.constructed(0, der.sequence(der.oid(OID.ocspBasic), der.octetString(basic))),
  );
}

export const failed = (status: ErrorStatus): Uint8Array => der.sequence(der.enumerated(STATUS[status]));

/** The bits that CertID's issuerKeyHash covers: without tag, length and unused bits. */
function subjectPublicKey(issuer: Certificate): Uint8Array {
  const fields = new Fields(read(issuer.publicKeyInfo, TAG.sequence).content);
  fields.next(TAG.sequence);
  return bitsOf(fields.next(TAG.bitString));
}
