/** The CA's, seal's and timestamp keys, wherever the configuration has put them: in keys/NAME.p8, or on a PKCS#11 token. */
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config, KeyPlace } from '../config/schema.ts';
import { keyPath } from './create.ts';
import { equal } from './der.ts';
import { generateKey, KeyFileError, loadKeyFile, readPassphrase, signingKey, writeKeyFile } from './key-file.ts';
import type { NewKey } from './key-kinds.ts';
import { Token } from './pkcs11/token.ts';
import type { SigningKey } from './pki.ts';
import { type Certificate, publicKeyInfoOf } from './x509.ts';

/** Keys whose place the configuration chooses. */
export const PLACED_KEYS = ['ca', 'seal', 'tsa'] as const;
export type KeyName = (typeof PLACED_KEYS)[number];

/** A key that waits for its certificate to come into use. */
export const nextKeyPath = (folder: string, name: KeyName): string => join(folder, 'keys', `${name}.next.p8`);

export interface KeysOptions {
  /** `pki` may be left out: all keys are files then. */
  readonly config: Pick<Config, 'folder'> & Partial<Pick<Config, 'pki'>>;
  readonly passphrase: string;
  /** $CREDENTIALS_DIRECTORY (systemd.exec(5)), where PIN files may lie. */
  readonly credentials: string | undefined;
  readonly logger: Logger;
}

export class Keys {
  readonly #options: KeysOptions;
  /** By module and label: keys on one token share its child process and its session. */
  readonly #tokens = new Map<string, Token>();

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  /**
   * The certificate decides which of two keys counts while one follows the other (rotation.ts); without it, or where none
   * fits, the one that is in the key's place.
   * @throws KeyFileError, TokenError
   */
  async open(name: KeyName, certificate?: Certificate): Promise<SigningKey> {
    const place = this.#place(name);
    if (place !== 'file') return this.#token(place).key(place.pkcs11.label, certificate?.publicKeyInfo);
    const { folder } = this.#options.config;
    const fits = (key: SigningKey | null): key is SigningKey =>
      key !== null && (!certificate || equal(publicKeyInfoOf(key.publicKey), certificate.publicKeyInfo));
    const key = await this.#load(keyPath(folder, name));
    if (fits(key)) return key;
    const next = await this.#load(nextKeyPath(folder, name)).catch((error: unknown) => {
      // Not made, or cut short while it was made.
      if (error instanceof KeyFileError) return null;
      throw error;
    });
    // It may have come to its place while we looked.
    return fits(next) ? next : this.#load(keyPath(folder, name));
  }

  #load(path: string): Promise<SigningKey> {
    return loadKeyFile(path, this.#options.passphrase);
  }

  /** Makes the key in its place. @throws KeyFileError, TokenError; each with "exists" when there is one */
  async generate(name: KeyName, algorithm: NewKey): Promise<SigningKey> {
    const place = this.#place(name);
    if (place !== 'file') return this.#token(place).generate(place.pkcs11.label, algorithm);
    const key = await generateKey(algorithm);
    await writeKeyFile(keyPath(this.#options.config.folder, name), key, this.#options.passphrase);
    return signingKey(key);
  }

  /**
   * Makes a key beside the one that is in use: keys/NAME.next.p8, or under the same label on the token.
   * @throws KeyFileError, TokenError
   */
  async generateNext(name: KeyName, algorithm: NewKey): Promise<SigningKey> {
    const place = this.#place(name);
    if (place !== 'file') return this.#token(place).generate(place.pkcs11.label, algorithm, true);
    const key = await generateKey(algorithm);
    await writeKeyFile(nextKeyPath(this.#options.config.folder, name), key, this.#options.passphrase);
    return signingKey(key);
  }

  /** Where a key is, for people: a file's path, or what it is called on which token. */
  where(name: KeyName): string {
    const place = this.#place(name);
    if (place === 'file') return keyPath(this.#options.config.folder, name);
    return `“${place.pkcs11.label}” on token “${place.pkcs11.token}”`;
  }

  isFile(name: KeyName): boolean {
    return this.#place(name) === 'file';
  }

  #place(name: KeyName): KeyPlace {
    return this.#options.config.pki?.keys[name] ?? 'file';
  }

  #token({ pkcs11: { module, token: label, pinFile } }: Exclude<KeyPlace, 'file'>): Token {
    const { config, credentials, logger } = this.#options;
    const id = JSON.stringify([module, label, pinFile]);
    const known = this.#tokens.get(id);
    if (known) return known;
    const pin = () => readPassphrase(resolve(config.folder, pinFile), credentials);
    const token = new Token({ module, label, pin, logger });
    this.#tokens.set(id, token);
    return token;
  }
}
