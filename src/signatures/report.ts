/**
 * Transaction reports: evidence that one device's token key answered for exactly these data, in the form that OpenOTP's
 * tools print and read. The device knows the key and computes the HMAC; the gateway writes the report. Nothing here
 * proves who had the key: that is the device's enrolment.
 *
 *     const text = formatReport(makeReport({ started, stopped, …, nonce, data }, key));
 *     checkReport(parseReport(text), key);
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Length of the key in bytes → the HMAC's hash. */
const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [20, 'SHA1'],
  [32, 'SHA256'],
  [64, 'SHA512'],
]);
const HASH_LENGTH = { SHA1: 20, SHA256: 32, SHA512: 64 } as const;
export const NONCE_LENGTH = 20;
const DETAILS = 'Transaction Details (Base64)';

export type Algorithm = 'SHA1' | 'SHA256' | 'SHA512';

/** What a report says, beside what follows from the key. */
export interface Transaction {
  readonly started: Date;
  readonly stopped: Date;
  /** Distinguished name (RFC 4514). */
  readonly userDn: string;
  /** Where the signatory's device called from. */
  readonly userIp: string;
  /** The service that asked, and where it was called. */
  readonly clientId: string;
  readonly clientIp: string;
  /** 20 random bytes. */
  readonly nonce: Uint8Array;
  /** The exact bytes that were approved. */
  readonly data: Uint8Array;
}

export interface TransactionReport extends Transaction {
  readonly algorithm: Algorithm;
  /** HMAC(key, nonce ‖ data). */
  readonly hashData: Uint8Array;
  /** CRC-32 of the key's bytes. */
  readonly keyChecksum: number;
  /** 31 bits in eight upper-case hexadecimal digits. */
  readonly otp: string;
}

/** A text that is no transaction report, or one that is wrong in itself; `message` says what. */
export class BadReport extends Error {
  override readonly name = 'BadReport';
}

/**
 * What the device computes and the report's "Hash Data" shows.
 * @param key 20, 32 or 64 bytes: HMAC-SHA1, -SHA256, -SHA512
 * @throws RangeError for a key of another length
 */
export function hashData(key: Uint8Array, nonce: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac(algorithmOf(key), key).update(nonce).update(data).digest());
}

/** RFC 4226 §5.3, dynamic truncation without the modulus. */
export function otpOf(hmac: Uint8Array): string {
  const offset = hmac[hmac.length - 1]! & 0x0f;
  const value = Buffer.from(hmac).readUInt32BE(offset) & 0x7fff_ffff;
  return value.toString(16).toUpperCase().padStart(8, '0');
}

/** @throws RangeError for a key or nonce of another length than a report can have */
export function makeReport(transaction: Transaction, key: Uint8Array): TransactionReport {
  if (transaction.nonce.length !== NONCE_LENGTH) throw new RangeError(`a nonce has ${NONCE_LENGTH} bytes`);
  const hmac = hashData(key, transaction.nonce, transaction.data);
  return { ...transaction, algorithm: algorithmOf(key), hashData: hmac, keyChecksum: crc32(key), otp: otpOf(hmac) };
}

/** The report's text: lines ended by LF, UTF-8. */
export function formatReport(report: TransactionReport): string {
  const base64 = Buffer.from(report.data).toString('base64');
  return `${[
    `Started: ${report.started.toISOString()}`,
    `Stopped: ${report.stopped.toISOString()}`,
    `User DN: ${line(report.userDn)}`,
    `User IP: ${line(report.userIp)}`,
    `Client ID: ${line(report.clientId)}`,
    `Client IP: ${line(report.clientIp)}`,
    `Hash Data: ${hex(report.hashData)} (Nonce + Data)`,
    'OTP Token: Token #1 (TOTP)',
    `OTP Algo: ${report.algorithm}`,
    `OTP Key: ${report.keyChecksum} (CRC32)`,
    `OTP Nonce: ${hex(report.nonce)}`,
    `OTP Result: ${report.otp} (OATH)`,
    DETAILS,
    ...(base64.match(/.{1,64}/g) ?? []),
  ].join('\n')}\n`;
}

