/** An entry of the directory as people: parsed once, and nothing of it is believed that isn't what it should be. */
import type { Entry } from 'ldapts';
import type { LdapSettings } from '../../config/ldap.ts';
import { cleanLine } from '../../outbound/clean.ts';
import { LANGUAGES, type Language, type Person } from '../directory.ts';

export interface LdapEntry {
  readonly dn: string;
  /** Values of an attribute as text, whatever its case; empty when it isn't there. */
  texts(attribute: string): readonly string[];
  octets(attribute: string): readonly Buffer[];
}

export function entryOf(entry: Entry): LdapEntry {
  const values = new Map<string, readonly (string | Buffer)[]>();
  for (const [key, value] of Object.entries(entry))
    values.set(key.toLowerCase(), Array.isArray(value) ? value : [value]);
  const of = (attribute: string): readonly (string | Buffer)[] => values.get(attribute.toLowerCase()) ?? [];
  return {
    dn: entry.dn,
    texts: attribute => of(attribute).filter(value => typeof value === 'string'),
    octets: attribute => of(attribute).filter(value => Buffer.isBuffer(value)),
  };
}

/** A person without what takes more questions, and whether they may do anything at the moment. */
export interface Found {
  readonly dn: string;
  readonly person: Omit<Person, 'groups' | 'delegates'>;
  /** DNs or addresses. */
  readonly delegates: readonly string[];
  readonly logins: readonly string[];
  readonly state: 'active' | 'locked' | 'disabled';
}

/** Attributes that tell whether an account is disabled or locked, in both layouts. */
const STATE = [
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'lockoutTime',
  'accountExpires',
  'pwdAccountLockedTime',
] as const;

export function attributesOf({ people }: LdapSettings): string[] {
  const { id, name, givenName, surname, mail, aliases, logins, language, title, mobile, delegates } = people;
  const lists = [name, givenName, surname, mail, aliases, logins, language, title, mobile, delegates];
  return [...new Set([id, ...lists.flat(), ...STATE])];
}

/** Addresses that the mail entrance takes; the rest of the syntax is its business. */
const ADDRESS = /^[^\s@"<>()[\],;:\\\u0000-\u001f\u007f]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/** As addresses and logins are compared. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** proxyAddresses hold the kind of address before a colon; SMTP: in capitals is the primary one. */
export function addressesOf(entry: LdapEntry, attributes: readonly string[]): string[] {
  const all = attributes.flatMap(attribute => {
    const values = entry.texts(attribute);
    if (attribute.toLowerCase() !== 'proxyaddresses') return values;
    const mail = values.filter(value => /^smtp:/i.test(value));
    return [...mail.filter(value => value.startsWith('SMTP:')), ...mail].map(value => value.slice(5));
  });
  return [...new Set(all.map(folded))].filter(address => ADDRESS.test(address));
}

/** Null for an entry that has no name, no address or no id, so can't be a person. */
export function foundIn(entry: LdapEntry, settings: LdapSettings, language: Language, now: Date): Found | null {
  const { people } = settings;
  const first = (attributes: readonly string[]): string | null => {
    for (const attribute of attributes) {
      const text = cleanLine(entry.texts(attribute)[0] ?? '');
      // People write a dash where the schema insists on something.
      if (/[\p{L}\p{N}]/u.test(text)) return text;
    }
    return null;
  };
  const id = idOf(entry, people.id);
  const name = first(people.name);
  const addresses = addressesOf(entry, [...people.mail, ...people.aliases]);
  const [mail] = addresses;
  if (id === null || name === null || mail === undefined || entry.dn === '') return null;
  return {
    dn: entry.dn,
    person: {
      id,
      name,
      givenName: first(people.givenName),
      surname: first(people.surname),
      mail,
      addresses,
      language: languageOf(first(people.language)) ?? language,
      title: first(people.title),
      mobile: first(people.mobile),
    },
    delegates: people.delegates.flatMap(attribute => entry.texts(attribute)),
    logins: people.logins.flatMap(attribute => entry.texts(attribute)).map(folded),
    state: stateOf(entry, settings.lockout, now),
  };
}

/** objectGUID is 16 octets; its usual text form swaps some of them (MS-DTYP section 2.3.4.3). */
const SWAPPED = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

export function isOctets(attribute: string): boolean {
  return attribute.toLowerCase() === 'objectguid';
}

export function idOf(entry: LdapEntry, attribute: string): string | null {
  if (!isOctets(attribute)) {
    const [id, ...more] = entry.texts(attribute);
    return id !== undefined && more.length === 0 && id !== '' && id.length <= 200 ? id : null;
  }
  const [guid, ...more] = entry.octets(attribute);
  if (guid?.length !== 16 || more.length > 0) return null;
  const hex = SWAPPED.map(index => guid[index]!.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The value that an id stands for in a search; null when no entry can have it. */
export function idValue(id: string, attribute: string): string | Buffer | null {
  if (!isOctets(attribute)) return id === '' || id.length > 200 ? null : id;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return null;
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return Buffer.from(SWAPPED.map(index => bytes[index]!));
}

/** The first language that we speak, of "de-LU, fr;q=0.8" (RFC 2798 section 2.7). */
function languageOf(preferred: string | null): Language | null {
  for (const range of (preferred ?? '').split(',')) {
    const tag = range.trim().slice(0, 2).toLowerCase();
    const spoken = LANGUAGES.find(language => language === tag);
    if (spoken && /^[a-z]{2}([-_;].*)?$/i.test(range.trim())) return spoken;
  }
  return null;
}

/** userAccountControl (MS-ADTS section 2.2.16). */
const ACCOUNT_DISABLED = 0x2;
const LOCKED_OUT = 0x10;
/** 100 ns steps since 1601 (MS-ADTS section 2.2.1 and accountExpires, where 2^63 - 1 is never). */
const FILETIME_1970 = 116_444_736_000_000_000n;
const NEVER = 0x7fffffffffffffffn;

function stateOf(entry: LdapEntry, lockout: number | null, now: Date): Found['state'] {
  const number = (attribute: string): bigint => {
    const text = entry.texts(attribute)[0] ?? '';
    return /^-?\d{1,19}$/.test(text) ? BigInt(text) : 0n;
  };
  const milliseconds = (filetime: bigint): number => Number((filetime - FILETIME_1970) / 10_000n);
  if ((number('userAccountControl') & BigInt(ACCOUNT_DISABLED)) !== 0n) return 'disabled';
  const expires = number('accountExpires');
  if (expires > 0n && expires < NEVER && milliseconds(expires) <= now.getTime()) return 'disabled';
  const stillLocked = (since: number): boolean => lockout === null || since + lockout > now.getTime();
  const [computed] = entry.texts('msDS-User-Account-Control-Computed');
  const lockedAt = number('lockoutTime');
  if (computed !== undefined) {
    if ((number('msDS-User-Account-Control-Computed') & BigInt(LOCKED_OUT)) !== 0n) return 'locked';
  } else if (lockedAt > 0n && stillLocked(milliseconds(lockedAt))) return 'locked';
  // draft-behera-ldap-password-policy section 5.3.3: year 0000 is locked for good.
  const [locked] = entry.texts('pwdAccountLockedTime');
  if (locked === undefined) return 'active';
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(locked);
  if (!match || match[1] === '0000') return 'locked';
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  return stillLocked(Date.UTC(year!, month! - 1, day, hour, minute, second)) ? 'locked' : 'active';
}
