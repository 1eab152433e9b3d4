/**
 * What a document child reads from XML files: enough to sign one, or the parts of its signature, all as octets and plain
 * values. The one place that knows the parser's types; nothing is verified here.
 */
import { createHash } from 'node:crypto';
import type { XmlDocument, XmlElement } from 'libxml2-wasm';
import { SignatureInvalid } from '../invalid.ts';
import { canonical, elementsOf, withXml } from './canonical.ts';
import { ID_PREFIX, type RootEnd, XmlRefused } from './gate.ts';
import { DS, ENVELOPED, EXCLUSIVE_C14N, SIGNED_PROPERTIES, XADES } from './names.ts';

export interface XmlToSign {
  /** SHA-256 of the file's canonical octets. */
  readonly digest: Uint8Array;
  readonly rootEnd: RootEnd;
}

/** @throws XmlRefused */
export function readXmlToSign(bytes: Uint8Array): XmlToSign {
  return withXml(bytes, false, ({ document, rootEnd }) => {
    if (signaturesIn(document).length > 0)
      throw new XmlRefused('already-signed', 'XML files that carry a signature already are not signed again');
    if (document.get(`//@*[starts-with(normalize-space(.), '${ID_PREFIX}')]`) !== null)
      throw new XmlRefused('duplicate-id', 'an id in the file begins as those of our signatures do');
    return { digest: createHash('sha256').update(canonical(document)).digest(), rootEnd };
  });
}

/** A digest as XML writes it. */
export interface XmlDigest {
  /** URI of the digest method. */
  readonly method: string;
  readonly value: Uint8Array;
}

/** An enveloped XAdES signature taken apart. */
export interface XadesParts {
  /** Canonical octets of the file without the signature, and of the signature's parts. */
  readonly content: Uint8Array;
  readonly signedInfo: Uint8Array;
  readonly signedProperties: Uint8Array;
  /** Of the element SignatureValue: what a SignatureTimeStamp is about. */
  readonly signatureValueElement: Uint8Array;
  /** URI. */
  readonly signatureMethod: string;
  readonly signatureValue: Uint8Array;
  readonly contentDigest: XmlDigest;
  readonly propertiesDigest: XmlDigest;
  /** X509Certificate elements, DER, in their order. */
  readonly certificates: readonly Uint8Array[];
  /** CertDigest of the first Cert in SigningCertificateV2. */
  readonly signingCertificate: XmlDigest;
  /** As written. */
  readonly signingTime: string | null;
  /** TimeStampTokens, DER. */
  readonly timestamps: readonly Uint8Array[];
}

/** @throws XmlRefused; SignatureInvalid when it isn't exactly one signature with exactly the two references */
export function readXades(bytes: Uint8Array): XadesParts {
  return withXml(bytes, true, ({ document }) => {
    const [signature, ...others] = signaturesIn(document);
    if (signature === undefined) throw malformed('the file has no signature');
    if (others.length > 0) throw refused('the file has several signatures');
    if (signature.parent === null) throw refused('the signature is not inside of what it signs');
    return takeApart(document, signature);
  });
}

function signaturesIn(document: XmlDocument): XmlElement[] {
  return document.find('//ds:Signature', { ds: DS }) as XmlElement[];
}

function takeApart(document: XmlDocument, signature: XmlElement): XadesParts {
  const [signedInfo, signatureValue, keyInfo, object] = exactly(signature, DS, [
    'SignedInfo',
    'SignatureValue',
    'KeyInfo',
    'Object',
  ]);
  const [qualifying] = exactly(object!, XADES, ['QualifyingProperties']);
  const id = attribute(signature, 'Id');
  if (id === null || attribute(qualifying!, 'Target') !== `#${id}`)
    throw malformed('its properties belong to another signature');
  const [signedProperties, unsigned, ...more] = named(qualifying!, XADES, ['SignedProperties', 'UnsignedProperties']);
  if (signedProperties?.name !== 'SignedProperties' || more.length > 0) throw malformed('it has no signed properties');

  const references = readSignedInfo(signedInfo!, attribute(signedProperties, 'Id'));
  const parts = {
    signedInfo: canonical(signedInfo!),
    signedProperties: canonical(signedProperties),
    signatureValueElement: canonical(signatureValue!),
    ...references,
    signatureValue: base64(signatureValue!),
    certificates: readKeyInfo(keyInfo!),
    ...readSignedProperties(signedProperties),
    timestamps: unsigned === undefined ? [] : readTimestamps(unsigned),
  };
  // The enveloped-signature transform (XMLDSig §6.6.4).
  signature.remove();
  return { ...parts, content: canonical(document) };
}