/** The form of each line, in their order. */
const LINES = [
  /^Started: (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)$/,
  /^Stopped: (\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)$/,
  /^User DN: (.*)$/,
  /^User IP: (.*)$/,
  /^Client ID: (.*)$/,
  /^Client IP: (.*)$/,
  /^Hash Data: ((?:[0-9a-f]{2})+) \(Nonce \+ Data\)$/,
  /^(OTP Token: Token #1 \(TOTP\))$/,
  /^OTP Algo: (SHA1|SHA256|SHA512)$/,
  /^OTP Key: (\d{1,10}) \(CRC32\)$/,
  /^OTP Nonce: ([0-9a-f]{40})$/,
  /^OTP Result: ([0-9A-F]{8}) \(OATH\)$/,
  /^(Transaction Details \(Base64\))$/,
] as const;

/**
 * Reads a report as `formatReport` writes it, and checks what needs no key: that the OTP follows from the hash, and the
 * lengths.
 * @throws BadReport
 */
export function parseReport(text: string): TransactionReport {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new BadReport('the last line has no end');
  const found = LINES.map((pattern, index) => {
    const match = pattern.exec(lines[index] ?? '');
    if (!match) throw new BadReport(`line ${index + 1} is not what a transaction report has there`);
    return match[1]!;
  });
  const [started = '', stopped = '', userDn = '', userIp = '', clientId = '', clientIp = ''] = found;
  const [hash = '', , algo = '', checksum = '', nonce = '', otp = ''] = found.slice(6);
  const algorithm = [...ALGORITHMS.values()].find(name => name === algo)!;
  const hmac = bytes(hash);
  if (hmac.length !== HASH_LENGTH[algorithm]) throw new BadReport('the hash has another length than its algorithm');
  if (otpOf(hmac) !== otp) throw new BadReport('the one-time password does not follow from the hash');
  return {
    started: date(started),
    stopped: date(stopped),
    userDn,
    userIp,
    clientId,
    clientIp,
    hashData: hmac,
    algorithm,
    keyChecksum: Number(checksum),
    nonce: bytes(nonce),
    otp,
    data: details(lines.slice(LINES.length)),
  };
}

/** Whether this looks like a transaction report at all. */
export function isReport(text: string): boolean {
  return text.startsWith('Started: ') && text.includes(`\n${DETAILS}\n`);
}

/**
 * Recomputes what the report says from the token key.
 * @throws BadReport that says what doesn't fit
 */
export function checkReport(report: TransactionReport, key: Uint8Array): void {
  if (ALGORITHMS.get(key.length) !== report.algorithm) throw new BadReport('the key is of another length');
  if (crc32(key) !== report.keyChecksum) throw new BadReport('the report was made with another key');
  const hmac = hashData(key, report.nonce, report.data);
  if (!timingSafeEqual(hmac, report.hashData)) throw new BadReport('the hash is not that of nonce and data');
}

function algorithmOf(key: Uint8Array): Algorithm {
  const algorithm = ALGORITHMS.get(key.length);
  if (algorithm === undefined) throw new RangeError('a token key has 20, 32 or 64 bytes');
  return algorithm;
}

/** Base64 at 64 characters a line, the last one shorter; in its canonical form. */
function details(lines: readonly string[]): Uint8Array {
  const base64 = lines.join('');
  const data = Buffer.from(base64, 'base64');
  const full = lines.every((one, index) => (index === lines.length - 1 ? one.length <= 64 : one.length === 64));
  if (!full || data.toString('base64') !== base64) throw new BadReport('the details are not base64 of 64 a line');
  return new Uint8Array(data);
}

function date(text: string): Date {
  const parsed = new Date(text);
  if (Number.isNaN(parsed.getTime())) throw new BadReport('a time is none');
  return parsed;
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}

/** One line: nothing in a name can add a line of its own. */
function line(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}
