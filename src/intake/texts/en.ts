/**
 * Every refusal of the mail entrance in English: code, enhanced status code (RFC 3463), what was wrong and what to do next,
 * each line under 450 characters. A new one needs its texts in fr.ts and de.ts, which the compiler asks for.
 */
import type { DocumentRefusalReason } from '../../documents/documents.ts';
import type { Level } from '../../requests/model.ts';
import type { LimitName } from '../../requests/requests.ts';
import { ascii, quoted, Refusal, size } from '../refusal.ts';

const HOW = 'Attach the PDF to a new mail to name@sign-domain, as you would mail it to that person.';

export const english = {
  // Who asks
  notAuthenticated: () =>
    new Refusal(
      550,
      '5.7.1',
      'Only people of this company may ask for signatures, and this connection has not said who you are.',
      'Send the mail from your company account (with your login) and try again.',
    ),
  unknownLogin: () =>
    new Refusal(
      550,
      '5.7.1',
      'Your login is not known to the signing service. Ask your administrator to add it to the directory.',
    ),
  unknownSender: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `The sender address ${quoted(address)} belongs to nobody in the company directory.`,
      'Send from your company address, or ask your administrator to add this one to the directory.',
    ),
  senderIsNotLogin: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `You are logged in as somebody else than ${quoted(address)}. Nobody can ask for signatures in another person's name.`,
      'Send from your own address.',
    ),
  notOurDomain: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `Only people of this company may ask for signatures, and ${quoted(address)} is no address of a mail domain of this company.`,
      'Send the mail from your company address and account.',
    ),
  notProven: (domain: string, faults: readonly string[]) =>
    new Refusal(
      550,
      '5.7.1',
      `Only people of this company may ask for signatures, and nothing proves that this mail comes from ${ascii(domain, 100)}:`,
      ...faults.slice(0, 5).map(fault => `- ${fault}.`),
      'Send it from your company account (with your login). If you did, show this reply to your administrator.',
    ),
  tooManyStrangers: () =>
    new Refusal(451, '4.3.2', 'Too much mail without a login comes in at the moment. The mail will be tried again.'),
  relaySenderDiffers: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `The From line of the mail is another address than the one it is sent with, ${quoted(address)}. Through this mail server both must be the same.`,
      'Write the same address into From, or send the mail with your login.',
    ),
  senderDiffers: (field: string) =>
    new Refusal(
      550,
      '5.7.1',
      `The ${field} line of the mail names somebody else than the person who sent it. Send it again from your own address.`,
    ),

  // To whom
  nullSender: () =>
    new Refusal(550, '5.7.1', 'This address takes no automatic mail. Only a person can ask for a signature.'),
  checkAddress: () =>
    new Refusal(550, '5.7.1', 'This address is for signpost check alone, and works for a few minutes.'),
  bounceAddress: () =>
    new Refusal(550, '5.7.1', 'This address takes delivery reports only. Write to the person who should sign.'),
  requestAddress: () =>
    new Refusal(
      550,
      '5.7.1',
      "The mail also goes to the address of a request that exists already, so it can't open a new one.",
      'Write to the people who should sign; reply to the other request in a mail of its own.',
    ),
  notYourRequest: () =>
    new Refusal(
      550,
      '5.7.1',
      'There is no request of yours at this address. Reply to a mail that you got from the signing service, from the address where you got it.',
    ),
  onlyTheSender: () =>
    new Refusal(
      550,
      '5.7.1',
      'Only the person who asked for the signatures can do that. A reply with "status" tells you how the request stands; "reject: reason" is for those who were asked to sign.',
    ),
  onlySignatories: () =>
    new Refusal(
      550,
      '5.7.1',
      'Only somebody who was asked to sign can reject it. The person who asked ends the request with "cancel".',
    ),
  tooManyReplies: () =>
    new Refusal(
      550,
      '5.7.1',
      'You have written too often to this request today, so nothing was done. Try again tomorrow.',
    ),
  serviceAddress: () =>
    new Refusal(550, '5.1.1', 'The signing service itself reads no mail. Write to the person who should sign.'),
  unknownRecipient: (address: string, suggestions: readonly string[]) =>
    new Refusal(550, '5.1.1', unknownLine(address, suggestions)),
  badRecipients: (lines: readonly string[]) =>
    new Refusal(
      550,
      '5.1.1',
      'Nobody was asked to sign, because not every recipient is known:',
      ...lines.slice(0, 20),
      ...(lines.length > 20 ? [`and ${lines.length - 20} more.`] : []),
      'Correct the names and send the mail again.',
    ),
  externalRecipient: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `${quoted(address)} is outside this company and can't take part yet.`,
      'Send the mail for signature without this recipient; when it is signed, pass the signed copy on.',
    ),
  externalBefore: (address: string) =>
    new Refusal(
      550,
      '5.7.1',
      `This mail also goes to ${quoted(address)}, which is outside this company.`,
      'Send the mail for signature without this recipient; when it is signed, pass the signed copy on.',
    ),
  badRecipientSyntax: () => new Refusal(550, '5.1.3', 'This is not a mail address that can be on the sign domain.'),
  hiddenRecipient: (addresses: readonly string[]) =>
    new Refusal(
      550,
      '5.7.1',
      `Bcc can't be used here: ${addresses.slice(0, 5).map(quoted).join(', ')} stands in neither To nor Cc.`,
      'Put everybody who signs into To and everybody who gets a copy into Cc.',
    ),
  noSignatory: () =>
    new Refusal(
      550,
      '5.1.3',
      'Nobody in the To line is on the sign domain, so nobody would sign.',
      'Put the people who sign into To (name@sign-domain, or self@sign-domain for yourself); Cc gets a copy only.',
    ),

  groupTooLarge: (address: string, most: number) =>
    new Refusal(
      550,
      '5.7.1',
      `${quoted(address)} stands for more than ${most} people, who can't all be asked at once.`,
      'Write to the people who should sign, or to a smaller group.',
    ),
  emptyGroup: (address: string) =>
    new Refusal(
      550,
      '5.1.1',
      `${quoted(address)} is a group with nobody in it who could be asked.`,
      'Write to the people who should sign, or ask your administrator to look at the members of the group.',
    ),
  mayNotAsk: (level: Level, refused: readonly { readonly mail: string; readonly levels: readonly Level[] }[]) =>
    new Refusal(
      550,
      '5.7.1',
      `Nobody was asked to sign, because this company's rules don't let you ask everybody at the level ${level}:`,
      ...refused.slice(0, 10).map(({ mail, levels }) => mayAskLine(mail, levels)),
      ...(refused.length > 10 ? [`and ${refused.length - 10} more.`] : []),
      'Leave these people out, or ask your administrator who may ask them.',
    ),
  ambiguousEntry: () =>
    new Refusal(
      550,
      '5.7.1',
      'Your address or login belongs to two entries of the company directory, so who you are is not certain.',
      'Ask your administrator to mend the directory; the log of the signing service names both entries.',
    ),
  sealNotAllowed: () =>
    new Refusal(
      550,
      '5.7.1',
      'You may not have documents sealed in the name of the company.',
      'To sign as a person, write to self@ the sign domain without [seal]; to seal, ask your administrator.',
    ),
  sealHasNoSignatory: (names: readonly string[]) =>
    new Refusal(
      550,
      '5.1.3',
      `The company seal is not a person's signature, so ${names.slice(0, 5).map(quoted).join(', ')} would sign nothing.`,
      'To seal, write to seal@ the sign domain alone and put the others into Cc; to have them sign, leave seal out.',
    ),
  sealInCc: () =>
    new Refusal(550, '5.1.3', 'The seal address stands in Cc, where it does nothing. Write to it in To, alone.'),

  // How the mail is made
  tooBig: (limit: number) =>
    new Refusal(
      552,
      '5.3.4',
      `The mail is too big. The limit here is ${size(limit)} for the whole mail (attachments grow by a third on their way).`,
      'Make the PDF smaller, for example by saving it with less picture quality, and send it again.',
    ),
  malformed: (what: string) =>
    new Refusal(
      550,
      '5.6.0',
      `The mail is not well-formed: ${what}. So that nothing is misread, it was not taken.`,
      'Write a new mail in an ordinary mail program and attach the PDF there.',
    ),
  badAddressField: (field: string, what: string) =>
    new Refusal(
      550,
      '5.6.0',
      `The ${field} line of the mail can't be read without guessing: ${what}.`,
      'Write plain addresses such as name@company.com, separated by commas, and send it again.',
    ),
  automatic: (what: string) =>
    new Refusal(550, '5.7.1', `Automatic and list mail opens no request (${what}). A person has to send it.`),

  // Level and tags
  twoLevels: (first: Level, second: Level) =>
    new Refusal(
      550,
      '5.6.0',
      `The subject asks for two levels, ${first} and ${second}. Write only one, for example [${first}].`,
    ),
  nearMiss: (written: string, word: string) =>
    new Refusal(550, '5.6.0', `${quoted(written)} in the subject looks like a misspelt level. Write [${word}].`),
  hiddenLevel: (written: string, higher: Level, used: Level, offered: boolean) =>
    new Refusal(
      550,
      '5.6.0',
      `The subject says ${quoted(written)}, but the request would be signed as ${used}.`,
      `So that you get what you mean, write [${higher}] or [${used}] in the subject.`,
      ...(offered ? [] : [`(The level ${higher} is not offered here.)`]),
    ),
  notOffered: (level: Level, offered: readonly Level[]) =>
    new Refusal(
      550,
      '5.6.0',
      `The level ${level} is not offered here. Write ${offered.map(name => `[${name}]`).join(' or ')}, or no level at all.`,
    ),
  badDue: (written: string) =>
    new Refusal(
      550,
      '5.6.0',
      `The deadline ${quoted(written)} can't be understood. Write for example [due 2026-12-31] or [due 5 days], once.`,
    ),
  dueInPast: (written: string) =>
    new Refusal(550, '5.6.0', `The deadline ${quoted(written)} is over already. Write a later one.`),
  dueTooLate: (written: string, days: number) =>
    new Refusal(
      550,
      '5.6.0',
      `The deadline ${quoted(written)} is too far away. A request can stay open for ${days} days at most.`,
    ),
  badSubject: () =>
    new Refusal(
      550,
      '5.6.0',
      "The subject can't be read: its letters are in an unknown or broken encoding. Write a new mail with a plain subject.",
    ),

  // Documents
  noDocument: (forwarded: boolean, otherFiles = false) =>
    new Refusal(
      550,
      '5.6.1',
      `There is no ${otherFiles ? 'file' : 'PDF'} attached, so there is nothing to sign.`,
      ...(forwarded ? ['A PDF inside an attached mail does not count: attach the PDF itself.'] : []),
      HOW,
    ),
  notAPdf: (name: string) =>
    new Refusal(
      550,
      '5.6.1',
      `The attachment ${quoted(name)} is called a PDF but is none.`,
      'Open it in the program that made it, choose "Save as PDF" or "Print to PDF", and send that file.',
    ),
  emptyAttachment: (name: string) =>
    new Refusal(
      550,
      '5.6.1',
      `The attachment ${quoted(name)} is empty.`,
      'Look whether the file opens on your computer, and attach it again.',
    ),
  standardNeedsPdf: (name: string) =>
    new Refusal(
      550,
      '5.6.1',
      `${quoted(name)} is not a PDF, so there is no page to draw a signature on: the level standard is not possible.`,
      'Write [advanced] in the subject, or save it as PDF and send that.',
    ),
  xml: (name: string, reason: string) =>
    new Refusal(
      550,
      '5.6.0',
      `${quoted(name)} can't be signed as XML: ${reason}.`,
      'Correct the file, or save what it says as PDF, and send that.',
    ),
  winmail: () =>
    new Refusal(
      550,
      '5.6.1',
      'Outlook packed the attachments into winmail.dat, which nobody else can open.',
      'In Outlook choose Format Text > HTML (or File > Options > Mail > "When sending messages in Rich Text format: Convert to HTML"), and send it again.',
    ),
  archive: (name: string) =>
    new Refusal(550, '5.6.1', `${quoted(name)} is an archive. Unpack it and attach the PDF itself.`),
  office: (name: string) =>
    new Refusal(
      550,
      '5.6.1',
      `${quoted(name)} is an office document, which looks different on every machine.`,
      'Save it as PDF ("Save as" or "Export", type PDF) and attach that.',
    ),
  encryptedMail: () =>
    new Refusal(
      550,
      '5.6.1',
      "The mail is encrypted, and the signing service can't open it. Send it without encryption; it doesn't leave the company.",
    ),
  changeableDocument: () =>
    new Refusal(
      550,
      '5.7.1',
      'An attachment travels as plain text, so blanks in it could change on the way without breaking the signature of the mail.',
      'Send the mail from your company account (with your login), or save the document as PDF and attach that.',
    ),
  opaqueSigned: () =>
    new Refusal(
      550,
      '5.6.1',
      'The mail is wrapped inside its own signature (opaque S/MIME).',
      'In your mail program choose "send clear text signed message", or send it without a mail signature.',
    ),
  partialMessage: () =>
    new Refusal(
      550,
      '5.6.1',
      'The mail arrives in pieces or keeps its attachment elsewhere. Send it whole, as one mail.',
    ),
  tooManyDocuments: (limit: number) =>
    new Refusal(550, '5.6.1', `There are too many PDFs in one mail. Send at most ${limit}, or merge them.`),
  document: (name: string, reason: DocumentRefusalReason) => {
    const [enhanced, sentence, next] = DOCUMENT[reason];
    return new Refusal(550, enhanced, `${quoted(name)} ${sentence}`, next);
  },

  // Limits, and faults of ours
  tooManyRequests: (limit: LimitName, allowed: number) => new Refusal(450, '4.7.1', ...TOO_MANY[limit](allowed)),
  directoryUnavailable: () =>
    new Refusal(451, '4.3.0', 'The company directory does not answer at the moment. The mail will be tried again.'),
  dnsUnavailable: () =>
    new Refusal(
      451,
      '4.7.0',
      'Who sent this mail can not be found out at the moment, because name servers do not answer. The mail will be tried again.',
    ),
  ourFault: () =>
    new Refusal(451, '4.3.0', 'The signing service has a problem at the moment. The mail will be tried again.'),
  diskFull: () =>
    new Refusal(452, '4.3.1', 'The signing service has no space left at the moment. The mail will be tried again.'),
  noVerdict: () =>
    new Refusal(
      451,
      '4.7.1',
      'This mail did not come through the gatekeeper of the signing service. The mail will be tried again.',
    ),
};

