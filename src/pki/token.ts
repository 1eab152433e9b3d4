/** Timestamp tokens (RFC 3161 §2.4.2, RFC 5816): the structures, and a full check of one. */
import { digest, type Hash, hashOf, signatureHolds } from './algorithms.ts';
import { buildChain, ChainInvalid, keyUsageOf, purposesOf } from './chain.ts';
import {
  booleanOf,
  children,
  constructed,
  DerError,
  der,
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
} from './der.ts';
import { KEY_USAGE } from './extensions.ts';
import { OID } from './oids.ts';
import type { Timestamp } from './pki.ts';
import { type Certificate, keyIdentifier, parseCertificate } from './x509.ts';

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
    if (error instanceof DerError || error instanceof ChainInvalid) throw new TokenInvalid(error.message);
    throw error;
  }
}

function check(token: Uint8Array, expected: TokenExpectation): Timestamp {
  const { content, certificates, signerInfo } = parseSignedData(token);
  const info = parseTstInfo(content);
  if (info.hash !== 'sha256' || !equal(info.imprint, expected.sha256)) throw new TokenInvalid('another imprint');
  if (info.nonce !== expected.nonce) throw new TokenInvalid('another nonce');
  if (info.time < expected.notBefore || info.time > expected.notAfter) {
    throw new TokenInvalid(`its time ${info.time.toISOString()} can't be`);
  }

  const signer = certificates.find(certificate => isSigner(signerInfo.signer, certificate));
  if (!signer) throw new TokenInvalid("the signer's certificate is not in it");
  checkPurpose(signer);
  checkAttributes(signerInfo, content, signer);
  const signedAttributes = der.retag(TAG.set, signerInfo.signedAttributes.bytes);
  if (
    !signatureHolds(
      signerInfo.signatureAlgorithm,
      signer.publicKey,
      signedAttributes,
      signerInfo.signature,
      signerInfo.hash,
    )
  ) {
    throw new TokenInvalid('the signature does not hold');
  }
  const chain = buildChain(signer, certificates, expected.anchors, info.time);
  return { token, time: info.time, certificates: chain.map(certificate => certificate.der) };
}

interface SignerInfo {
  readonly signer: Element;
  readonly hash: Hash;
  readonly signedAttributes: Element;
  readonly signatureAlgorithm: Element;
  readonly signature: Uint8Array;
}

/** ContentInfo with SignedData over a TSTInfo and exactly one SignerInfo (RFC 5652 §5, RFC 3161 §2.4.2). */
function parseSignedData(token: Uint8Array) {
  const contentInfo = new Fields(read(token, TAG.sequence).content);
  if (oidOf(contentInfo.next(TAG.oid)) !== OID.signedData) throw new DerError('not SignedData');
  const fields = new Fields(read(contentInfo.next(constructed(0)).content, TAG.sequence).content);
  contentInfo.finish();

  if (smallIntegerOf(fields.next(TAG.integer)) !== 3) throw new DerError('not SignedData version 3');
  fields.next(TAG.set);
  const encapsulated = fields.sequence();
  if (oidOf(encapsulated.next(TAG.oid)) !== OID.tstInfo) throw new DerError('not about a TSTInfo');
  const content = read(encapsulated.next(constructed(0)).content, TAG.octetString).content;
  encapsulated.finish();
  const certificates = children(fields.optional(constructed(0))?.content ?? new Uint8Array()).flatMap(usable);
  fields.optional(constructed(1));
  const signerInfos = new Fields(fields.next(TAG.set).content);
  fields.finish();
  const signerInfo = parseSignerInfo(signerInfos.sequence());
  signerInfos.finish();
  return { content, certificates, signerInfo };
}

