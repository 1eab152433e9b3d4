/**
 * A DKIM signer and ARC sealer for tests (RFC 6376, RFC 8617), independent of what verifies: it signs whatever tags a
 * test wants, right or wrong.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';

export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: KeyObject;
  /** The TXT record of selector._domainkey.domain. */
  readonly record: string;
  /** That name. */
  readonly name: string;
}

export function dkimKey(
  domain: string,
  selector: string,
  options: { readonly bits?: number; readonly ed25519?: boolean; readonly flags?: string } = {},
): DkimKey {
  const { privateKey, publicKey } = options.ed25519
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('rsa', { modulusLength: options.bits ?? 2048 });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  // RFC 8463 §4: an Ed25519 key stands there bare.
  const p = (options.ed25519 ? der.subarray(-32) : der).toString('base64');
  return {
    domain,
    selector,
    privateKey,
    record: `v=DKIM1; k=${options.ed25519 ? 'ed25519' : 'rsa'};${options.flags ? ` ${options.flags};` : ''} p=${p}`,
    name: `${selector}._domainkey.${domain}`,
  };
}

export interface SignOptions {
  /** Names in h=, as often as wanted. */
  readonly h?: string;
  /** Tags to set or (null) leave out. */
  readonly tags?: Readonly<Record<string, string | number | null>>;
  readonly simple?: boolean;
  readonly hash?: 'sha1' | 'sha256';
}

export const SIGNED = 'from:to:cc:subject:date:message-id:mime-version:content-type';

/** The message with a DKIM-Signature on top. */
export function dkimSign(message: Buffer, key: DkimKey, options: SignOptions = {}): Buffer {
  const field = signature('DKIM-Signature', message, key, { v: 1 }, options);
  return Buffer.concat([Buffer.from(`${field}\r\n`, 'latin1'), message]);
}

export interface SealOptions extends SignOptions {
  readonly instance?: number;
  readonly cv?: string;
  /** Authentication-Results as the forwarder saw them, after its id. */
  readonly saw?: string;
}

/** The message with an ARC set on top. */
export function arcSeal(message: Buffer, key: DkimKey, options: SealOptions = {}): Buffer {
  const i = options.instance ?? 1;
  const saw = options.saw ?? 'dkim=pass header.d=company.com; dmarc=pass header.from=company.com';
  const results = `ARC-Authentication-Results: i=${i}; mx.${key.domain}; ${saw}`;
  const signed = signature('ARC-Message-Signature', message, key, { i }, options);
  const earlier = fields(message).filter(field => /^arc-/i.test(field));
  const numbered = (name: string, number: number): string[] =>
    earlier.filter(field => new RegExp(`^${name}:[^;]*(?:;|:)?\\s*i=${number};`, 'i').test(field));
  const chain = Array.from({ length: i - 1 }, (_, index) =>
    ['ARC-Authentication-Results', 'ARC-Message-Signature', 'ARC-Seal'].flatMap(name => numbered(name, index + 1)),
  ).flat();
  const seal = `ARC-Seal: i=${i}; a=rsa-sha256; cv=${options.cv ?? (i === 1 ? 'none' : 'pass')}; d=${key.domain}; s=${key.selector}; t=${seconds()}; b=`;
  const input = [...chain, results, signed].map(field => `${relaxedField(field)}\r\n`).join('') + relaxedField(seal);
  const b = signBytes('sha256', Buffer.from(input, 'latin1'), key.privateKey).toString('base64');
  return Buffer.concat([Buffer.from(`${seal}${b}\r\n${signed}\r\n${results}\r\n`, 'latin1'), message]);
}

function signature(
  name: string,
  message: Buffer,
  key: DkimKey,
  first: Readonly<Record<string, number>>,
  options: SignOptions,
): string {
  const text = message.toString('latin1');
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  const canonical = options.simple ? simpleBody(body) : relaxedBody(body);
  const hash = options.hash ?? 'sha256';
  const ed25519 = key.privateKey.asymmetricKeyType === 'ed25519';
  const length = options.tags?.l;
  const covered = length === undefined || length === null ? canonical : canonical.slice(0, Number(length));
  const tags: Record<string, string | number | null> = {
    ...first,
    a: `${ed25519 ? 'ed25519' : 'rsa'}-${hash}`,
    c: options.simple ? 'simple/simple' : 'relaxed/relaxed',
    d: key.domain,
    s: key.selector,
    t: seconds(),
    h: options.h ?? SIGNED,
    bh: createHash(hash).update(covered, 'latin1').digest('base64'),
    ...options.tags,
  };
  const list = Object.entries(tags).flatMap(([tag, value]) => (value === null ? [] : [`${tag}=${value}`]));
  const field = `${name}: ${list.join(';\r\n ')};\r\n b=`;
  const rest = fields(message);
  // The last of a name first (RFC 6376 §5.4.2); a name that isn't there any more counts as empty.
  const signed = String(tags.h)
    .split(':')
    .flatMap(wanted => {
      const index = rest.findLastIndex(line => nameOf(line) === wanted.trim().toLowerCase());
      return index === -1 ? [] : rest.splice(index, 1);
    });
  const canon = options.simple ? (line: string) => line : relaxedField;
  const input = Buffer.from(`${signed.map(line => `${canon(line)}\r\n`).join('')}${canon(field)}`, 'latin1');
  // RFC 8463 §3: Ed25519 signs the hash.
  const bytes = ed25519
    ? signBytes(null, createHash('sha256').update(input).digest(), key.privateKey)
    : signBytes(hash, input, key.privateKey);
  return `${field}${bytes.toString('base64')}`;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Header fields as written, without their last line end. */
function fields(message: Buffer): string[] {
  const text = message.toString('latin1');
  return text.slice(0, text.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/);
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trim().toLowerCase();
}

function relaxedField(field: string): string {
  const value = field.slice(field.indexOf(':') + 1).replace(/\r\n/g, '');
  return `${nameOf(field)}:${value.replace(/[ \t]+/g, ' ').trim()}`;
}

function relaxedBody(body: string): string {
  const lines = body.replace(/[ \t]+(?=\r\n)/g, '').replace(/[ \t]+/g, ' ');
  const trimmed = lines.replace(/(\r\n)*$/, '');
  return trimmed === '' ? '' : `${trimmed}\r\n`;
}

function simpleBody(body: string): string {
  return `${body.replace(/(\r\n)*$/, '')}\r\n`;
}
