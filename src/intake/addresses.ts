/**
 * The address fields From, Sender, To and Cc: a strict mailbox-list (RFC 5322 §3.4, RFC 6532 §3.2). It refuses whatever
 * two parsers could read differently: groups, routes, comments, literals, quoted local parts, encoded words in an
 * address, controls. Display names are checked for syntax and thrown away: people are named by the directory.
 */
import { domainToASCII } from 'node:url';
import { type RawMessage, rawValue } from './raw-message.ts';
import { refusals } from './refusals.ts';

/** A mail address in canonical form: lower case, NFC, domain as A-labels. */
export interface Address {
  readonly local: string;
  readonly domain: string;
  /** local@domain */
  readonly address: string;
}

const MAX_ADDRESSES = 200;
/** atext (RFC 5322 §3.2.3) and any letter beyond ASCII (RFC 6532 §3.2). */
const ATEXT = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u{a1}-\u{10ffff}]/u;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Never part of an address, whatever script: separators, bidi and zero-width characters, private use. */
const INVISIBLE = /[\p{Z}\p{Cc}\p{Cf}\p{Co}\p{Cn}\ufffd]/u;

/** A canonical address of a bare addr-spec (an envelope address, a directory entry), or null when it is none. */
export function parseAddress(text: string): Address | null {
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const local = text.slice(0, at).normalize('NFC').toLowerCase();
  if (Buffer.byteLength(local) > 64 || INVISIBLE.test(local)) return null;
  if (local.includes('=?') || !local.split('.').every(atom => atom !== '' && isAtom(atom))) return null;
  const written = text.slice(at + 1);
  if (INVISIBLE.test(written) || !/^[^@[\]:/?#%\\]+$/.test(written)) return null;
  const domain = domainToASCII(written.toLowerCase());
  if (domain.length > 253 || !domain.split('.').every(label => LABEL.test(label))) return null;
  return { local, domain, address: `${local}@${domain}` };
}

function isAtom(text: string): boolean {
  return [...text].every(character => ATEXT.test(character));
}

/**
 * The addresses of one field, in order; [] when the field is absent.
 *
 * @throws Refusal when anything in it is not plain
 */
export function addressesOf(message: Pick<RawMessage, 'fields'>, key: 'from' | 'sender' | 'to' | 'cc'): Address[] {
  const raw = rawValue(message, key);
  if (raw === null) return [];
  return parseMailboxList(Buffer.from(raw, 'latin1'), { from: 'From', sender: 'Sender', to: 'To', cc: 'Cc' }[key]);
}

/**
 * Parses an unfolded mailbox-list.
 *
 * @param field name of the field, for the sentence
 * @throws Refusal
 */
export function parseMailboxList(bytes: Uint8Array, field: string): Address[] {
  const refuse = (what: string): never => {
    throw refusals.badAddressField(field, what);
  };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('it has letters that are not UTF-8');
  }
  if (/[^\P{Cc}\t]/u.test(text)) return refuse('it has control characters');
  const tokens = tokenize(text, refuse);
  const addresses: Address[] = [];
  let position = 0;
  const at = (kind: Token['kind']): boolean => tokens[position]?.kind === kind;

  for (;;) {
    let written: string;
    // Display name: words, encoded words, quoted strings, and the dots of obs-phrase ("John Q. Public").
    const start = position;
    while (at('word') || at('quoted')) position += 1;
    if (at('open')) {
      const end = tokens.findIndex((token, index) => index > position && token.kind === 'close');
      const inside = end === -1 ? [] : tokens.slice(position + 1, end);
      if (inside.length !== 1) return refuse('an address in <> is not plain');
      written = addressToken(inside[0]!, refuse);
      const name = tokens.slice(start, position);
      if (name.some(token => token.kind === 'word' && token.text.includes('@'))) {
        return refuse('a name looks like an address; one of the two must go');
      }
      position = end + 1;
    } else {
      if (position - start !== 1) return refuse(position === start ? 'an address is missing' : 'a name has no address');
      written = addressToken(tokens[start]!, refuse);
    }
    const address = parseAddress(written);
    if (!address) return refuse('an address is not plain');
    addresses.push(address);
    if (addresses.length > MAX_ADDRESSES) return refuse(`it has more than ${MAX_ADDRESSES} addresses`);
    if (position === tokens.length) return addresses;
    if (!at('comma')) return refuse('something stands between two addresses');
    position += 1;
  }
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'open' | 'close' | 'comma';
  readonly text: string;
}

function addressToken(token: Token, refuse: (what: string) => never): string {
  return token.kind === 'word' ? token.text : refuse('an address is in quotation marks');
}

/** Words (atoms with their dots and @), quoted strings, and the specials that a mailbox-list may have. */
function tokenize(text: string, refuse: (what: string) => never): Token[] {
  const tokens: Token[] = [];
  const pattern =
    /[ \t]+|"((?:[^"\\]|\\.)*)"|[<>,]|[^ \t"<>,()\\[\]:;]+|(?<comment>[()])|(?<group>[:;])|(?<odd>[\s\S])/gu;
  for (const match of text.matchAll(pattern)) {
    const [whole] = match;
    const { comment, group, odd } = match.groups ?? {};
    if (comment !== undefined) return refuse('it has a comment in parentheses');
    if (group !== undefined) return refuse('it has a group or a route (":" or ";")');
    if (odd !== undefined) return refuse(`it has a stray ${odd === '"' ? 'quotation mark' : 'bracket or backslash'}`);
    if (/^[ \t]/.test(whole)) continue;
    // A quoted string that touches a word ("a"b@c) would be one local part to some parsers.
    const before = match.index > 0 ? text[match.index - 1]! : ' ';
    const kind =
      whole === '<'
        ? 'open'
        : whole === '>'
          ? 'close'
          : whole === ','
            ? 'comma'
            : match[1] !== undefined
              ? 'quoted'
              : 'word';
    const touches = (kind === 'quoted' || kind === 'word') && !/[ \t,<>]/.test(before);
    if (touches) return refuse('a quoted name touches an address');
    if (
      kind === 'word' &&
      !whole.includes('@') &&
      ![...whole].every(character => character === '.' || ATEXT.test(character))
    ) {
      return refuse('a name has a character that needs quotation marks');
    }
    tokens.push({ kind, text: whole });
  }
  if (tokens.length === 0) return refuse('it is empty');
  return tokens;
}
