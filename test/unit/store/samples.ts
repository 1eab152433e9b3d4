/** Ready-made values for store tests. */
import type { Device, Request, Session } from '../../../src/requests/model.ts';
import type { Job, OutboxRow } from '../../../src/store/store.ts';

export const T0 = new Date('2026-05-04T10:00:00.000Z');

export function later(milliseconds: number, from = T0): Date {
  return new Date(from.getTime() + milliseconds);
}

const party = (personId: string) => ({
  personId,
  name: personId,
  mail: `${personId}@company.test`,
  language: 'en' as const,
});

export function session(id: string, personId: string, state: Session['state'] = 'open'): Session {
  return {
    id,
    party: party(personId),
    state,
    linkHash: `hash-of-${id}`,
    endedAt: null,
    comment: null,
    deviceId: null,
    certificateSerial: null,
  };
}

export function request(id: string, changes: Partial<Request> = {}): Request {
  return {
    id,
    key: `key-${id}`,
    state: 'open',
    level: 'advanced',
    levelIsDefault: true,
    mode: 'parallel',
    sender: party('mary'),
    copies: [party('carl')],
    sessions: [session(`${id}-1`, 'john'), session(`${id}-2`, 'jane')],
    documents: [
      {
        name: 'Vertrag “Müller”.pdf',
        pages: 3,
        original: 'a'.repeat(64),
        revisions: [{ length: 10, blob: 'b'.repeat(64) }],
        head: 'b'.repeat(64),
        headLength: 10,
        layout: null,
        finished: null,
      },
    ],
    passedOver: ['smime.p7s'],
    subject: 'Contract',
    text: 'Please sign.',
    messageId: '<1@company.test>',
    references: [],
    queueId: '4XyZ',
    createdAt: T0,
    expiresAt: later(7 * 86_400_000),
    endedAt: null,
    turn: null,
    version: 1,
    ...changes,
  };
}

export function device(id: string, personId: string, changes: Partial<Device> = {}): Device {
  return {
    id,
    personId,
    name: 'Firefox on Android',
    kind: 'browser',
    key: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
    state: 'active',
    createdAt: T0,
    endedAt: null,
    ...changes,
  };
}

export function job(id: string, changes: Partial<Job> = {}): Job {
  return { id, kind: 'prepare', requestId: 'R1', dueAt: T0, attempts: 0, ...changes };
}

export function row(id: string, changes: Partial<OutboxRow> = {}): OutboxRow {
  return {
    id,
    requestId: 'R1',
    kind: 'accepted',
    topic: '',
    recipient: 'mary@company.test',
    envelopeFrom: `bounce+${id}@sign.company.test`,
    messageId: `<${id}@sign.company.test>`,
    blob: 'c'.repeat(64),
    state: 'pending',
    attempts: 0,
    nextAttemptAt: T0,
    lastReply: null,
    createdAt: T0,
    ...changes,
  };
}