/** Authorities add what they like (a version 1 root, attribute certificates): what can't be read can't be in the chain. */
function usable({ bytes }: Element): Certificate[] {
  try {
    return [parseCertificate(new Uint8Array(bytes))];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

function parseSignerInfo(fields: Fields): SignerInfo {
  smallIntegerOf(fields.next(TAG.integer));
  const signer = fields.any();
  const hash = hashOf(fields.next(TAG.sequence));
  if (!hash || hash === 'sha1') throw new DerError('digest algorithm not allowed');
  const signedAttributes = fields.next(constructed(0));
  const signatureAlgorithm = fields.next(TAG.sequence);
  const signature = fields.next(TAG.octetString).content;
  fields.optional(constructed(1));
  fields.finish();
  return { signer, hash, signedAttributes, signatureAlgorithm, signature };
}

/** SignerIdentifier: issuer and serial number, or [0] subject key identifier. */
function isSigner(identifier: Element, certificate: Certificate): boolean {
  if (identifier.tag === primitive(0)) {
    const extension = certificate.extensions.get(OID.subjectKeyIdentifier);
    const own = extension ? read(extension.value, TAG.octetString).content : keyIdentifier(certificate.publicKeyInfo);
    return equal(own, identifier.content);
  }
  const fields = new Fields(read(identifier.bytes, TAG.sequence).content);
  return isIssuerAndSerial(fields.next(TAG.sequence).bytes, fields.next(TAG.integer), certificate);
}

function isIssuerAndSerial(issuer: Uint8Array, serial: Element, certificate: Certificate): boolean {
  return equal(issuer, certificate.issuer) && integerOf(serial) === certificate.serial;
}

/** RFC 3161 §2.3: extended key usage critical and timeStamping alone; key usage, where present, allows signing. */
function checkPurpose(signer: Certificate): void {
  const purposes = purposesOf(signer);
  if (!purposes?.critical || purposes.oids.length !== 1 || purposes.oids[0] !== OID.timeStamping) {
    throw new TokenInvalid('the signer is not a timestamp authority');
  }
  const usage = keyUsageOf(signer);
  if (usage && !usage.has(KEY_USAGE.digitalSignature) && !usage.has(KEY_USAGE.nonRepudiation)) {
    throw new TokenInvalid("the signer's key is not for signing");
  }
}

/** content-type, message-digest and ESS signing certificate, each once with one value (RFC 5652 §11, RFC 5816 §2.2.1). */
function checkAttributes({ signedAttributes, hash }: SignerInfo, content: Uint8Array, signer: Certificate): void {
  const attributes = new Map<string, Element>();
  for (const attribute of children(signedAttributes.content)) {
    const fields = new Fields(read(attribute.bytes, TAG.sequence).content);
    const type = oidOf(fields.next(TAG.oid));
    const values = children(fields.next(TAG.set).content);
    fields.finish();
    if (attributes.has(type)) throw new TokenInvalid(`attribute ${type} twice`);
    if (values[0]) attributes.set(type, values[0]);
    if (values.length > 1 && type !== OID.signingCertificate)
      throw new TokenInvalid(`attribute ${type} has two values`);
  }
  const contentType = attributes.get(OID.contentType);
  if (!contentType || oidOf(contentType) !== OID.tstInfo) throw new TokenInvalid('another content type');
  const messageDigest = attributes.get(OID.messageDigest);
  if (!messageDigest || !equal(read(messageDigest.bytes, TAG.octetString).content, digest(hash, content))) {
    throw new TokenInvalid('the message digest differs');
  }
  const v2 = attributes.get(OID.signingCertificateV2);
  const v1 = attributes.get(OID.signingCertificate);
  if (!v2 && !v1) throw new TokenInvalid('no signing certificate attribute');
  if ((v2 && !namesSigner(v2, signer, true)) || (v1 && !namesSigner(v1, signer, false))) {
    throw new TokenInvalid('the signing certificate attribute names another certificate');
  }
}

/** Whether the first ESSCertID (RFC 2634 §5.4) or ESSCertIDv2 (RFC 5035 §4) is the signer's. */
function namesSigner(attribute: Element, signer: Certificate, v2: boolean): boolean {
  const certIds = new Fields(read(attribute.bytes, TAG.sequence).content).sequence();
  const certId = certIds.sequence();
  const algorithm = v2 ? certId.optional(TAG.sequence) : null;
  const hash = v2 ? (algorithm ? hashOf(algorithm) : 'sha256') : 'sha1';
  if (hash === null || (v2 && hash === 'sha1')) return false;
  if (!equal(certId.next(TAG.octetString).content, digest(hash, signer.der))) return false;
  const issuerSerial = certId.optional(TAG.sequence);
  certId.finish();
  if (!issuerSerial) return true;
  const fields = new Fields(issuerSerial.content);
  const names = fields.sequence();
  const name = read(names.next(constructed(4)).content, TAG.sequence).bytes;
  names.finish();
  const serial = fields.next(TAG.integer);
  fields.finish();
  return isIssuerAndSerial(name, serial, signer);
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
