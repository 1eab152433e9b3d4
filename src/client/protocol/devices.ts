/** A device about itself and the other devices of its person. */
import { kindOf, type PersonInfo, parsePersonInfo } from './enrolment.ts';
import { bytes, bytesOf, date, fields, list, Malformed, natural, oneOf, orNull, serial, text } from './wire.ts';

export interface DeviceInfo {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  readonly createdAt: Date;
  readonly person: PersonInfo;
  readonly company: string;
}

export interface NameAsk {
  readonly name: string;
}

export interface OwnCodeAsk {
  readonly link: string | null;
}

/** A device of the person who asks: active, or ended a short while ago. */
export interface OwnDevice {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  /** The one that asks. */
  readonly own: boolean;
}

/** A new device of the person that waits to be confirmed. */
export interface Newcomer {
  readonly id: string;
  readonly name: string;
  readonly kind: 'browser' | 'command-line';
  /** What it shows, too. */
  readonly code: string;
  /** Name of the device whose place it takes. */
  readonly replaces: string | null;
}

export interface NewcomerAsk {
  readonly confirmed: boolean;
}

/** To create a passkey with (WebAuthn). */
export interface PasskeyOptions {
  readonly challenge: Uint8Array;
  readonly rpId: string;
  readonly rpName: string;
  readonly userId: Uint8Array;
  readonly userName: string;
}

/** AuthenticatorAttestationResponse without attestation. */
export interface PasskeyAsk {
  readonly clientData: Uint8Array;
  readonly authenticatorData: Uint8Array;
}

/** A request that waits for this device's person. */
export interface Waiting {
  /** Token of the person's own link. */
  readonly link: string;
  readonly request: string;
  readonly subject: string;
  readonly sender: PersonInfo;
  readonly documents: number;
  readonly expiresAt: Date;
}

export interface CertificateAsk {
  /** PKCS#10, DER. */
  readonly csr: Uint8Array;
}

export interface Certificate {
  readonly serial: string;
  readonly certificate: Uint8Array;
  readonly notAfter: Date;
}

/** The device's token key, which it made and now can't read any more. */
export interface TokenAsk {
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export function parseNameAsk(value: unknown): NameAsk {
  return { name: text(fields(value).name, 100) };
}

export function parseOwnCodeAsk(value: unknown): OwnCodeAsk {
  return { link: orNull(fields(value).link, item => text(item, 200)) };
}

export function parseOwnDevices(value: unknown): readonly OwnDevice[] {
  return list(value, item => {
    const { id, name, kind, createdAt, endedAt, own } = fields(item);
    return {
      id: text(id, 43),
      name: text(name),
      kind: kindOf(kind),
      createdAt: date(createdAt),
      endedAt: orNull(endedAt, date),
      own: own === true,
    };
  });
}

export function parseNewcomers(value: unknown): readonly Newcomer[] {
  return list(value, item => {
    const { id, name, kind, code, replaces } = fields(item);
    return {
      id: text(id, 43),
      name: text(name),
      kind: kindOf(kind),
      code: text(code, 20),
      replaces: orNull(replaces, text),
    };
  });
}

export function parseNewcomerAsk(value: unknown): NewcomerAsk {
  const { confirmed } = fields(value);
  if (typeof confirmed !== 'boolean') throw new Malformed('neither true nor false');
  return { confirmed };
}

export function parsePasskeyOptions(value: unknown): PasskeyOptions {
  const { challenge, rpId, rpName, userId, userName } = fields(value);
  return {
    challenge: bytes(challenge),
    rpId: text(rpId),
    rpName: text(rpName),
    userId: bytes(userId),
    userName: text(userName),
  };
}

/** What authenticators say fits into a few hundred bytes; RSA keys need most. */
export function authenticatorBytes(value: unknown): Uint8Array {
  const parsed = bytes(value);
  if (parsed.length > 8192) throw new Malformed('too long');
  return parsed;
}

export function parsePasskeyAsk(value: unknown): PasskeyAsk {
  const { clientData, authenticatorData } = fields(value);
  return { clientData: authenticatorBytes(clientData), authenticatorData: authenticatorBytes(authenticatorData) };
}

export function parseDeviceInfo(value: unknown): DeviceInfo {
  const { id, name, kind, createdAt, person, company } = fields(value);
  return {
    id: text(id, 43),
    name: text(name),
    kind: oneOf(kind, 'browser', 'command-line'),
    createdAt: date(createdAt),
    person: parsePersonInfo(person),
    company: text(company),
  };
}

export function parseWaitingList(value: unknown): readonly Waiting[] {
  return list(value, item => {
    const { link, request, subject, sender, documents, expiresAt } = fields(item);
    return {
      link: text(link, 200),
      request: text(request),
      subject: text(subject),
      sender: parsePersonInfo(sender),
      documents: natural(documents),
      expiresAt: date(expiresAt),
    };
  });
}

export function parseCertificateAsk(value: unknown): CertificateAsk {
  return { csr: bytes(fields(value).csr) };
}

export function parseCertificate(value: unknown): Certificate {
  const { serial: number, certificate, notAfter } = fields(value);
  return { serial: serial(number), certificate: bytes(certificate), notAfter: date(notAfter) };
}

export function parseTokenAsk(value: unknown): TokenAsk {
  return { key: bytesOf(fields(value).key, 32) };
}
