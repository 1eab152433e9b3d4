/**
 * The symmetric keys of links and of verdicts: keys/NAME.key, 32 bytes or more in hex. What a rotation replaces stays as
 * keys/retired/NAME-TIME.key, for what was made with it is out for a while.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config/load.ts';
import { putInPlace, retire, stage, unstage } from './key-exchange.ts';

export const SECRET_NAMES = ['link', 'verdict'] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

export interface Secret {
  /** Public; names the key: [A-Za-z0-9_-]{16} */
  readonly id: string;
  readonly secret: Uint8Array;
  /** When another took its place; null for the newest. */
  readonly retiredAt: Date | null;
}

export const secretPath = (folder: string, name: string): string => join(folder, 'keys', `${name}.key`);
export const retiredFolder = (folder: string): string => join(folder, 'keys', 'retired');

/** One of the keys with those before it, as they were when `reload` was last called. */
export class Secrets {
  readonly #folder: string;
  readonly #name: SecretName;
  #all: readonly [Secret, ...Secret[]];

  /** @throws ConfigError */
  constructor(folder: string, name: SecretName) {
    this.#folder = folder;
    this.#name = name;
    this.#all = readAll(folder, name);
  }

  /** @throws ConfigError; all stay as they were then */
  reload(): void {
    this.#all = readAll(this.#folder, this.#name);
  }

  get newest(): Secret {
    return this.#all[0];
  }

  /** Newest first. @param retiredAfter of the older ones only those that were in use after this time */
  all(retiredAfter = new Date(0)): readonly [Secret, ...Secret[]] {
    const [newest, ...older] = this.#all;
    return [newest, ...older.filter(({ retiredAt }) => retiredAt !== null && retiredAt > retiredAfter)];
  }
}

/**
 * Makes a new key. Cut short at any point, the old one is whole and in use, or the new one.
 * @returns the new key, and the file where the old one is now
 * @throws ConfigError; Error of the file system
 */
export async function rotateSecret(
  folder: string,
  name: SecretName,
  now: Date,
): Promise<{ readonly newest: Secret; readonly retired: string }> {
  const path = secretPath(folder, name);
  // One that can't be read would be of no use among the retired ones.
  readSecret(path);
  const next = join(folder, 'keys', `${name}.next.key`);
  await stage(next, `${randomBytes(32).toString('hex')}\n`, 0o600);
  const retired = join(retiredFolder(folder), `${name}-${now.toISOString().replace(/[-:.]/g, '')}.key`);
  try {
    await retire(path, retired);
    await putInPlace(next, path);
  } catch (error) {
    await unstage(next);
    throw error;
  }
  return { newest: secretOf(readSecret(path), null), retired };
}

/** @throws ConfigError */
function readAll(folder: string, name: SecretName): readonly [Secret, ...Secret[]] {
  // First: what takes its place meanwhile is among the retired ones before it does.
  const newest = secretOf(readSecret(secretPath(folder, name)), null);
  const older = new Map<string, Secret>();
  for (const file of retiredFiles(folder)) {
    const retiredAt = retirementOf(file, name);
    if (retiredAt === null) continue;
    const secret = secretOf(readSecret(join(retiredFolder(folder), file)), retiredAt);
    // A rotation that was cut short has left the same key there before; the last time counts.
    if (secret.id !== newest.id) older.set(secret.id, secret);
  }
  const byTime = (a: Secret, b: Secret): number => (b.retiredAt?.getTime() ?? 0) - (a.retiredAt?.getTime() ?? 0);
  return [newest, ...[...older.values()].sort(byTime)];
}

/** Oldest first. */
function retiredFiles(folder: string): string[] {
  try {
    return readdirSync(retiredFolder(folder)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ConfigError(`${retiredFolder(folder)} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function retirementOf(file: string, name: SecretName): Date | null {
  const match = /^([a-z]+)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.key$/.exec(file);
  if (match?.[1] !== name) return null;
  const [, , year, month, day, hour, minute, second, thousandth] = match;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${thousandth}Z`);
}

function secretOf(secret: Uint8Array, retiredAt: Date | null): Secret {
  const id = createHmac('sha256', secret).update('signpost key id v1').digest('base64url').slice(0, 16);
  return { id, secret, retiredAt };
}

/** A key of at least 32 bytes, in hex. @throws ConfigError */
export function readSecret(path: string): Buffer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`${path} can't be read (${(error as NodeJS.ErrnoException).code}); signpost init makes it`);
  }
  if (!/^([0-9a-f]{2}){32,}$/.test(text)) throw new ConfigError(`${path} must hold at least 32 bytes in hexadecimal`);
  return Buffer.from(text, 'hex');
}
