/** Requests and devices as JSON and back. The types see to it that no date stays a string. */
import type { Device, PendingEnrolment, Request, Session, Turn } from '../requests/model.ts';

/** What JSON makes of a T: dates become text. */
type Stored<T> = T extends Date ? string : T extends object ? { [Key in keyof T]: Stored<T[Key]> } : T;

export function encode(value: Request | Device | PendingEnrolment): string {
  return JSON.stringify(value);
}

/** @param json what `encode` made */
export function decodeRequest(json: string): Request {
  const stored = JSON.parse(json) as Stored<Request>;
  return {
    ...stored,
    sessions: stored.sessions.map(decodeSession),
    createdAt: new Date(stored.createdAt),
    expiresAt: new Date(stored.expiresAt),
    endedAt: dateOrNull(stored.endedAt),
    turn: stored.turn && decodeTurn(stored.turn),
  };
}

/** @param json what `encode` made */
export function decodeDevice(json: string): Device {
  const stored = JSON.parse(json) as Stored<Device>;
  const { provedAt, ...rest } = stored;
  return {
    ...rest,
    ...(provedAt === undefined ? {} : { provedAt: new Date(provedAt) }),
    createdAt: new Date(stored.createdAt),
    endedAt: dateOrNull(stored.endedAt),
  };
}

/** @param json what `encode` made */
export function decodeEnrolment(json: string): PendingEnrolment {
  const stored = JSON.parse(json) as Stored<PendingEnrolment>;
  return { ...stored, createdAt: new Date(stored.createdAt), expiresAt: new Date(stored.expiresAt) };
}

function decodeSession(stored: Stored<Session>): Session {
  const { challenge, ...rest } = stored;
  return {
    ...rest,
    endedAt: dateOrNull(stored.endedAt),
    ...(challenge ? { challenge: { ...challenge, at: new Date(challenge.at) } } : {}),
  };
}

function decodeTurn(stored: Stored<Turn>): Turn {
  return { ...stored, signingTime: new Date(stored.signingTime), expiresAt: new Date(stored.expiresAt) };
}

function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
