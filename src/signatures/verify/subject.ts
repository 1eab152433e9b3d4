/** Names in certificates (RFC 5280 §4.1.2.4) for people to read: never markup, never control or direction marks. */
import { cleanLine } from '../../outbound/clean.ts';
import { children, DerError, type Element, Fields, latin1, oidOf, read, TAG } from '../../pki/der.ts';
import { OID } from '../../pki/oids.ts';
import type { Certificate } from '../../pki/x509.ts';
import type { ChainLink, Subject } from './result.ts';

const SHORT: ReadonlyMap<string, string> = new Map([
  [OID.commonName, 'CN'],
  [OID.surname, 'SN'],
  [OID.givenName, 'GN'],
  [OID.serialNumber, 'serialNumber'],
  [OID.countryName, 'C'],
  [OID.organizationName, 'O'],
  [OID.organizationIdentifier, 'organizationIdentifier'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.65', 'pseudonym'],
  ['1.2.840.113549.1.9.1', 'E'],
]);
const BMP_STRING = 0x1e;
const MAX_NAME = 200;

/** @param name DER */
export function describeName(name: Uint8Array): Subject {
  const attributes: [string, string][] = [];
  try {
    for (const rdn of children(read(name, TAG.sequence).content)) {
      for (const attribute of children(rdn.content)) {
        const fields = new Fields(attribute.content);
        attributes.push([oidOf(fields.next(TAG.oid)), cleanLine(textOf(fields.any()), MAX_NAME)]);
      }
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
  const first = (oid: string): string | null => attributes.find(([type]) => type === oid)?.[1] || null;
  const organization = first(OID.organizationName);
  return {
    name: first(OID.commonName) ?? organization ?? 'no name',
    organization,
    person: first(OID.surname) !== null || first(OID.givenName) !== null,
    full: attributes.map(([oid, text]) => `${SHORT.get(oid) ?? oid}=${text}`).join(', '),
  };
}

function textOf({ tag, content }: Element): string {
  if (tag === TAG.utf8String) return Buffer.from(content).toString('utf8');
  if (tag !== BMP_STRING || content.length % 2 === 1) return latin1(content);
  return Buffer.from(content).swap16().toString('utf16le');
}

export function describeCertificate(certificate: Certificate, anchor: boolean): ChainLink {
  return {
    subject: describeName(certificate.subject),
    issuer: describeName(certificate.issuer).name,
    serial: certificate.serial,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    anchor,
  };
}
