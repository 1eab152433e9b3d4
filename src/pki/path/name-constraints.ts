/** Name constraints (RFC 5280 §4.2.1.10): what an issuer lets the certificates below it be called. */
import { constructed, DerError, equal, Fields, primitive, read, TAG } from '../der.ts';
import { type GeneralName, parseGeneralName } from './general-name.ts';
import { isWithin, type Name } from './name.ts';
import { countOf, listOf } from './primitives.ts';

export interface NameConstraints {
  readonly permitted: readonly GeneralName[] | null;
  readonly excluded: readonly GeneralName[] | null;
}

/** What the certificates of a path so far leave over. */
export interface NameSpace {
  /** One list for each certificate with permitted subtrees; a name must be within each of them. */
  readonly permitted: readonly (readonly GeneralName[])[];
  readonly excluded: readonly GeneralName[];
}

export const EVERY_NAME: NameSpace = { permitted: [], excluded: [] };

/** Comparisons for one certificate: an attacker's path must not take minutes. */
const MAX_COMPARISONS = 1 << 18;

/** @throws DerError, also for a minimum or maximum: RFC 5280 has no use for them */
export function parseNameConstraints(value: Uint8Array): NameConstraints {
  const fields = new Fields(read(value, TAG.sequence).content);
  const subtrees = (n: number): GeneralName[] | null => {
    const element = fields.optional(constructed(n));
    return element && listOf(element.bytes.with(0, TAG.sequence)).map(({ bytes }) => parseSubtree(bytes));
  };
  const constraints = { permitted: subtrees(0), excluded: subtrees(1) };
  fields.finish();
  if (!constraints.permitted && !constraints.excluded) throw new DerError('empty name constraints');
  return constraints;
}

function parseSubtree(bytes: Uint8Array): GeneralName {
  const fields = new Fields(read(bytes, TAG.sequence).content);
  const base = parseGeneralName(fields.any());
  const minimum = fields.optional(primitive(0));
  fields.finish();
  if (minimum && countOf({ ...minimum, tag: TAG.integer }) !== 0) throw new DerError('a subtree with a minimum');
  if (base.kind === 'address' && !isNetwork(base.bytes)) throw new DerError('not a network');
  return base;
}

/** An address and a mask of leading ones (RFC 4632). */
function isNetwork(bytes: Uint8Array): boolean {
  if (bytes.length !== 8 && bytes.length !== 32) return false;
  const mask = Array.from(bytes.subarray(bytes.length / 2), octet => octet.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(mask);
}

/** RFC 5280 §6.1.4 (g). */
export function narrowed(space: NameSpace, { permitted, excluded }: NameConstraints): NameSpace {
  return {
    permitted: permitted ? [...space.permitted, permitted] : space.permitted,
    excluded: excluded ? [...space.excluded, ...excluded] : space.excluded,
  };
}

/**
 * The first name that isn't in the name space, in words; null when all are (RFC 5280 §6.1.3 (b), (c)).
 * Mailboxes in the subject count even beside alternative names, where §4.2.1.10 wouldn't look at them.
 */
export function nameFault(subject: Name, alternatives: readonly GeneralName[], space: NameSpace): string | null {
  const names: GeneralName[] = [
    ...(subject.rdns.length > 0 ? [{ kind: 'directory', name: subject } as const] : []),
    ...subject.mailboxes.map(text => ({ kind: 'mailbox', text }) as const),
    ...alternatives,
  ];
  const constraints = space.permitted.reduce((sum, list) => sum + list.length, space.excluded.length);
  if (names.length * constraints > MAX_COMPARISONS) return 'too many names and constraints';
  for (const name of names) {
    const fault = faultOf(name, space);
    if (fault) return fault;
  }
  return null;
}

function faultOf(name: GeneralName, { permitted, excluded }: NameSpace): string | null {
  const shown = show(name);
  for (const list of permitted) {
    const bases = list.filter(base => sameForm(base, name));
    if (bases.length > 0 && !bases.some(base => covers(base, name, 'permitted'))) return `${shown} is not permitted`;
  }
  const isExcluded = excluded.some(base => sameForm(base, name) && covers(base, name, 'excluded') !== false);
  return isExcluded ? `${shown} is excluded` : null;
}

function show(name: GeneralName): string {
  if ('text' in name) return name.text.slice(0, 100);
  return name.kind === 'directory' ? 'the subject' : `a name of kind ${name.kind}`;
}

function sameForm(a: GeneralName, b: GeneralName): boolean {
  return a.kind === b.kind && (a.kind !== 'other' || (b.kind === 'other' && a.form === b.form));
}

/** Null where the name can't be judged by a constraint of its form: neither permitted then, nor surely not excluded. */
function covers(base: GeneralName, name: GeneralName, list: 'permitted' | 'excluded'): boolean | null {
  switch (base.kind) {
    case 'directory':
      return name.kind === 'directory' && isWithin(name.name, base.name);
    case 'mailbox':
      return name.kind === 'mailbox' ? coversMailbox(base.text, name.text) : false;
    case 'host':
      return name.kind === 'host' ? coversHost(base.text, name.text, list) : false;
    case 'uri':
      return name.kind === 'uri' ? coversUri(base.text, name.text) : false;
    case 'address':
      return name.kind === 'address' ? coversAddress(base.bytes, name.bytes) : false;
    case 'other':
      return null;
  }
}

const HOST = /^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/** A mailbox, all mailboxes on a host, or with a leading dot those on the hosts below a domain. */
function coversMailbox(base: string, mailbox: string): boolean | null {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  if (at < 1 || !HOST.test(host)) return null;
  const baseAt = base.lastIndexOf('@');
  const baseHost = base.slice(baseAt + 1).toLowerCase();
  if (baseAt >= 0) return mailbox.slice(0, at) === base.slice(0, baseAt) && host === baseHost;
  return matchesHost(baseHost, host);
}

/** "host" is that host, ".domain" every host below it (RFC 5280 §4.2.1.10 for mailboxes and URIs). */
function matchesHost(base: string, host: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) : base === '' || host === base;
}

/** The domain and all below it; with a leading dot, as many CAs write it, only those below. */
function coversHost(base: string, name: string, list: 'permitted' | 'excluded'): boolean | null {
  const domain = base.toLowerCase();
  const wildcard = name.startsWith('*.');
  const host = name.slice(wildcard ? 2 : 0).toLowerCase();
  if (!HOST.test(host)) return null;
  if (domain === '') return true;
  const below = domain.startsWith('.') ? domain : `.${domain}`;
  // "*.example.com" stands for excluded.example.com, too.
  if (wildcard && list === 'excluded' && below.endsWith(`.${host}`)) return true;
  return wildcard ? `.${host}`.endsWith(below) : `.${host}`.endsWith(below) && `.${host}` !== domain;
}

/** A URI without a fully qualified host is judged by none. */
function coversUri(base: string, uri: string): boolean | null {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1] ?? '';
  const host = authority
    .replace(/^[^@]*@/, '')
    .replace(/:\d*$/, '')
    .toLowerCase();
  if (!HOST.test(host) || !host.includes('.') || /^[\d.]+$/.test(host)) return null;
  return matchesHost(base.toLowerCase(), host);
}

function coversAddress(network: Uint8Array, address: Uint8Array): boolean | null {
  if (address.length !== 4 && address.length !== 16) return null;
  if (network.length !== 2 * address.length) return false;
  const mask = network.subarray(address.length);
  const masked = (bytes: Uint8Array): Uint8Array => mask.map((octet, i) => octet & bytes[i]!);
  return equal(masked(address), masked(network));
}
