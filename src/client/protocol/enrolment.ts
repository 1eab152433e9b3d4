/** Setting up a device: what is asked, shown and answered. */
import type { Proof } from '../../requests/model.ts';
import { fromBase64url } from '../bytes.ts';
import { bytesOf, date, fields, list, Malformed, oneOf, orNull, text } from './wire.ts';

/** A public P-256 key (RFC 7517); its RFC 7638 thumbprint is the device's id and the `keyid`. */
export interface PublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface NonceAnswer {
  readonly nonce: string;
  /** The gateway's clock: a phone's may be wrong by hours. */
  readonly time: Date;
}

/** Asks for a code by mail. The answer is always the same. */
export interface CodeAsk {
  readonly key: PublicKey;
  readonly address: string;
  /** Token of the link that led here, or null. */
  readonly link: string | null;
}

/** Sets of what has to be shown together; any one of them is enough. */
export type Alternatives = readonly (readonly Proof[])[];

export type PasskeyUse = 'off' | 'offered' | 'required';

/** How devices are set up at this company: the same for whoever asks. */
export interface EnrolmentOptions {
  /** What is enough for some level. */
  readonly proofs: Alternatives;
  /** The most that a level asks for. */
  readonly passkeys: PasskeyUse;
}

/** What is shown; null where it isn't. The link is the token of the one that led here. */
export interface ProofAsk {
  readonly password: string | null;
  readonly code: string | null;
  readonly link: string | null;
}

export interface EnrolmentAsk extends ProofAsk {
  readonly key: PublicKey;
  readonly address: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  /** The device that this one replaces, and its key's signature over `replacementData` of the new key. */
  readonly replaces: { readonly device: string; readonly signature: Uint8Array } | null;
}

/** A waiting key shows more, or names the device that it replaces. */
export interface MoreAsk extends ProofAsk {
  readonly replaces: string | null;
}

export type EnrolmentAnswer =
  | { readonly state: 'enrolled'; readonly enrolled: Enrolled }
  /** One of the others is to confirm, which shows the same code. */
  | {
      readonly state: 'waiting';
      readonly code: string;
      readonly expiresAt: Date;
      readonly others: readonly { readonly id: string; readonly name: string; readonly createdAt: Date }[];
      /** What is enough without them. */
      readonly more: Alternatives;
    };

/** What an old device's key signs for the new one that takes its place. */
export function replacementData(newKeyId: string): Uint8Array {
  return new TextEncoder().encode(`signpost replaced by v1\0${newKeyId}`);
}

export interface PersonInfo {
  readonly name: string;
  readonly mail: string;
}

export interface Enrolled {
  readonly deviceId: string;
  readonly person: PersonInfo;
  readonly company: string;
  /** The key that signs the gateway's answers: the device pins it. */
  readonly gatewayKey: PublicKey;
}

export function parsePublicKey(value: unknown): PublicKey {
  const { kty, crv, x, y } = fields(value);
  const coordinate = (part: unknown): string => {
    const parsed = text(part, 43);
    if (fromBase64url(parsed)?.length !== 32) throw new Malformed('not a coordinate of P-256');
    return parsed;
  };
  return { kty: oneOf(kty, 'EC'), crv: oneOf(crv, 'P-256'), x: coordinate(x), y: coordinate(y) };
}

export function parseNonceAnswer(value: unknown): NonceAnswer {
  const { nonce, time } = fields(value);
  return { nonce: text(nonce, 200), time: date(time) };
}

export function parseCodeAsk(value: unknown): CodeAsk {
  const { key, address, link } = fields(value);
  return { key: parsePublicKey(key), address: text(address, 320), link: orNull(link, item => text(item, 200)) };
}

export function kindOf(value: unknown): 'browser' | 'command-line' {
  return oneOf(value, 'browser', 'command-line');
}

export function parseAlternatives(value: unknown): Alternatives {
  return list(value, set => list(set, proof => oneOf(proof, 'mailed-code', 'password', 'admin-code')));
}

export function parseEnrolmentOptions(value: unknown): EnrolmentOptions {
  const { proofs, passkeys } = fields(value);
  return { proofs: parseAlternatives(proofs), passkeys: oneOf(passkeys, 'off', 'offered', 'required') };
}

export function parseProofAsk(value: unknown): ProofAsk {
  const { password, code, link } = fields(value);
  return {
    password: orNull(password, item => text(item, 1000)),
    code: orNull(code, item => text(item, 64)),
    link: orNull(link, item => text(item, 200)),
  };
}

export function parseEnrolmentAsk(value: unknown): EnrolmentAsk {
  const { key, address, name, kind, replaces } = fields(value);
  return {
    ...parseProofAsk(value),
    key: parsePublicKey(key),
    address: text(address, 320),
    name: text(name, 100),
    kind: kindOf(kind),
    replaces: orNull(replaces, item => {
      const { device, signature } = fields(item);
      return { device: text(device, 43), signature: bytesOf(signature, 64) };
    }),
  };
}

export function parseMoreAsk(value: unknown): MoreAsk {
  return { ...parseProofAsk(value), replaces: orNull(fields(value).replaces, item => text(item, 43)) };
}

export function parseEnrolmentAnswer(value: unknown): EnrolmentAnswer {
  const { state, enrolled, code, expiresAt, others, more } = fields(value);
  if (oneOf(state, 'enrolled', 'waiting') === 'enrolled')
    return { state: 'enrolled', enrolled: parseEnrolled(enrolled) };
  return {
    state: 'waiting',
    code: text(code, 20),
    expiresAt: date(expiresAt),
    others: list(others, item => {
      const { id, name, createdAt } = fields(item);
      return { id: text(id, 43), name: text(name), createdAt: date(createdAt) };
    }),
    more: parseAlternatives(more),
  };
}

export function parsePersonInfo(value: unknown): PersonInfo {
  const { name, mail } = fields(value);
  return { name: text(name), mail: text(mail) };
}

export function parseEnrolled(value: unknown): Enrolled {
  const { deviceId, person, company, gatewayKey } = fields(value);
  return {
    deviceId: text(deviceId, 43),
    person: parsePersonInfo(person),
    company: text(company),
    gatewayKey: parsePublicKey(gatewayKey),
  };
}
