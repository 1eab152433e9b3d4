/** What each kind of mail says to one recipient: a Mail becomes a Letter in the recipient's language. */

import { type FinishedFile, finishedFiles } from '../requests/finished-files.ts';
import type { Party, Request } from '../requests/model.ts';
import { cleanLine, isolate } from './clean.ts';
import { signedFileNames } from './filenames.ts';
import type { Block, Letter } from './letter.ts';
import {
  address,
  documentFact,
  facts,
  isSender,
  levelFact,
  name,
  outcome,
  paragraph,
  quote,
  requestFact,
  unsigned,
} from './letter-parts.ts';
import type { Mail, Recipient } from './mail.ts';
import { replyLetter } from './reply-letters.ts';
import { formatDate } from './texts/dates.ts';
import { type Catalogue, catalogue } from './texts/index.ts';
import { REPLY_TEXTS } from './texts/replies.ts';
import { watchLetter } from './watch-letters.ts';

export interface LetterContext {
  readonly company: string;
  /** Without a slash at the end. */
  readonly publicUrl: string;
  /** IANA name; dates are shown in it, with the UTC offset. */
  readonly timeZone: string;
}

/** @param pictureCid Content-ID of the QR code, for the kinds that show one */
export function writeLetter(mail: Mail, to: Recipient | Party, context: LetterContext, pictureCid: string): Letter {
  const { language } = to;
  const texts = catalogue(language);
  const base = { language, footer: texts.footer(name(context.company)) };
  const date = (moment: Date): string => formatDate(moment, language, context.timeZone);

  switch (mail.kind) {
    case 'accepted': {
      const { request } = mail;
      const ordered = request.mode === 'ordered' && request.sessions.length > 1;
      return {
        ...base,
        tone: 'neutral',
        title: texts.accepted.title,
        blocks: [
          paragraph(texts.accepted.lead(request.sessions.length)),
          facts(
            documentFact(texts, request),
            {
              label: ordered ? texts.labels.signatoriesInOrder : texts.labels.signatory(request.sessions.length),
              values: request.sessions.map(session => address(session.party)),
              numbered: ordered,
            },
            levelFact(texts, request),
            { label: texts.labels.copies, values: request.copies.map(address) },
            { label: texts.labels.until, values: [date(request.expiresAt)] },
            { label: texts.labels.passedOver, values: request.passedOver.map(name) },
            requestFact(texts, request),
          ),
          paragraph(ordered ? texts.accepted.nextInOrder : texts.accepted.next),
          paragraph(REPLY_TEXTS[language].hints.sender, true),
        ],
      };
    }

    case 'please-sign':
    case 'reminder': {
      const { request, link } = mail;
      const own = isSender(to, request);
      const sender = name(request.sender.name);
      const count = request.documents.length;
      const until = date(request.expiresAt);
      const first = mail.kind === 'please-sign';
      const title = own
        ? first
          ? texts.pleaseSign.titleSelf(count)
          : texts.reminder.titleSelf
        : first
          ? texts.pleaseSign.title(sender)
          : texts.reminder.title(sender);
      const lead = own
        ? first
          ? texts.pleaseSign.leadSelf(count)
          : texts.reminder.leadSelf(count, until)
        : first
          ? texts.pleaseSign.lead(sender, count)
          : texts.reminder.lead(sender, count, until);
      return {
        ...base,
        tone: 'neutral',
        title,
        blocks: [
          paragraph(lead),
          ...quote(own ? '' : texts.pleaseSign.quote(sender), own ? '' : request.text),
          facts(
            documentFact(texts, request),
            { label: texts.labels.from, values: [address(request.sender)] },
            { label: texts.labels.level, values: [texts.levels[request.level]] },
            { label: texts.labels.until, values: [until] },
            requestFact(texts, request),
          ),
          paragraph(texts.pleaseSign.what),
          { kind: 'button', label: texts.pleaseSign.button, url: link, lead: texts.pleaseSign.linkBelow },
          { kind: 'picture', cid: pictureCid, alt: texts.pleaseSign.qrAlt, caption: texts.pleaseSign.scan },
          paragraph(texts.pleaseSign.yours, true),
          paragraph(REPLY_TEXTS[language].hints.signatory, true),
        ],
      };
    }

    case 'signed-by-one': {
      const { request, session } = mail;
      const missing = unsigned(request);
      return {
        ...base,
        tone: 'good',
        title: texts.signedByOne.title(name(session.party.name)),
        blocks: [
          ...(missing.length === 0 ? [] : [paragraph(texts.signedByOne.lead(missing.length))]),
          facts(
            documentFact(texts, request),
            { label: texts.labels.signedBy, values: [address(session.party)] },
            { label: texts.labels.signedAt, values: session.endedAt === null ? [] : [date(session.endedAt)] },
            { label: texts.labels.notSigned, values: missing.map(other => address(other.party)) },
            { label: texts.labels.until, values: [date(request.expiresAt)] },
            requestFact(texts, request),
          ),
        ],
      };
    }

    case 'finished':
    case 'finished-link': {
      const { request } = mail;
      const attached = mail.kind === 'finished';
      const files = attached ? mail.files : finishedFiles(request);
      const count = files.filter(({ form }) => form !== 'content').length;
      const words = texts.finishedLink;
      const signatories = request.sessions.length;
      const signedLead = (attached ? texts.finished : words).lead(count, signatories);
      const sealedLead = attached ? texts.sealed.lead(count) : texts.sealed.linkLead(count);
      return {
        ...base,
        tone: 'good',
        title: (signatories === 0 ? texts.sealed : texts.finished).title(count),
        blocks: [
          paragraph(signatories === 0 ? sealedLead : signedLead),
          ...(attached
            ? []
            : [
                {
                  kind: 'button' as const,
                  label: words.button,
                  url: `${context.publicUrl}/r/${request.id}`,
                  lead: texts.pleaseSign.linkBelow,
                },
                paragraph(words.yours, true),
              ]),
          signedFacts(texts, request, files, date),
          ...(files.some(({ form }) => form !== undefined) ? [paragraph(texts.finished.otherFiles, true)] : []),
          {
            kind: 'link',
            text: texts.finished.trust,
            label: texts.finished.trustLink,
            url: `${context.publicUrl}/trust`,
          },
        ],
      };
    }

    case 'rejected': {
      const { request, session } = mail;
      const who = name(session.party.name);
      const comment = session.comment ?? '';
      const own = to.mail === session.party.mail;
      return {
        ...base,
        tone: 'bad',
        title: own ? texts.rejected.titleSelf : texts.rejected.title(who),
        blocks: [
          paragraph(texts.rejected.lead),
          ...(comment.trim() === '' ? [paragraph(texts.rejected.noReason)] : quote(texts.rejected.quote(who), comment)),
          facts(
            documentFact(texts, request),
            { label: texts.labels.from, values: [address(request.sender)] },
            { label: texts.labels.time, values: session.endedAt === null ? [] : [date(session.endedAt)] },
            requestFact(texts, request),
          ),
          paragraph(isSender(to, request) ? texts.rejected.senderNext : texts.rejected.nothingToDo),
        ],
      };
    }

    case 'expired': {
      const { request } = mail;
      return {
        ...base,
        tone: 'bad',
        title: texts.expired.title,
        blocks: [
          paragraph(texts.expired.lead(date(request.expiresAt))),
          outcome(texts, request),
          paragraph(isSender(to, request) ? texts.expired.senderNext : texts.expired.nothingToDo),
        ],
      };
    }

    case 'cancelled': {
      const { request } = mail;
      const own = isSender(to, request);
      return {
        ...base,
        tone: 'bad',
        title: texts.cancelled.title,
        blocks: [
          paragraph(own ? texts.cancelled.leadSelf : texts.cancelled.lead(name(request.sender.name))),
          outcome(texts, request),
          paragraph(texts.cancelled.nothingToDo),
        ],
      };
    }

    case 'failed': {
      const { request, reason } = mail;
      const known = Object.entries(texts.failed.reasons).find(([code]) => code === reason)?.[1];
      return {
        ...base,
        tone: 'bad',
        title: texts.failed.title,
        blocks: [
          paragraph(texts.failed.lead),
          facts(
            { label: texts.labels.reason, values: [known ?? cleanLine(reason, 500)] },
            documentFact(texts, request),
            requestFact(texts, request),
          ),
          paragraph(texts.failed.next),
        ],
      };
    }

    case 'undeliverable': {
      const { request, party } = mail;
      const waits = request.endedAt === null && request.sessions.some(session => session.party.mail === party.mail);
      return {
        ...base,
        tone: 'bad',
        title: texts.undeliverable.title(name(party.name)),
        blocks: [
          paragraph(texts.undeliverable.lead(address(party))),
          facts(documentFact(texts, request), requestFact(texts, request)),
          paragraph(waits ? texts.undeliverable.signatoryNext : texts.undeliverable.next),
        ],
      };
    }

    case 'left': {
      const { request, party } = mail;
      return {
        ...base,
        tone: 'bad',
        title: texts.left.title(name(party.name)),
        blocks: [
          paragraph(texts.left.lead(address(party))),
          facts(documentFact(texts, request), requestFact(texts, request)),
          paragraph(texts.left.next),
        ],
      };
    }

    case 'answer':
    case 'away':
      return replyLetter(mail, to, base, date);

    case 'enrolment-code':
      return {
        ...base,
        tone: 'neutral',
        title: texts.enrolmentCode.title,
        blocks: [
          paragraph(texts.enrolmentCode.lead),
          { kind: 'code', code: cleanLine(mail.code) },
          paragraph(texts.enrolmentCode.validity(mail.minutes)),
          paragraph(texts.enrolmentCode.notYou, true),
        ],
      };

    case 'device-enrolled':
    case 'device-removed': {
      const words = mail.kind === 'device-enrolled' ? texts.deviceEnrolled : texts.deviceRemoved;
      return {
        ...base,
        tone: 'neutral',
        title: words.title,
        blocks: [
          paragraph(words.lead),
          facts(
            { label: texts.labels.device, values: [name(mail.deviceName)] },
            { label: texts.labels.time, values: [date(mail.at)] },
          ),
          paragraph(words.notYou),
        ],
      };
    }

    case 'watch-ending':
    case 'watch-fault':
    case 'watch-mended':
    case 'check-answer':
      return watchLetter(mail, base, date);
  }
}

/** The finished files and who signed them when. */
function signedFacts(
  texts: Catalogue,
  request: Request,
  files: readonly Pick<FinishedFile, 'name' | 'form'>[],
  date: (moment: Date) => string,
): Block {
  const signed = request.sessions.filter(session => session.state === 'signed');
  return facts(
    { label: texts.labels.document(files.length), values: signedFileNames(files).map(isolate) },
    {
      label: texts.labels.signedBy,
      values: signed.map(({ party, endedAt }) => address(party) + (endedAt === null ? '' : `, ${date(endedAt)}`)),
    },
    { label: texts.labels.level, values: [texts.levels[request.level]] },
    { label: texts.labels.from, values: [address(request.sender)] },
    requestFact(texts, request),
  );
}