/** Exactly the file and the signed properties, each by the transforms that we know. */
function readSignedInfo(signedInfo: XmlElement, propertiesId: string | null) {
  const [method, signatureMethod, content, properties] = exactly(signedInfo, DS, [
    'CanonicalizationMethod',
    'SignatureMethod',
    'Reference',
    'Reference',
  ]);
  if (algorithm(method!) !== EXCLUSIVE_C14N) throw refused('an unexpected canonicalization method');
  // Which of the two comes first is the signer's choice.
  const [first, second] = attribute(content!, 'URI') === '' ? [content!, properties!] : [properties!, content!];
  if (attribute(first, 'URI') !== '') throw refused('it does not cover the whole file');
  if (
    propertiesId === null ||
    attribute(second, 'URI') !== `#${propertiesId}` ||
    attribute(second, 'Type') !== SIGNED_PROPERTIES
  )
    throw refused('it does not cover its signed properties');
  return {
    signatureMethod: algorithm(signatureMethod!),
    contentDigest: readReference(first, [ENVELOPED, EXCLUSIVE_C14N]),
    propertiesDigest: readReference(second, [EXCLUSIVE_C14N]),
  };
}

function readReference(reference: XmlElement, transforms: readonly string[]): XmlDigest {
  const [list, method, value] = exactly(reference, DS, ['Transforms', 'DigestMethod', 'DigestValue']);
  const found = named(list!, DS, ['Transform']).map(algorithm);
  if (found.length !== transforms.length || found.some((uri, index) => uri !== transforms[index]))
    throw refused('it covers something else than the file as it is');
  return { method: algorithm(method!), value: base64(value!) };
}

function readKeyInfo(keyInfo: XmlElement): Uint8Array[] {
  return elementsOf(keyInfo)
    .filter(element => isNamed(element, DS, 'X509Data'))
    .flatMap(elementsOf)
    .filter(element => isNamed(element, DS, 'X509Certificate'))
    .map(base64);
}

function readSignedProperties(properties: XmlElement) {
  const aboutSignature = elementsOf(properties).find(element => isNamed(element, XADES, 'SignedSignatureProperties'));
  const elements = aboutSignature ? elementsOf(aboutSignature) : [];
  const one = (name: string): XmlElement | null => {
    const [found, ...others] = elements.filter(element => isNamed(element, XADES, name));
    if (others.length > 0) throw malformed(`${name} twice`);
    return found ?? null;
  };
  const signingCertificate = one('SigningCertificateV2');
  const cert = signingCertificate && elementsOf(signingCertificate)[0];
  const digest = cert && elementsOf(cert)[0];
  if (!cert || !digest || !isNamed(cert, XADES, 'Cert') || !isNamed(digest, XADES, 'CertDigest'))
    throw refused('it does not name the certificate that it was made with');
  const [method, value] = exactly(digest, DS, ['DigestMethod', 'DigestValue']);
  return {
    signingCertificate: { method: algorithm(method!), value: base64(value!) },
    signingTime: one('SigningTime')?.content.trim() ?? null,
  };
}

function readTimestamps(unsigned: XmlElement): Uint8Array[] {
  return elementsOf(unsigned)
    .filter(element => isNamed(element, XADES, 'UnsignedSignatureProperties'))
    .flatMap(elementsOf)
    .filter(element => isNamed(element, XADES, 'SignatureTimeStamp'))
    .flatMap(stamp => {
      const [method] = elementsOf(stamp);
      if (!method || !isNamed(method, DS, 'CanonicalizationMethod') || algorithm(method) !== EXCLUSIVE_C14N)
        throw refused('a timestamp with an unexpected canonicalization method');
      return elementsOf(stamp)
        .filter(element => isNamed(element, XADES, 'EncapsulatedTimeStamp'))
        .map(base64);
    });
}

const isNamed = (element: XmlElement, namespace: string, name: string): boolean =>
  element.name === name && element.namespaceUri === namespace;

/** The child elements, which must have these names in this order. */
function exactly(parent: XmlElement, namespace: string, names: readonly string[]): XmlElement[] {
  const elements = elementsOf(parent);
  if (elements.length !== names.length || elements.some((element, i) => !isNamed(element, namespace, names[i]!)))
    throw malformed(`${parent.name} has not the parts that it should have`);
  return elements;
}

/** The child elements, each of which must have one of these names. */
function named(parent: XmlElement, namespace: string, names: readonly string[]): XmlElement[] {
  const elements = elementsOf(parent);
  if (elements.some(element => element.namespaceUri !== namespace || !names.includes(element.name)))
    throw malformed(`${parent.name} has a part that it should not have`);
  return elements;
}

const attribute = (element: XmlElement, name: string): string | null =>
  element.attrs.find(one => one.name === name && one.namespaceUri === '')?.value ?? null;

/** The Algorithm of an element without parameters. */
function algorithm(element: XmlElement): string {
  if (elementsOf(element).length > 0) throw refused(`${element.name} has parameters`);
  return attribute(element, 'Algorithm') ?? '';
}

/** Canonical base64, wrapped or not. */
function base64(element: XmlElement): Uint8Array {
  if (elementsOf(element).length > 0) throw malformed(`${element.name} holds more than text`);
  const text = element.content.replace(/[ \t\r\n]+/g, '');
  const value = Buffer.from(text, 'base64');
  if (value.toString('base64') !== text) throw malformed(`${element.name} is not base64`);
  return new Uint8Array(value);
}

const malformed = (what: string): SignatureInvalid => new SignatureInvalid('FORMAT_FAILURE', what);
const refused = (what: string): SignatureInvalid => new SignatureInvalid('SIG_CONSTRAINTS_FAILURE', what);
