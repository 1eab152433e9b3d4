/** One mail of each kind, made from a request as it might really be. For tests and for screenshots (shots.ts). */
import type { Language } from '../../../src/directory/directory.ts';
import { createComposer } from '../../../src/outbound/composer.ts';
import type { ComposedMail, Mail, MailComposer, Recipient } from '../../../src/outbound/mail.ts';
import type { Answer } from '../../../src/outbound/reply-letters.ts';
import type { Party, Request, Session } from '../../../src/requests/model.ts';

export const config = {
  company: { name: 'Harbour & Sons Ltd' },
  domains: [{ sign: 'sign.company.com' }],
  mail: { from: 'signpost' },
};
export const publicUrl = 'https://sign.company.com';
export const link = `${publicUrl}/s/7Hq2mV0cXw9LkTzR4nYb1Q3dGf8sJp5u`;
export const date = new Date('2026-11-24T09:30:00Z');

export const mary = party('Mary Smith', 'mary.smith@company.com');
export const john = party('John Doe', 'john.doe@company.com');
export const zoe = party('Zoë Müller-Lefèvre', 'zoe.mueller@company.com');
export const paul = party('Paul Archer', 'paul.archer@company.com');

export function party(name: string, mail: string, language: Language = 'en'): Party {
  return { personId: mail, name, mail, language };
}

export function session(who: Party, change: Partial<Session> = {}): Session {
  return {
    id: `SECRETSESSION${who.name.length.toString().padStart(3, '0')}`,
    party: who,
    state: 'open',
    linkHash: 'c0ffee'.repeat(10),
    endedAt: null,
    comment: null,
    deviceId: null,
    certificateSerial: null,
    ...change,
  };
}

export function request(change: Partial<Request> = {}): Request {
  return {
    id: '7K3M9QTX2B4C',
    key: 'ab'.repeat(32),
    state: 'open',
    level: 'advanced',
    levelIsDefault: true,
    mode: 'parallel',
    sender: mary,
    copies: [paul],
    sessions: [session(john), session(zoe)],
    documents: [
      {
        name: 'Lease contract Harbour Street 12.pdf',
        pages: 14,
        original: 'aa',
        head: null,
        headLength: 0,
        layout: null,
        finished: 'f'.repeat(64),
        finishedLength: 1000,
      },
      {
        name: 'Annex A – floor plan.pdf',
        pages: 1,
        original: 'bb',
        head: null,
        headLength: 0,
        layout: null,
        finished: 'f'.repeat(64),
        finishedLength: 1000,
      },
    ],
    passedOver: ['image001.png', 'smime.p7s'],
    subject: 'Lease contract Harbour Street 12',
    text: 'Hi John, hi Zoë,\n\nhere is the lease as agreed on Friday; only § 4 (deposit) has changed.\nPlease sign it this week, the landlord is waiting.\n\nThanks!\nMary',
    messageId: '<20261124093000.ABCD@mail.company.com>',
    references: ['<first@mail.company.com>', '<second@mail.company.com>'],
    queueId: '4Xy12z3456',
    createdAt: date,
    expiresAt: new Date('2026-12-01T09:30:00Z'),
    endedAt: null,
    turn: null,
    version: 1,
    ...change,
  };
}

const signedJohn = session(john, { state: 'signed', endedAt: new Date('2026-11-24T13:07:00Z') });
const signedZoe = session(zoe, { state: 'signed', endedAt: new Date('2026-11-25T08:41:00Z') });
const rejectedZoe = session(zoe, {
  state: 'rejected',
  endedAt: new Date('2026-11-25T08:41:00Z'),
  comment: 'The deposit in § 4 is three months’ rent; we had agreed on two.\nPlease correct it and I’ll sign.',
});
const half = request({ sessions: [signedJohn, session(zoe)] });

function answered(answer: Answer, to: Party, about: Request = request()): { mail: Mail; to: Party } {
  const reply = { messageId: '<reply@mail.company.com>', references: ['<first@mail.company.com>'] };
  return { mail: { kind: 'answer', request: about, answer, to: reply }, to };
}

