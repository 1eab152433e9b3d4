/** What mails of the watch say to the admin. */
import type { FaultKind, WatchedCertificate } from '../watch/matters.ts';
import { cleanLine, cleanText } from './clean.ts';
import type { Fact, Letter } from './letter.ts';
import { WATCH_TEXTS } from './texts/watch.ts';

export type WatchMail =
  | {
      readonly kind: 'watch-ending';
      readonly certificate: WatchedCertificate;
      /** Its file, or what it is called. */
      readonly name: string;
      readonly ends: Date;
      readonly days: number;
    }
  /** A fault began; `detail` is in English. */
  | { readonly kind: 'watch-fault'; readonly fault: FaultKind; readonly detail: string; readonly at: Date }
  /** The answer to `signpost check --mail`, to the gateway itself: nobody reads it. */
  | { readonly kind: 'check-answer' }
  /** A fault is over. */
  | { readonly kind: 'watch-mended'; readonly fault: FaultKind; readonly since: Date; readonly at: Date };

/** @param date formats a date in the reader's language */
export function watchLetter(
  mail: WatchMail,
  base: Pick<Letter, 'language' | 'footer'>,
  date: (moment: Date) => string,
): Letter {
  const texts = WATCH_TEXTS[base.language];
  const letter = (
    tone: Letter['tone'],
    title: string,
    lead: string,
    facts: readonly Fact[],
    next: string | null,
  ): Letter => ({
    ...base,
    tone,
    title,
    blocks: [
      { kind: 'paragraph', text: lead },
      { kind: 'facts', facts },
      ...(next === null ? [] : [{ kind: 'paragraph' as const, text: next }]),
      { kind: 'paragraph', text: texts.check, quiet: true },
    ],
  });
  switch (mail.kind) {
    case 'watch-ending': {
      const { name, next } = texts.certificates[mail.certificate];
      return letter(
        'bad',
        texts.endingTitle(name, mail.days),
        texts.endingLead(name),
        [
          { label: texts.file, values: [cleanLine(mail.name, 300)] },
          { label: texts.ends, values: [date(mail.ends)] },
        ],
        next,
      );
    }
    case 'watch-fault': {
      const { title, next } = texts.faults[mail.fault];
      return letter(
        'bad',
        title,
        texts.faultLead,
        [
          { label: texts.detail, values: [cleanText(mail.detail, 600)] },
          { label: texts.since, values: [date(mail.at)] },
        ],
        next,
      );
    }
    case 'check-answer':
      return letter('good', 'signpost check', texts.check, [], null);
    case 'watch-mended': {
      const { title } = texts.faults[mail.fault];
      return letter(
        'good',
        texts.mendedTitle(title),
        texts.mendedLead,
        [{ label: texts.since, values: [date(mail.since)] }],
        null,
      );
    }
  }
}
