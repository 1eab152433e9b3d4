/** A PKI in a temporary folder, and openssl as the judge. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Person } from '../../../src/directory/directory.ts';
import { createPki } from '../../../src/pki/create.ts';
import { type LoadedPki, type LoadOptions, loadPki } from '../../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../../src/pki/pki.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteTimestampStore } from '../../../src/store/timestamps.ts';

export const ALGORITHMS: readonly SignatureAlgorithm[] = ['ecdsa-p256-sha256', 'ecdsa-p384-sha256', 'rsa-sha256'];
export const COMPANY = { name: 'Société Générique S.A.', vat: 'LU12345678', country: 'LU' };
export const PUBLIC_URL = 'https://sign.company.com';
export const PASSPHRASE = 'correct horse battery staple';
export const DAY = 86_400_000;
export const silent = pino({ level: 'silent' });

export const JOHN: Person = {
  id: 'uid-4711-john',
  name: 'John Doe',
  givenName: 'John',
  surname: 'Doe',
  mail: 'john.doe@company.com',
  addresses: ['john.doe@company.com'],
  language: 'en',
  title: null,
  groups: [],
  delegates: [],
  mobile: null,
};

/** A folder that `remove` deletes; with a place to put bytes for openssl. */
export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), 'signpost-pki-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  put(name: string, bytes: Uint8Array | string): string {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), bytes, { mode: 0o600 });
    return this.path(name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs openssl in the folder; status and all output. */
  openssl(...args: string[]): { status: number; output: string } {
    const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: this.folder, encoding: 'utf8' });
    return { status: status ?? -1, output: `${stdout}${stderr}` };
  }

  /** Runs openssl in the folder; throws when it fails. */
  must(...args: string[]): string {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }
}

export interface Options {
  readonly algorithm?: SignatureAlgorithm;
  readonly now?: () => Date;
  readonly monotonic?: () => number;
  readonly database?: string;
  readonly authorities?: LoadOptions['config']['timestamps']['authorities'];
  readonly validity?: number;
  readonly certificates?: Partial<LoadOptions['config']['certificates']>;
  readonly pki?: LoadOptions['config']['pki'];
  readonly outside?: LoadOptions['outside'];
  /** Of another installation than the workspace's. */
  readonly folder?: string;
  readonly passphrase?: string;
}

/** Makes the PKI's files in the workspace. */
export function make(workspace: Workspace, options: Options = {}): Promise<void> {
  return createPki(workspace.folder, {
    company: COMPANY,
    publicUrl: PUBLIC_URL,
    passphrase: PASSPHRASE,
    algorithm: options.algorithm ?? 'ecdsa-p256-sha256',
    now: options.now ?? (() => new Date()),
  });
}

/** Opens the PKI as a process of its own would: own database connection, own caches. */
export function load(workspace: Workspace, options: Options = {}): Promise<LoadedPki> {
  const database = openDatabase(options.database ?? ':memory:', MIGRATIONS);
  return loadPki({
    config: {
      folder: options.folder ?? workspace.folder,
      company: COMPANY,
      publicUrl: PUBLIC_URL,
      certificates: { validity: options.validity ?? 30 * DAY, ...options.certificates },
      timestamps: { authorities: options.authorities ?? ['embedded'] },
      ...(options.pki ? { pki: options.pki } : {}),
    },
    passphrase: options.passphrase ?? PASSPHRASE,
    certificates: new SqliteCertificateStore(database),
    timestamps: new SqliteTimestampStore(database),
    now: options.now ?? (() => new Date()),
    ...(options.outside ? { outside: options.outside } : {}),
    ...(options.monotonic ? { monotonic: options.monotonic } : {}),
    logger: silent,
  });
}

let requests = 0;

/** A PKCS#10 request by openssl with a new P-256 key. */
export function request(workspace: Workspace, ...extra: string[]): Uint8Array {
  const name = `request-${++requests}`;
  workspace.must('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  return requestFor(workspace, `${name}.key`, ...extra);
}

/** A PKCS#10 request by openssl with the key in a file. */
export function requestFor(workspace: Workspace, key: string, ...extra: string[]): Uint8Array {
  const args = ['req', '-new', '-key', key, '-subj', '/CN=Somebody Else', '-outform', 'DER', ...extra];
  return new Uint8Array(execFileSync('openssl', args, { cwd: workspace.folder, stdio: ['ignore', 'pipe', 'pipe'] }));
}

export function pem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
