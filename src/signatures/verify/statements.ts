/**
 * What OCSP answers (RFC 6960 §4.2) and CRLs (RFC 5280 §5) say about a certificate, once it is known that whoever says
 * it may. Read strictly; what can't be read or isn't authentic says nothing.
 */
import { digest, hashOf, signatureHolds } from '../../pki/algorithms.ts';
import {
  bitsOf,
  constructed,
  DerError,
  type Element,
  equal,
  Fields,
  integerOf,
  oidOf,
  primitive,
  read,
  smallIntegerOf,
  TAG,
  timeOf,
} from '../../pki/der.ts';
import { OID } from '../../pki/oids.ts';
import { crlStatement } from '../../pki/path/crl-statement.ts';
import { ocspResponderFault } from '../../pki/path/profiles.ts';
import { type Certificate, keyIdentifier, parseCertificate, parseExtensions } from '../../pki/x509.ts';

export interface RevocationSource {
  readonly kind: 'OCSP' | 'CRL';
  readonly der: Uint8Array;
  readonly where: 'file' | 'gateway';
}

/** What an authorised source says of one certificate. */
export interface Statement {
  readonly source: 'OCSP' | 'CRL';
  readonly where: 'file' | 'gateway';
  readonly revokedAt: Date | null;
  /** CRLReason; 6 is a hold. */
  readonly reason: number | null;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | null;
}

/** Everything about this certificate in `sources`. @param issuer the certificate's issuer, its signature checked */
export function statementsAbout(
  certificate: Certificate,
  issuer: Certificate,
  sources: readonly RevocationSource[],
): Statement[] {
  return sources.flatMap(source => {
    try {
      const said =
        source.kind === 'OCSP' ? ocspSays(source.der, certificate, issuer) : crlSays(source.der, certificate, issuer);
      return said.map(statement => ({ ...statement, source: source.kind, where: source.where }));
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}

type Said = Omit<Statement, 'source' | 'where'>;

const UNSPECIFIED = 0;

function ocspSays(bytes: Uint8Array, certificate: Certificate, issuer: Certificate): Said[] {
  const response = new Fields(read(bytes, TAG.sequence).content);
  if (smallIntegerOf(response.next(TAG.enumerated)) !== 0) return [];
  const body = new Fields(read(response.next(constructed(0)).content, TAG.sequence).content);
  response.finish();
  if (oidOf(body.next(TAG.oid)) !== OID.ocspBasic) return [];
  const basic = new Fields(read(body.next(TAG.octetString).content, TAG.sequence).content);
  body.finish();
  const data = basic.next(TAG.sequence);
  const algorithm = basic.next(TAG.sequence);
  const signature = bitsOf(basic.next(TAG.bitString));
  const certificates = basic.optional(constructed(0));
  basic.finish();

  const { responder, producedAt, singles } = parseResponseData(data.content);
  const about = singles.filter(single => isAbout(single.certId, certificate, issuer));
  if (about.length === 0) return [];
  const offered = certificates ? certificatesIn(read(certificates.content, TAG.sequence).content) : [];
  const signer = [issuer, ...offered].find(
    candidate => isResponder(responder, candidate) && ocspResponderFault(candidate, issuer, producedAt) === null,
  );
  if (!signer || !signatureHolds(algorithm, signer.publicKey, data.bytes, signature)) return [];
  return about.flatMap(({ status, thisUpdate, nextUpdate }) =>
    status === 'unknown' ? [] : [{ ...status, thisUpdate, nextUpdate }],
  );
}

interface Single {
  readonly certId: Element;
  readonly status: { readonly revokedAt: Date | null; readonly reason: number | null } | 'unknown';
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | null;
}

function parseResponseData(content: Uint8Array) {
  const fields = new Fields(content);
  const version = fields.optional(constructed(0));
  if (version && smallIntegerOf(read(version.content, TAG.integer)) !== 0) throw new DerError('unknown version');
  const responder = fields.any();
  const producedAt = timeOf(fields.next(TAG.generalizedTime));
  const list = fields.sequence();
  refuseCritical(fields.optional(constructed(1)));
  fields.finish();
  const singles: Single[] = [];
  while (!list.done) singles.push(parseSingle(list.sequence()));
  return { responder, producedAt, singles };
}

function parseSingle(fields: Fields): Single {
  const certId = fields.next(TAG.sequence);
  const status = parseStatus(fields.any());
  const thisUpdate = timeOf(fields.next(TAG.generalizedTime));
  const next = fields.optional(constructed(0));
  refuseCritical(fields.optional(constructed(1)));
  fields.finish();
  return { certId, status, thisUpdate, nextUpdate: next && timeOf(read(next.content, TAG.generalizedTime)) };
}

function parseStatus(element: Element): Single['status'] {
  if (element.tag === primitive(0)) return { revokedAt: null, reason: null };
  if (element.tag === primitive(2)) return 'unknown';
  if (element.tag !== constructed(1)) throw new DerError('bad CertStatus');
  const fields = new Fields(element.content);
  const revokedAt = timeOf(fields.next(TAG.generalizedTime));
  const reason = fields.optional(constructed(0));
  fields.finish();
  return { revokedAt, reason: reason ? smallIntegerOf(read(reason.content, TAG.enumerated)) : UNSPECIFIED };
}

/** CertID (RFC 6960 §4.1.1): issuer's name and key by hash, and the serial number. */
function isAbout(certId: Element, certificate: Certificate, issuer: Certificate): boolean {
  const fields = new Fields(certId.content);
  const hash = hashOf(fields.next(TAG.sequence));
  const nameHash = fields.next(TAG.octetString).content;
  const keyHash = fields.next(TAG.octetString).content;
  const serial = integerOf(fields.next(TAG.integer));
  fields.finish();
  return (
    hash !== null &&
    serial === certificate.serial &&
    equal(nameHash, digest(hash, issuer.subject)) &&
    equal(keyHash, digest(hash, keyBits(issuer)))
  );
}

function keyBits(certificate: Certificate): Uint8Array {
  const fields = new Fields(read(certificate.publicKeyInfo, TAG.sequence).content);
  fields.next(TAG.sequence);
  return bitsOf(fields.next(TAG.bitString));
}

/** ResponderID: [1] name or [2] SHA-1 of the key. */
function isResponder(responder: Element, candidate: Certificate): boolean {
  if (responder.tag === constructed(1)) return equal(responder.content, candidate.subject);
  if (responder.tag !== constructed(2)) return false;
  return equal(read(responder.content, TAG.octetString).content, keyIdentifier(candidate.publicKeyInfo));
}

function certificatesIn(content: Uint8Array): Certificate[] {
  const fields = new Fields(content);
  const list: Certificate[] = [];
  while (!fields.done) list.push(parseCertificate(new Uint8Array(fields.next(TAG.sequence).bytes)));
  return list;
}

/** @throws DerError when one is critical: none of these is understood here */
function refuseCritical(extensions: Element | null): void {
  if (!extensions) return;
  for (const [oid, { critical }] of parseExtensions(read(extensions.content, TAG.sequence))) {
    if (critical) throw new DerError(`unknown critical extension ${oid}`);
  }
}

function crlSays(bytes: Uint8Array, certificate: Certificate, issuer: Certificate): Said[] {
  const statement = crlStatement(bytes, certificate, issuer);
  return statement ? [statement] : [];
}
