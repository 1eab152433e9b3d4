/**
 * CMS SignedData with exactly one signer (RFC 5652 §5), read strictly and checked: the one reader behind timestamp tokens
 * and document signatures. Trust is not decided here.
 */
import { digest, type Hash, hashOf, signatureHolds } from './algorithms.ts';
import {
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
} from './der.ts';
import { OID } from './oids.ts';
import { type Certificate, keyIdentifier, parseCertificate } from './x509.ts';

/** Which rule a signature breaks. */
export type SignedDataFault = 'format' | 'no-signer' | 'digest' | 'signature' | 'signing-certificate' | 'algorithm';

export class SignedDataInvalid extends Error {
  override readonly name = 'SignedDataInvalid';
  readonly fault: SignedDataFault;
  constructor(fault: SignedDataFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Values by attribute type. */
export type Attributes = ReadonlyMap<string, readonly Element[]>;

export interface SignerInfo {
  readonly version: number;
  /** SignerIdentifier. */
  readonly signer: Element;
  readonly hash: Hash;
  /** [0] IMPLICIT SET OF, as it stands there; null where the signature is over the content itself. */
  readonly signedAttributes: Element | null;
  readonly signed: Attributes;
  readonly signatureAlgorithm: Element;
  readonly signature: Uint8Array;
  readonly unsigned: Attributes;
}

export interface SignedData {
  readonly version: number;
  readonly digestAlgorithms: readonly (Hash | null)[];
  readonly contentType: string;
  /** Null for a detached signature. */
  readonly content: Uint8Array | null;
  /** CertificateChoices, as they stand there. */
  readonly certificateElements: readonly Element[];
  /** Those that can be read. */
  readonly certificates: readonly Certificate[];
  /** RevocationInfoChoices. */
  readonly revocations: readonly Element[];
  readonly signerInfo: SignerInfo;
}

/** @param bytes ContentInfo, DER, nothing after it. @throws DerError; SignedDataInvalid */
export function parseSignedData(bytes: Uint8Array): SignedData {
  const contentInfo = new Fields(read(bytes, TAG.sequence).content);
  if (oidOf(contentInfo.next(TAG.oid)) !== OID.signedData) throw new DerError('not SignedData');
  const fields = new Fields(read(contentInfo.next(constructed(0)).content, TAG.sequence).content);
  contentInfo.finish();

  const version = smallIntegerOf(fields.next(TAG.integer));
  const digestAlgorithms = children(fields.next(TAG.set).content).map(({ bytes: identifier }) =>
    hashOf(read(identifier, TAG.sequence)),
  );
  const encapsulated = fields.sequence();
  const contentType = oidOf(encapsulated.next(TAG.oid));
  const explicit = encapsulated.optional(constructed(0));
  encapsulated.finish();
  const content = explicit && read(explicit.content, TAG.octetString).content;
  const certificateElements = children(fields.optional(constructed(0))?.content ?? new Uint8Array());
  const revocations = children(fields.optional(constructed(1))?.content ?? new Uint8Array());
  const signerInfos = new Fields(fields.next(TAG.set).content);
  fields.finish();
  const signerInfo = parseSignerInfo(signerInfos.sequence());
  if (!signerInfos.done) throw new SignedDataInvalid('format', 'more than one signer');
  const certificates = certificateElements.flatMap(usable);
  return {
    version,
    digestAlgorithms,
    contentType,
    content,
    certificateElements,
    certificates,
    revocations,
    signerInfo,
  };
}

/** Authorities add what they like (a version 1 root, attribute certificates): what can't be read can't be in the chain. */
export function usable({ bytes }: Element): Certificate[] {
  try {
    return [parseCertificate(new Uint8Array(bytes))];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

function parseSignerInfo(fields: Fields): SignerInfo {
  const version = smallIntegerOf(fields.next(TAG.integer));
  const signer = fields.any();
  const hash = hashOf(fields.next(TAG.sequence));
  if (!hash || hash === 'sha1') throw new SignedDataInvalid('algorithm', 'a digest algorithm that is not allowed');
  const signedAttributes = fields.optional(constructed(0));
  const signatureAlgorithm = fields.next(TAG.sequence);
  const signature = fields.next(TAG.octetString).content;
  const unsignedAttributes = fields.optional(constructed(1));
  fields.finish();
  return {
    version,
    signer,
    hash,
    signedAttributes,
    signed: signedAttributes ? parseAttributes(signedAttributes.content) : new Map(),
    signatureAlgorithm,
    signature,
    unsigned: unsignedAttributes ? parseAttributes(unsignedAttributes.content) : new Map(),
  };
}

/** Each type at most once, with at least one value (RFC 5652 §5.3, §11). */
function parseAttributes(content: Uint8Array): Attributes {
  const attributes = new Map<string, readonly Element[]>();
  for (const attribute of children(content)) {
    const fields = new Fields(read(attribute.bytes, TAG.sequence).content);
    const type = oidOf(fields.next(TAG.oid));
    const values = children(fields.next(TAG.set).content);
    fields.finish();
    if (attributes.has(type)) throw new SignedDataInvalid('format', `attribute ${type} twice`);
    if (values.length === 0) throw new SignedDataInvalid('format', `attribute ${type} has no value`);
    attributes.set(type, values);
  }
  return attributes;
}

/** The one certificate that the SignerInfo names. @throws SignedDataInvalid */
export function signerOf(data: SignedData, others: readonly Certificate[] = []): Certificate {
  const signer = [...data.certificates, ...others].find(certificate => isSigner(data.signerInfo.signer, certificate));
  if (!signer) throw new SignedDataInvalid('no-signer', "the signer's certificate is not in it");
  return signer;
}

/** SignerIdentifier: issuer and serial number, or [0] subject key identifier. */
export function isSigner(identifier: Element, certificate: Certificate): boolean {
  if (identifier.tag === primitive(0)) {
    const extension = certificate.extensions.get(OID.subjectKeyIdentifier);
    const own = extension ? read(extension.value, TAG.octetString).content : keyIdentifier(certificate.publicKeyInfo);
    return equal(own, identifier.content);
  }
  const fields = new Fields(read(identifier.bytes, TAG.sequence).content);
  const issuer = fields.next(TAG.sequence).bytes;
  const serial = fields.next(TAG.integer);
  fields.finish();
  return isIssuerAndSerial(issuer, serial, certificate);
}

function isIssuerAndSerial(issuer: Uint8Array, serial: Element, certificate: Certificate): boolean {
  return equal(issuer, certificate.issuer) && integerOf(serial) === certificate.serial;
}

export interface SignatureExpectation {
  readonly contentType: string;
  /** What was signed, by its digest. */
  readonly digestOf: (hash: Hash) => Uint8Array;
  readonly signer: Certificate;
  /** Whether an ESS signing certificate (RFC 5035; RFC 2634) must be there. */
  readonly signingCertificate: 'required' | 'optional';
}

/**
 * Checks content-type, message-digest and ESS signing certificate, each once with one value (RFC 5652 §11, RFC 5816
 * §2.2.1), and the signature over them. @throws SignedDataInvalid; DerError
 */
export function checkSigner(data: SignedData, expected: SignatureExpectation): void {
  const { signerInfo } = data;
  const { signed, hash, signedAttributes } = signerInfo;
  if (!signedAttributes) throw new SignedDataInvalid('format', 'no signed attributes');
  for (const [type, values] of signed) {
    if (values.length > 1 && type !== OID.signingCertificate)
      throw new SignedDataInvalid('format', `attribute ${type} has two values`);
  }
  const first = (type: string): Element | undefined => signed.get(type)?.[0];
  const contentType = first(OID.contentType);
  if (!contentType || oidOf(contentType) !== expected.contentType || data.contentType !== expected.contentType)
    throw new SignedDataInvalid('format', 'another content type');
  const messageDigest = first(OID.messageDigest);
  if (!messageDigest) throw new SignedDataInvalid('format', 'no message digest');
  if (!equal(read(messageDigest.bytes, TAG.octetString).content, expected.digestOf(hash)))
    throw new SignedDataInvalid('digest', 'the message digest differs');
  checkSigningCertificate(
    first(OID.signingCertificateV2),
    first(OID.signingCertificate),
    expected.signer,
    expected.signingCertificate,
  );
  // RFC 5652 §5.4: the signature is over the attributes as SET OF.
  const bytes = der.retag(TAG.set, signedAttributes.bytes);
  const { signatureAlgorithm, signature } = signerInfo;
  if (!signatureHolds(signatureAlgorithm, expected.signer.publicKey, bytes, signature, hash))
    throw new SignedDataInvalid('signature', 'the signature does not hold');
}

/**
 * Checks a signature without signed attributes, which is over the content itself (RFC 5652 §5.4): it says neither which
 * certificate nor what type of content was meant. @throws SignedDataInvalid
 */
export function checkBareSigner(data: SignedData, signer: Certificate, content: Uint8Array): void {
  const { signatureAlgorithm, signature, hash, signedAttributes } = data.signerInfo;
  // Signed attributes begin like this: what was signed as attributes must not be taken for a content.
  if (signedAttributes || content[0] === TAG.set || data.contentType !== OID.data)
    throw new SignedDataInvalid('format', 'no signed attributes');
  if (!signatureHolds(signatureAlgorithm, signer.publicKey, content, signature, hash))
    throw new SignedDataInvalid('signature', 'the signature does not hold');
}

function checkSigningCertificate(
  v2: Element | undefined,
  v1: Element | undefined,
  signer: Certificate,
  need: 'required' | 'optional',
): void {
  if (!v2 && !v1 && need === 'required')
    throw new SignedDataInvalid('signing-certificate', 'no signing certificate attribute');
  if ((v2 && !namesSigner(v2, signer, true)) || (v1 && !namesSigner(v1, signer, false)))
    throw new SignedDataInvalid('signing-certificate', 'the signing certificate attribute names another certificate');
}

/** Whether the first ESSCertID (RFC 2634 §5.4) or ESSCertIDv2 (RFC 5035 §4) is the signer's. */
export function namesSigner(attribute: Element, signer: Certificate, v2: boolean): boolean {
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