/** One line of "not known": used at RCPT and in the list at the end of the message. */
export function unknownLine(address: string, suggestions: readonly string[]): string {
  const hint =
    suggestions.length === 0 ? '' : ` Did you mean ${suggestions.map(name => ascii(name, 100)).join(' or ')}?`;
  return `${quoted(address)} is not known here.${hint}`;
}

/** One line for a local part that names several people. */
export function ambiguousLine(address: string): string {
  return `${quoted(address)} could be more than one person. Ask your administrator for an address of theirs that is unique.`;
}

/** One line for a person whom the sender may not ask at the level that they wrote. */
function mayAskLine(mail: string, levels: readonly Level[]): string {
  const instead = levels.length === 0 ? 'not at all' : `only as ${levels.map(level => `[${level}]`).join(' or ')}`;
  return `${quoted(mail)}: ${instead}.`;
}

const TOO_MANY: Readonly<Record<LimitName, (allowed: number) => readonly [sentence: string, next: string]>> = {
  'per-sender': allowed => [
    `You have ${allowed} requests that still wait for signatures, which is as many as one person may have.`,
    'Wait until some are finished, or cancel what is not needed any more; then send this one again.',
  ],
  'per-pair': allowed => [
    `One of the people you ask has ${allowed} documents of yours to sign already, which is as many as may wait.`,
    'Wait until they have signed some of them, then send this one again.',
  ],
  'per-day': allowed => [
    `You have sent ${allowed} requests within 24 hours, which is as many as one person may send.`,
    'Send this one again tomorrow, or ask your administrator to allow more.',
  ],
};

