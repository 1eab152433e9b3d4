/** Distinguished names as path validation compares them (RFC 5280 §7.1). */
import { children, DerError, type Element, Fields, hex, latin1, oidOf, read, TAG } from '../der.ts';
import { preparedString } from './strings.ts';

/** PKCS #9 emailAddress. */
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

export interface Name {
  /** As it stands in the certificate. */
  readonly der: Uint8Array;
  /** One text for each RDN; equal texts are equal RDNs. */
  readonly rdns: readonly string[];
  /** Attribute types, for profiles. */
  readonly types: ReadonlySet<string>;
  /** Values of emailAddress attributes: name constraints on mailboxes apply to them, too. */
  readonly mailboxes: readonly string[];
}

/** @param bytes Name: SEQUENCE OF RelativeDistinguishedName. @throws DerError */
export function parseName(bytes: Uint8Array): Name {
  return nameOf(bytes, children(read(bytes, TAG.sequence).content));
}

function nameOf(der: Uint8Array, elements: readonly Element[]): Name {
  const rdns: string[] = [];
  const types = new Set<string>();
  const mailboxes: string[] = [];
  for (const rdn of elements) {
    if (rdn.tag !== TAG.set) throw new DerError('bad RDN');
    const attributes = children(rdn.content).map(attribute => {
      const fields = new Fields(read(attribute.bytes, TAG.sequence).content);
      const type = oidOf(fields.next(TAG.oid));
      const value = fields.any();
      fields.finish();
      types.add(type);
      if (type === EMAIL_ADDRESS) mailboxes.push(latin1(value.content));
      const text = preparedString(value);
      return JSON.stringify(text === null ? [type, 'bytes', hex(value.bytes)] : [type, 'text', text]);
    });
    if (attributes.length === 0) throw new DerError('empty RDN');
    rdns.push(attributes.toSorted().join());
  }
  return { der, rdns, types, mailboxes };
}

/** The name one RDN below another (DistributionPointName's nameRelativeToCRLIssuer, RFC 5280 §4.2.1.13). */
export function belowName(base: Name, rdn: Element): Name {
  const { rdns } = nameOf(rdn.bytes, [{ ...rdn, tag: TAG.set }]);
  return { ...base, rdns: [...base.rdns, ...rdns] };
}

/** Whether the first RDNs of `name` are those of `base`. */
export const isWithin = (name: Name, base: Name): boolean => base.rdns.every((rdn, i) => rdn === name.rdns[i]);

export const sameName = (a: Name, b: Name): boolean => a.rdns.length === b.rdns.length && isWithin(a, b);
