/**
 * Keys on a PKCS#11 token. The module runs in a child process: when it crashes or hangs, when the session is lost or the token
 * was taken out, one cure fits all, a new child. The token only sees digests, and every signature is verified.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { derSignature } from '../../client/ecdsa.ts';
import { der } from '../der.ts';
import { keyAlgorithm } from '../key-file.ts';
import type { NewKey } from '../key-kinds.ts';
import { OID } from '../oids.ts';
import type { SignatureHash, SigningKey } from '../pki.ts';
import type { TokenFault, TokenJob, TokenOutcome } from './protocol.ts';

/** A key on a token can't be used; `message` names the token and says why. "unavailable" and "no-token" may pass. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly fault: TokenFault;
  constructor(fault: TokenFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

export interface TokenOptions {
  /** Path of the vendor's PKCS#11 library. */
  readonly module: string;
  /** Label of the token. */
  readonly label: string;
  /** The user PIN; asked for with each job, so that a corrected file is seen. */
  readonly pin: () => Promise<string>;
  readonly logger: Logger;
  /** Milliseconds that a job may take; making a key may take ten times as long. */
  readonly timeout?: number;
}

type Job = TokenJob extends infer J ? (J extends TokenJob ? Omit<J, 'token' | 'pin'> : never) : never;

interface Child {
  readonly process: ChildProcess;
  /** It has done a job: what fails now may be a lost session, which a new child doesn't have. */
  proven: boolean;
}

/** Faults that a new child may not have. */
const PASSING: ReadonlySet<TokenFault> = new Set(['unavailable', 'no-token', 'no-key']);

/** One token, shared by all keys on it: jobs run one after the other. */
export class Token {
  readonly #options: Required<TokenOptions>;
  #child: Child | null = null;
  #last: Promise<unknown> = Promise.resolve();
  /** SHA-256 of the PIN that the token refused: never tried again. */
  #refusedPin: string | null = null;

  constructor(options: TokenOptions) {
    this.#options = { timeout: 30_000, ...options };
  }

  /**
   * @param publicKey SubjectPublicKeyInfo, DER: which key, where several have the label
   * @throws TokenError
   */
  async key(label: string, publicKey: Uint8Array | null = null): Promise<SigningKey> {
    return this.#signingKey(label, await this.#run({ kind: 'publicKey', key: label, publicKey }));
  }

  /**
   * Makes a key that can't leave the token: P-256, P-384, or RSA with 3072 or 4096 bits.
   * @param another beside one that has the label, which is refused otherwise
   * @throws TokenError "exists" when there is one of that label
   */
  async generate(label: string, algorithm: NewKey, another = false): Promise<SigningKey> {
    return this.#signingKey(label, await this.#run({ kind: 'generate', key: label, algorithm, another }));
  }

  /** Ends the child; the next job starts another. */
  close(): void {
    this.#child?.process.kill('SIGKILL');
    this.#child = null;
  }

  #signingKey(label: string, publicKeyInfo: Uint8Array): SigningKey {
    const { label: token } = this.#options;
    const publicKey = this.#publicKey(label, publicKeyInfo);
    const algorithm = keyAlgorithm(publicKey);
    if (!algorithm)
      throw new TokenError(
        'no-key',
        `key “${label}” on token “${token}” is neither P-256, P-384 nor RSA from 2048 bits`,
      );
    const rsa = algorithm === 'rsa-sha256';
    return {
      algorithm,
      publicKey,
      sign: async (data, hash = 'sha256') => {
        const digest = createHash(hash).update(data).digest();
        const input = rsa ? digestInfo(hash, digest) : digest;
        const value = await this.#run({ kind: 'sign', key: label, publicKey: publicKeyInfo, input, rsa });
        const signature = rsa ? value : derSignature(value);
        if (!verify(hash, data, publicKey, signature))
          throw new TokenError('unavailable', `token “${token}” made a signature that doesn't fit key “${label}”`);
        return signature;
      },
    };
  }

  #publicKey(label: string, publicKeyInfo: Uint8Array): KeyObject {
    try {
      return createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
    } catch {
      throw new TokenError('no-key', `the public key “${label}” on token “${this.#options.label}” can't be read`);
    }
  }

  #run(job: Job): Promise<Uint8Array> {
    const result = this.#last.then(() => this.#perform(job));
    this.#last = result.catch(() => {});
    return result;
  }

  async #perform(job: Job): Promise<Uint8Array> {
    const { label } = this.#options;
    const pin = await this.#options.pin();
    const pinHash = createHash('sha256').update(pin).digest('hex');
    if (pinHash === this.#refusedPin)
      throw new TokenError('wrong-pin', `the PIN of token “${label}” was wrong; it isn't tried again`);
    for (;;) {
      this.#child ??= this.#start();
      const child = this.#child;
      const { proven } = child;
      const outcome = await this.#ask(child, { ...job, token: label, pin });
      if ('value' in outcome) {
        child.proven = true;
        return outcome.value;
      }
      this.close();
      if (outcome.fault === 'wrong-pin') this.#refusedPin = pinHash;
      // Making a key isn't repeated: it may have been made.
      if (proven && PASSING.has(outcome.fault) && job.kind !== 'generate') {
        this.#options.logger.warn({ token: label, detail: outcome.detail }, 'token lost; trying once more');
        continue;
      }
      throw new TokenError(outcome.fault, outcome.detail);
    }
  }

  #start(): Child {
    const script = fileURLToPath(new URL('child.ts', import.meta.url));
    // Vendors' modules are configured through the environment. What they print is nobody's.
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, this.#options.module], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    // Without a listener a failed start or a broken channel would end the gateway; #ask hears of both.
    child.on('error', () => {});
    // Idle, it must not keep the gateway's process from ending; a job's timer does that.
    child.unref();
    child.channel?.unref();
    return { process: child, proven: false };
  }

  #ask({ process: child }: Child, job: TokenJob): Promise<TokenOutcome> {
    const { timeout, label } = this.#options;
    const failed = (why: string): TokenOutcome => ({
      fault: 'unavailable',
      detail: `token “${label}” can't be used: its module ${why}`,
    });
    return new Promise(resolve => {
      const settle = (outcome: TokenOutcome): void => {
        clearTimeout(timer);
        child.off('message', settle).off('exit', ended).off('error', notStarted);
        resolve(outcome);
      };
      const ended = (code: number | null, signal: string | null) => settle(failed(`ended (${signal ?? code})`));
      const notStarted = (error: Error) => settle(failed(`can't be started: ${error.message}`));
      const timer = setTimeout(
        () => settle(failed("doesn't answer")),
        job.kind === 'generate' ? timeout * 10 : timeout,
      );
      child.on('message', settle).on('exit', ended).on('error', notStarted);
      if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode);
      else child.send(job, error => error && settle(failed('has gone')));
    });
  }
}

/** DigestInfo (RFC 8017 §9.2), which CKM_RSA_PKCS pads and signs. */
function digestInfo(hash: SignatureHash, digest: Uint8Array): Uint8Array {
  return der.sequence(der.sequence(der.oid(OID[hash]), der.null), der.octetString(digest));
}