/** Each kind of mail with who gets it. */
export const samples: Record<string, { mail: Mail; to: Party | Recipient }> = {
  accepted: { mail: { kind: 'accepted', request: request() }, to: mary },
  'accepted-in-order': {
    mail: { kind: 'accepted', request: request({ mode: 'ordered', levelIsDefault: false }) },
    to: mary,
  },
  'please-sign': { mail: { kind: 'please-sign', request: request(), session: session(john), link }, to: john },
  'please-sign-self': {
    mail: { kind: 'please-sign', request: request({ sessions: [session(mary)] }), session: session(mary), link },
    to: mary,
  },
  reminder: { mail: { kind: 'reminder', request: request(), session: session(john), link }, to: john },
  'reminder-self': {
    mail: { kind: 'reminder', request: request({ sessions: [session(mary)] }), session: session(mary), link },
    to: mary,
  },
  'signed-by-one': { mail: { kind: 'signed-by-one', request: half, session: signedJohn }, to: mary },
  finished: {
    mail: {
      kind: 'finished',
      request: request({ state: 'finished', sessions: [signedJohn, signedZoe] }),
      files: [
        { name: 'Lease contract Harbour Street 12.pdf', bytes: Buffer.from('%PDF-1.7 first\n') },
        { name: 'Annex A – floor plan.pdf', bytes: Buffer.from('%PDF-1.7 second\n') },
      ],
    },
    to: paul,
  },
  'finished-other-files': {
    mail: {
      kind: 'finished',
      request: request({ state: 'finished', sessions: [signedJohn, signedZoe] }),
      files: [
        { name: 'Brief an Zoë.txt', form: 'content', bytes: Buffer.from('Liebe Zoë\n') },
        { name: 'Brief an Zoë.txt', form: 'cades-detached', bytes: Buffer.from([0x30, 0x80]) },
        { name: 'plan.png', form: 'cades', bytes: Buffer.from([0x30, 0x81]) },
      ],
    },
    to: paul,
  },
  'finished-link': {
    mail: { kind: 'finished-link', request: request({ state: 'finished', sessions: [signedJohn, signedZoe] }) },
    to: paul,
  },
  sealed: {
    mail: {
      kind: 'finished',
      request: request({ state: 'finished', level: 'seal', levelIsDefault: false, sessions: [] }),
      files: [{ name: 'Price list.pdf', bytes: Buffer.from('%PDF-1.7 sealed\n') }],
    },
    to: mary,
  },
  'sealed-link': {
    mail: { kind: 'finished-link', request: request({ state: 'finished', level: 'seal', sessions: [] }) },
    to: mary,
  },
  rejected: {
    mail: {
      kind: 'rejected',
      request: request({ state: 'rejected', sessions: [signedJohn, rejectedZoe] }),
      session: rejectedZoe,
    },
    to: john,
  },
  'rejected-self': {
    mail: {
      kind: 'rejected',
      request: request({ state: 'rejected', sessions: [rejectedZoe] }),
      session: session(zoe, { state: 'rejected', endedAt: date }),
    },
    to: zoe,
  },
  expired: {
    mail: { kind: 'expired', request: request({ state: 'expired', sessions: [signedJohn, session(zoe)] }) },
    to: mary,
  },
  cancelled: {
    mail: { kind: 'cancelled', request: request({ state: 'cancelled', sessions: [signedJohn, session(zoe)] }) },
    to: john,
  },
  'own-cancelled': { mail: { kind: 'cancelled', request: request({ state: 'cancelled' }) }, to: mary },
  failed: { mail: { kind: 'failed', request: request({ state: 'failed' }), reason: 'xfa' }, to: mary },
  'answer-status': answered({ name: 'status' }, mary, half),
  'answer-help-sender': answered({ name: 'help' }, mary),
  'answer-help-signatory': answered({ name: 'help' }, john),
  'answer-help-copy': answered({ name: 'help' }, paul),
  'answer-reminded': answered({ name: 'reminded', parties: [john, zoe] }, mary),
  'answer-reminded-before': answered({ name: 'remindedBefore', again: date }, mary),
  'answer-nobody-to-remind': answered({ name: 'nobodyToRemind' }, mary),
  'answer-prolonged': answered({ name: 'prolonged' }, mary),
  'answer-too-long': answered({ name: 'tooLong', latest: date }, mary),
  'answer-ended': answered({ name: 'ended' }, john, request({ state: 'cancelled', endedAt: date })),
  'answer-all-signed': answered(
    { name: 'allSigned' },
    mary,
    request({ state: 'closing', sessions: [signedJohn, signedZoe] }),
  ),
  'answer-not-your-turn': answered({ name: 'notYourTurn' }, zoe),
  'answer-signed-already': answered({ name: 'signedAlready' }, john, half),
  'answer-reason-missing': answered({ name: 'reasonMissing' }, john),
  away: {
    mail: {
      kind: 'away',
      request: request(),
      party: john,
      text: 'I am out of office until 7 December.\nIn urgent cases please write to sales@company.com.',
    },
    to: mary,
  },
  left: { mail: { kind: 'left', request: request(), party: john }, to: mary },
  undeliverable: { mail: { kind: 'undeliverable', request: request(), party: john }, to: mary },
  'undeliverable-ended': {
    mail: { kind: 'undeliverable', request: request({ state: 'expired', endedAt: date }), party: john },
    to: mary,
  },
  'enrolment-code': { mail: { kind: 'enrolment-code', code: '482915', minutes: 15 }, to: john },
  'device-enrolled': { mail: { kind: 'device-enrolled', deviceName: 'Firefox on Android', at: date }, to: john },
  'device-removed': { mail: { kind: 'device-removed', deviceName: 'Firefox on Android', at: date }, to: john },
  'watch-ending': {
    mail: { kind: 'watch-ending', certificate: 'seal', name: '/etc/signpost/certs/seal.pem', ends: date, days: 7 },
    to: paul,
  },
  'watch-ending-tsa-trust': {
    mail: { kind: 'watch-ending', certificate: 'tsa-trust', name: '/etc/signpost/tsa-root.pem', ends: date, days: 1 },
    to: paul,
  },
  'watch-fault': {
    mail: { kind: 'watch-fault', fault: 'disk', detail: '312 MiB of 20480 MiB are free in /srv/signpost', at: date },
    to: paul,
  },
  'watch-mended': { mail: { kind: 'watch-mended', fault: 'disk', since: date, at: date }, to: paul },
};

export const composer: MailComposer = createComposer({ config, publicUrl, timeZone: 'Europe/Berlin' });

/** Composes a sample, in its recipient's or another language. */
export function composeSample(name: string, language?: Language, rowId = 'a1b2c3d4e5f6g7h8'): Promise<ComposedMail> {
  const { mail, to } = samples[name]!;
  return composer.compose(mail, language === undefined ? to : { ...to, language }, rowId, date);
}
