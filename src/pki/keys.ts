/** The CA's, seal's and timestamp keys, wherever the configuration has put them: in keys/NAME.p8, or on a PKCS#11 token. */
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config, KeyPlace } from '../config/schema.ts';
import { keyPath } from './create.ts';
import { generateKey, loadKeyFile, readPassphrase, signingKey, writeKeyFile } from './key-file.ts';
import { Token } from './pkcs11/token.ts';
import type { SignatureAlgorithm, SigningKey } from './pki.ts';

/** Keys whose place the configuration chooses. */
export const PLACED_KEYS = ['ca', 'seal', 'tsa'] as const;
export type KeyName = (typeof PLACED_KEYS)[number];

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

  /** @throws KeyFileError, TokenError */
  open(name: KeyName): Promise<SigningKey> {
    const place = this.#place(name);
    if (place === 'file') return loadKeyFile(keyPath(this.#options.config.folder, name), this.#options.passphrase);
    return this.#token(place).key(place.pkcs11.label);
  }

  /** Makes the key in its place. @throws KeyFileError, TokenError; each with "exists" when there is one */
  async generate(name: KeyName, algorithm: SignatureAlgorithm): Promise<SigningKey> {
    const place = this.#place(name);
    if (place !== 'file') return this.#token(place).generate(place.pkcs11.label, algorithm);
    const key = await generateKey(algorithm);
    await writeKeyFile(keyPath(this.#options.config.folder, name), key, this.#options.passphrase);
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
