/** Distinguished names (X.520, RFC 5280 §4.1.2.4), one attribute to an RDN. */
import { der } from './der.ts';
import { OID } from './oids.ts';

/** RFC 5280 Appendix A.1: ub-common-name, ub-organization-name, ub-serial-number and their like. */
const UPPER_BOUND = 64;

export type NameAttribute = keyof Pick<
  typeof OID,
  | 'commonName'
  | 'surname'
  | 'givenName'
  | 'serialNumber'
  | 'countryName'
  | 'organizationName'
  | 'organizationIdentifier'
>;

/** A Name from attributes in order; those that are null or empty are left out. */
export function distinguishedName(
  ...attributes: readonly (readonly [NameAttribute, string | null | undefined])[]
): Uint8Array {
  const rdns = attributes.flatMap(([type, text]) => {
    const value = clean(text ?? '');
    if (value === '') return [];
    // X.520: these two are PrintableString by definition.
    const printable = type === 'countryName' || type === 'serialNumber';
    const encoded = printable ? der.printableString(value) : der.utf8String(value);
    return [der.set(der.sequence(der.oid(OID[type]), encoded))];
  });
  return der.sequence(...rdns);
}

/** Without controls and direction marks, composed (NFC), cut at the upper bound between characters. */
function clean(text: string): string {
  const plain = text.normalize('NFC').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ');
  return Array.from(plain.trim()).slice(0, UPPER_BOUND).join('').trim();
}

/** `base` cut so that `suffix` still fits into a common name. */
export function withSuffix(base: string, suffix: string): string {
  const room = UPPER_BOUND - suffix.length - 1;
  return `${Array.from(base.normalize('NFC')).slice(0, room).join('').trim()} ${suffix}`;
}

/**
 * organizationIdentifier by ETSI EN 319 412-1 §5.1.4: "VATLU-12345678".
 * @param vat as written by the admin: "LU12345678", "LU 123 456 78", "12345678" or the final form
 */
export function organizationIdentifier(vat: string | null, country: string): string | null {
  const text = (vat ?? '').toUpperCase().replace(/[\s.]/g, '');
  if (text === '') return null;
  if (/^VAT[A-Z]{2}-/.test(text)) return text;
  const match = /^([A-Z]{2})-?(.+)$/.exec(text);
  return match ? `VAT${match[1]}-${match[2]}` : `VAT${country}-${text}`;
}
