/** Encoders for the certificate extensions that our profiles use (RFC 5280 §4.2). */
import { concat, der } from './der.ts';
import { OID } from './oids.ts';

/** Bit numbers of KeyUsage (RFC 5280 §4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, cRLSign: 6 } as const;

export function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
}

/** Critical. A CA with its path length limit, or no CA (an empty SEQUENCE: FALSE is the default). */
export function basicConstraints(pathLength: number | null): Uint8Array {
  const value = pathLength === null ? der.sequence() : der.sequence(der.boolean(true), der.integer(pathLength));
  return extension(OID.basicConstraints, value, true);
}

/** Critical. */
export function keyUsage(...bits: readonly number[]): Uint8Array {
  return extension(OID.keyUsage, der.flags(...bits), true);
}

export function extendedKeyUsage(purposes: readonly string[], critical = false): Uint8Array {
  return extension(OID.extKeyUsage, der.sequence(...purposes.map(der.oid)), critical);
}

export function subjectKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return extension(OID.subjectKeyIdentifier, der.octetString(identifier));
}

export function authorityKeyIdentifier(identifier: Uint8Array): Uint8Array {
  return extension(OID.authorityKeyIdentifier, der.sequence(der.primitive(0, identifier)));
}

export function certificatePolicies(...policies: readonly string[]): Uint8Array {
  return extension(OID.certificatePolicies, der.sequence(...policies.map(oid => der.sequence(der.oid(oid)))));
}

const uri = (url: string): Uint8Array => der.primitive(6, Buffer.from(url, 'latin1'));

export function crlDistributionPoint(url: string): Uint8Array {
  const point = der.sequence(der.constructed(0, der.constructed(0, uri(url))));
  return extension(OID.crlDistributionPoints, der.sequence(point));
}

export function authorityInfoAccess(access: { readonly ocsp: string; readonly caIssuers: string }): Uint8Array {
  const description = (method: string, url: string) => der.sequence(der.oid(method), uri(url));
  return extension(
    OID.authorityInfoAccess,
    der.sequence(description(OID.ocsp, access.ocsp), description(OID.caIssuers, access.caIssuers)),
  );
}

/** Where the subject is found on the web. */
export function urlAltName(url: string): Uint8Array {
  return extension(OID.subjectAltName, der.sequence(uri(url)));
}

/** rfc822Name, or SmtpUTF8Mailbox (RFC 9598) for a mailbox that isn't ASCII. */
export function mailAltName(mail: string): Uint8Array {
  const ascii = /^[\x21-\x7e]+$/.test(mail);
  const name = ascii
    ? der.primitive(1, Buffer.from(mail, 'latin1'))
    : der.constructed(0, concat(der.oid(OID.smtpUtf8Mailbox), der.constructed(0, der.utf8String(mail))));
  return extension(OID.subjectAltName, der.sequence(name));
}
