/** Which line of a reply counts, and what it says. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../src/replies/commands.ts';
import { firstLine } from '../../../src/replies/first-line.ts';

describe('D5 the line that counts', () => {
  test.each<[string, string]>([
    ['alone', 'status'],
    ['after empty lines', '\r\n \r\nstatus\r\n'],
    [
      'above a Gmail quotation',
      'status\n\nOn Tue, 24 Nov 2026 at 10:00, Mary Smith <mary@company.com> wrote:\n> cancel\n',
    ],
    ['above an Outlook quotation', 'status\n\n-----Original Message-----\nFrom: Mary\nSent: today\n\ncancel'],
    ['above an Outlook head alone', 'status\n\nFrom: Mary Smith <m@company.com>\nSent: Tuesday\nTo: John\n\ncancel'],
    ['above a German head', 'status\n\nVon: Mary Smith\nGesendet: Dienstag\nAn: John\nBetreff: Vertrag\n\ncancel'],
    ['above a French head', 'status\n\nDe : Mary Smith\nEnvoyé : mardi\nÀ : John\nObjet : Contrat\n\ncancel'],
    ['above a line', 'status\n\n________________________________\nFrom: Mary'],
    ['directly above an attribution', 'status\nOn 24 Nov 2026, at 10:00, Mary wrote:\n\n> cancel'],
    ['below a quotation', 'On Tue, 24 Nov 2026, Mary Smith wrote:\n> Please sign.\n> cancel\n>\n\nstatus\n'],
    ['below a German one', 'Am 24.11.26 um 10:00 schrieb Mary Smith:\n> cancel\n\nstatus'],
    ['below another German one', 'Mary Smith <mary@company.com> schrieb am 24.11.2026 um 10:00:\n\n> cancel\n\nstatus'],
    ['below a French one', 'Le mar. 24 nov. 2026 à 10:00, Mary <m@company.com> a écrit :\n> cancel\n\nstatus'],
    [
      'below one broken in two',
      'On Tue, 24 Nov 2026 at 10:00, Mary Smith via Signpost\n<signpost@sign.company.com> wrote:\n\n> cancel\n\nstatus',
    ],
    [
      'below one broken in three',
      'Am Dienstag, den 24. November 2026 um 10:00 Uhr\nschrieb Mary Smith via Signpost\n<signpost@sign.company.com>:\n> cancel\n\nstatus',
    ],
    ['below marks without attribution', '> Please sign\n> cancel\n\nstatus'],
    ['with invisible characters', '\u200b\ufeffstatus\u200b'],
    ['with a no-break space', '\u00a0status\u00a0'],
  ])('%s', (_, text) => expect(firstLine(text)).toBe('status'));

  test('no other line is looked at', () => {
    expect(firstLine('Hello,\nstatus')).toBe('Hello,');
    expect(firstLine('Thanks, I will look at it.\n\ncancel')).toBe('Thanks, I will look at it.');
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['only white space', ' \r\n\t\r\n'],
    ['only a marked quotation', '> cancel\n>cancel\n> > cancel'],
    ['only a Gmail quotation', 'On Tue, 24 Nov 2026 at 10:00, Mary <m@company.com> wrote:\n> cancel'],
    ['an attribution and unmarked text', 'On Tue, 24 Nov 2026 at 10:00, Mary <m@company.com> wrote:\n\ncancel'],
    ['an unknown language', 'El mar, 24 nov 2026 a las 10:00, Mary (<m@company.com>) escribió:\ncancel'],
    ['an Outlook quotation', '-----Original Message-----\nFrom: Mary\n\ncancel'],
    ['a German Outlook quotation', '-----Ursprüngliche Nachricht-----\nVon: Mary\n\ncancel'],
    ['a French Outlook quotation', "-----Message d'origine-----\nDe : Mary\n\ncancel"],
    ['a forwarded mail', '---------- Forwarded message ---------\nFrom: Mary\n\ncancel'],
    ['an Apple forward', 'Begin forwarded message:\n\ncancel'],
    ['a line', '________________________________\ncancel'],
    ['a head', 'From: Mary Smith\nSent: today\n\ncancel'],
    ['a head in bold', '*From:* Mary Smith\n*Sent:* today\n\ncancel'],
    ['a German head', 'Von: Mary\nGesendet: heute\n\ncancel'],
    ['a French head', 'De\u00a0: Mary\nEnvoyé\u00a0: hier\n\ncancel'],
    ['a signature', '-- \ncancel'],
    ['a quotation whose lines were broken again', '> a long line that was broken by some\ncancel\n> and goes on'],
    ['marks of other kinds', '| cancel\n» cancel'],
    ['two levels', 'Mary wrote:\n> John wrote:\n>> cancel'],
  ])('is nowhere in %s', (_, text) => expect(firstLine(text)).toBeNull());

  test('a hostile text costs little', () => {
    for (const piece of ['a ', 'a@', '<', '> ', 'On 1 ', '-', '\n', ' wrote', 'x@y:\n'])
      expect(() => firstLine(piece.repeat(200_000))).not.toThrow();
  });
});

describe('D5 the commands', () => {
  test.each<[string, unknown]>([
    ['status', { name: 'status' }],
    ['Status?', { name: 'status' }],
    ['STATUS.', { name: 'status' }],
    ['Stand', { name: 'status' }],
    ['État', { name: 'status' }],
    ['statut', { name: 'status' }],
    ['“remind”', { name: 'remind' }],
    ['Erinnern!', { name: 'remind' }],
    ['rappel', { name: 'remind' }],
    ['cancel', { name: 'cancel' }],
    ['Zurückziehen', { name: 'cancel' }],
    ['abbrechen', { name: 'cancel' }],
    ['Annuler', { name: 'cancel' }],
    ['extend 5 days', { name: 'extend', days: 5 }],
    ['Extend by 1 day', { name: 'extend', days: 1 }],
    ['verlängern um 5 Tage', { name: 'extend', days: 5 }],
    ['Prolonger de 12 jours.', { name: 'extend', days: 12 }],
    ['reject', { name: 'reject', reason: null }],
    ['reject:', { name: 'reject', reason: null }],
    ['reject: § 4 is wrong!', { name: 'reject', reason: '§ 4 is wrong!' }],
    ['Reject – wrong: all of it', { name: 'reject', reason: 'wrong: all of it' }],
    ['Ablehnen: Straße fehlt', { name: 'reject', reason: 'Straße fehlt' }],
    ['refuser\u00a0: déjà signé', { name: 'reject', reason: 'déjà signé' }],
  ])('%s', (line, command) => expect(parseCommand(line)).toEqual(command));

  test.each([
    '',
    'Thanks!',
    'sign',
    'yes, I sign',
    'I agree',
    'approve',
    'please cancel',
    'cancel my last mail',
    'Cancelled?',
    'reject the other one, please',
    'rejected',
    'extend',
    'extend 0 days',
    'extend 5 years',
    'extend 5000 days',
    'extend -5 days',
    'extend 5 days or so',
    'statuses',
    'reminder: buy milk',
    'Re: status',
    'https://sign.company.com/s/cancel',
  ])('“%s” is none', line => expect(parseCommand(line)).toBeNull());
});
