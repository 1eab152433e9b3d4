/** A person's devices as one of them sees them: their list, names and ends, newcomers, more proof, the passkey. */
import {
  decode,
  type NameAsk,
  type Newcomer,
  type NewcomerAsk,
  type OwnCodeAsk,
  type OwnDevice,
  type PasskeyAsk,
  type ProofAsk,
  parseNewcomers,
  parseOwnDevices,
  parsePasskeyOptions,
} from './protocol.ts';
import type { Passkeys } from './webauthn.ts';

/** Signed calls of the device. */
export interface DeviceCalls {
  get<T>(path: string, read: (body: Uint8Array) => T): Promise<T>;
  change<T>(method: 'POST' | 'DELETE', path: string, body: unknown, read: (body: Uint8Array) => T): Promise<T>;
}

const nothing = (): void => undefined;

/** @throws Problem · Unreachable, everywhere */
export class OwnDevices {
  readonly #calls: DeviceCalls;
  readonly #passkeys: Passkeys | null;

  constructor(calls: DeviceCalls, passkeys: Passkeys | null) {
    this.#calls = calls;
    this.#passkeys = passkeys;
  }

  /** Whether this browser can make passkeys that verify the person. */
  async canHavePasskey(): Promise<boolean> {
    return (await this.#passkeys?.available()) ?? false;
  }

  list(): Promise<readonly OwnDevice[]> {
    return this.#calls.get('/api/device/all', body => decode(body, parseOwnDevices));
  }

  /** Ends another device of the person. */
  remove(id: string): Promise<void> {
    return this.#calls.change('DELETE', `/api/device/all/${encodeURIComponent(id)}`, undefined, nothing);
  }

  /** What this device is called. */
  rename(name: string): Promise<void> {
    const body: NameAsk = { name };
    return this.#calls.change('POST', '/api/device/name', body, nothing);
  }

  /** New devices that this one may confirm. */
  newcomers(): Promise<readonly Newcomer[]> {
    return this.#calls.get('/api/device/newcomers', body => decode(body, parseNewcomers));
  }

  /** @throws Problem `not-found` when another device answered already, or it took too long */
  answer(id: string, confirmed: boolean): Promise<void> {
    const body: NewcomerAsk = { confirmed };
    return this.#calls.change('POST', `/api/device/newcomers/${encodeURIComponent(id)}`, body, nothing);
  }

  /** Asks for a code by mail, to show more. Says nothing about whether one was sent. */
  requestCode(link: string | null): Promise<void> {
    const body: OwnCodeAsk = { link };
    return this.#calls.change('POST', '/api/device/code', body, nothing);
  }

  /** Shows more, for levels that ask for it. @throws Problem `enrolment-refused`, `too-many-tries`, `password-paused` */
  prove(ask: ProofAsk): Promise<void> {
    return this.#calls.change('POST', '/api/device/proofs', ask, nothing);
  }

  /**
   * Makes a passkey with the browser's own dialog, and adds it to this device.
   * @throws DOMException when the person declines or the browser can't · Problem `more-proof`
   */
  async addPasskey(): Promise<void> {
    if (this.#passkeys === null) throw new DOMException('no passkeys here', 'NotSupportedError');
    const options = await this.#calls.get('/api/device/passkey', body => decode(body, parsePasskeyOptions));
    const body: PasskeyAsk = await this.#passkeys.create(options);
    await this.#calls.change('POST', '/api/device/passkey', body, nothing);
  }
}
