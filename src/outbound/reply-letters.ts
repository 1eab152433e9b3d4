/** Mails that answer a reply to a request, and those that pass an automatic answer on. */
import type { Party, Request } from '../requests/model.ts';
import type { Block, Letter } from './letter.ts';
import { address, documentFact, facts, isSender, name, paragraph, quote, requestFact } from './letter-parts.ts';
import type { Recipient } from './mail.ts';
import { catalogue } from './texts/index.ts';
import { REPLY_TEXTS, type ReplyTexts } from './texts/replies.ts';

/** What a reply came to. */
export type Answer =
  /** How it stands: what was asked for, or what stands against what was asked for. */
  | { readonly name: 'status' | 'ended' | 'allSigned' }
  | { readonly name: 'reminded'; readonly parties: readonly Party[] }
  /** Everybody was reminded shortly before; `again`: when somebody may be. */
  | { readonly name: 'remindedBefore'; readonly again: Date }
  | { readonly name: 'prolonged' }
  | { readonly name: 'tooLong'; readonly latest: Date }
  | { readonly name: 'nobodyToRemind' | 'notYourTurn' | 'signedAlready' | 'reasonMissing' }
  /** It was none of the words. */
  | { readonly name: 'help' };

export type ReplyMail =
  | {
      readonly kind: 'answer';
      readonly request: Request;
      readonly answer: Answer;
      /** The reply that is answered. */
      readonly to: { readonly messageId: string; readonly references: readonly string[] };
    }
  /** To the sender: a signatory's mailbox answered by itself; `text` is how. */
  | { readonly kind: 'away'; readonly request: Request; readonly party: Party; readonly text: string };

/** @param date formats a date in the reader's language */
export function replyLetter(
  mail: ReplyMail,
  to: Recipient | Party,
  base: Pick<Letter, 'language' | 'footer'>,
  date: (moment: Date) => string,
): Letter {
  const texts = REPLY_TEXTS[base.language];
  const { request } = mail;
  const words = catalogue(base.language);
  if (mail.kind === 'away') {
    return {
      ...base,
      tone: 'neutral',
      title: texts.away.title(name(mail.party.name)),
      blocks: [
        paragraph(texts.away.lead(address(mail.party))),
        ...quote(texts.away.quote, mail.text),
        facts(documentFact(words, request), requestFact(words, request)),
        paragraph(texts.away.next),
      ],
    };
  }
  const blocks = answerBlocks(texts, mail.answer, request, to, date);
  return { ...base, tone: 'neutral', title: texts[mail.answer.name].title, blocks };
}

function answerBlocks(
  texts: ReplyTexts,
  answer: Answer,
  request: Request,
  to: Recipient | Party,
  date: (moment: Date) => string,
): Block[] {
  const words = catalogue(to.language);
  const line = (text: string): Block[] => [paragraph(text), facts(requestFact(words, request))];
  switch (answer.name) {
    case 'status':
    case 'ended':
    case 'allSigned': {
      const signed = request.sessions.filter(({ state }) => state === 'signed');
      const missing = request.endedAt === null ? request.sessions.filter(({ state }) => state !== 'signed') : [];
      const moment = date(request.endedAt ?? request.expiresAt);
      return [
        paragraph(texts.states[request.state](moment, signed.length, request.sessions.length)),
        facts(
          documentFact(words, request),
          { label: words.labels.signedBy, values: signed.map(({ party }) => address(party)) },
          { label: words.labels.notSigned, values: missing.map(({ party }) => address(party)) },
          requestFact(words, request),
        ),
      ];
    }
    case 'reminded':
      return line(texts.reminded.lead(answer.parties.map(party => name(party.name)).join(', ')));
    case 'remindedBefore':
      return line(texts.remindedBefore.lead(date(answer.again)));
    case 'prolonged':
      return line(texts.prolonged.lead(date(request.expiresAt)));
    case 'tooLong':
      return line(texts.tooLong.lead(date(answer.latest)));
    case 'nobodyToRemind':
    case 'notYourTurn':
    case 'signedAlready':
    case 'reasonMissing':
      return line(texts[answer.name].lead);
    case 'help': {
      const signs = request.sessions.some(({ party }) => party.mail === to.mail);
      const own = isSender(to, request);
      const hints = own ? [...texts.help.sender, ...(signs ? texts.help.signatory.slice(1) : [])] : null;
      return [
        paragraph(texts.help.lead),
        facts(
          ...(hints ?? (signs ? texts.help.signatory : texts.help.copy)).map(([label, command]) => ({
            label,
            values: [command],
          })),
        ),
        ...(signs ? [paragraph(texts.help.toSign)] : []),
        ...(own ? [] : [paragraph(texts.help.toAsk(address(request.sender)))]),
        facts(requestFact(words, request)),
      ];
    }
  }
}