const PRINT = 'Open it, choose "Print to PDF", and send the printed file.';

const DOCUMENT: Readonly<Record<DocumentRefusalReason, readonly [enhanced: string, sentence: string, next: string]>> = {
  'not-pdf': ['5.6.1', 'is not a PDF.', 'Save the document as PDF and send that file.'],
  damaged: [
    '5.6.0',
    'is damaged.',
    'Open it in the program that made it, save it as PDF again, and send the new file.',
  ],
  encrypted: [
    '5.6.1',
    'is protected with a password, so nobody could sign it.',
    'Remove the protection (or print it to PDF) and send it again.',
  ],
  javascript: ['5.6.1', 'contains scripts, which could change what people see after they signed.', PRINT],
  launch: ['5.6.1', 'contains actions that start programs, open other files or pages, or send data.', PRINT],
  xfa: ['5.6.1', 'is a dynamic form (XFA), which has no fixed pages to sign.', PRINT],
  'external-stream': ['5.6.1', 'fetches a part of its content from elsewhere.', PRINT],
  'executable-attachment': [
    '5.6.1',
    'has a program attached inside.',
    'Remove the attachment inside the PDF, or print it to PDF, and send it again.',
  ],
  'optional-content': [
    '5.6.1',
    'has parts that can be shown and hidden, so two people could see two documents.',
    PRINT,
  ],
  'certified-no-changes': [
    '5.6.1',
    'is already signed, and an earlier signature forbids any further ones.',
    'Ask whoever signed it for a copy that others may sign, or send the document that was not signed yet.',
  ],
  'already-signed-standard': [
    '5.6.1',
    'is already signed, so nothing may be drawn on its pages: the level standard is not possible.',
    'Write [advanced] in the subject, or send the document that was not signed yet.',
  ],
  'too-many-pages': ['5.6.1', 'has too many pages.', 'Split it into several documents and send them one by one.'],
  'too-complex': ['5.6.0', 'is too complex: reading it would take too much memory.', PRINT],
  'too-slow': ['5.6.0', 'takes too long to read.', PRINT],
};
