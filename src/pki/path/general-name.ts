/** GeneralName (RFC 5280 §4.2.1.6). */
import { constructed, DerError, type Element, equal, Fields, latin1, oidOf, primitive, read, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import { type Name, parseName, sameName } from './name.ts';

export type GeneralName =
  | { readonly kind: 'directory'; readonly name: Name }
  /** rfc822Name, or SmtpUTF8Mailbox (RFC 9598). As a constraint, also a host or ".domain". */
  | { readonly kind: 'mailbox'; readonly text: string }
  | { readonly kind: 'host'; readonly text: string }
  | { readonly kind: 'uri'; readonly text: string }
  /** As a constraint, an address and its mask. */
  | { readonly kind: 'address'; readonly bytes: Uint8Array }
  /** otherName, x400Address, ediPartyName, registeredID: not interpreted. `form` tells them apart. */
  | { readonly kind: 'other'; readonly form: string; readonly bytes: Uint8Array };

/** @throws DerError */
export function parseGeneralName(element: Element): GeneralName {
  const { tag, content, bytes } = element;
  if (tag === constructed(0)) return parseOtherName(element);
  if (tag === primitive(1)) return { kind: 'mailbox', text: ascii(content) };
  if (tag === primitive(2)) return { kind: 'host', text: ascii(content) };
  if (tag === constructed(4)) return { kind: 'directory', name: parseName(content) };
  if (tag === primitive(6)) return { kind: 'uri', text: ascii(content) };
  if (tag === primitive(7)) return { kind: 'address', bytes: content };
  if (tag === constructed(3) || tag === constructed(5) || tag === primitive(8))
    return { kind: 'other', form: tag.toString(16), bytes };
  throw new DerError('unknown form of name');
}

function parseOtherName({ content, bytes }: Element): GeneralName {
  const fields = new Fields(content);
  const type = oidOf(fields.next(TAG.oid));
  const value = fields.next(constructed(0)).content;
  fields.finish();
  if (type !== OID.smtpUtf8Mailbox) return { kind: 'other', form: type, bytes };
  return { kind: 'mailbox', text: Buffer.from(read(value, TAG.utf8String).content).toString('utf8') };
}

/** IA5String. */
function ascii(content: Uint8Array): string {
  if (content.some(octet => octet >= 0x80)) throw new DerError('not ASCII');
  return latin1(content);
}

/** Equality of names in distribution points: letter case counts only where RFC 5280 §7 lets it. */
export function sameGeneralName(a: GeneralName, b: GeneralName): boolean {
  if (a.kind === 'directory') return b.kind === 'directory' && sameName(a.name, b.name);
  if (a.kind === 'address' || a.kind === 'other') return b.kind === a.kind && equal(a.bytes, b.bytes);
  if (b.kind !== a.kind) return false;
  if (a.kind === 'host') return a.text.toLowerCase() === b.text.toLowerCase();
  return a.kind === 'mailbox' ? foldDomain(a.text) === foldDomain(b.text) : foldHost(a.text) === foldHost(b.text);
}

const foldDomain = (mailbox: string): string => mailbox.replace(/@[^@]*$/, domain => domain.toLowerCase());
const foldHost = (uri: string): string => uri.replace(/^[^:/?#]+:(\/\/[^/?#]*)?/, start => start.toLowerCase());
