/** Reads the gateway's mails as their recipients would. */
import { type ParsedMail, simpleParser } from 'mailparser';
import type { Sink, SunkMail } from './mailboxes.ts';

export interface Letter {
  readonly mail: SunkMail;
  readonly parsed: ParsedMail;
  readonly kind: string;
  readonly request: string | null;
}

/** The gateway's own mails say what they are in Signpost-Status. */
export async function read(mail: SunkMail): Promise<Letter> {
  const parsed = await simpleParser(mail.raw, { skipImageLinks: true });
  const header = (name: string): string | null => {
    const value = parsed.headers.get(name);
    return typeof value === 'string' ? value : null;
  };
  return { mail, parsed, kind: header('signpost-status') ?? '', request: header('signpost-request') };
}

/** The first mail of that kind to that address that `fits`, now or later. */
export async function waitForLetter(
  mailboxes: Sink,
  to: string,
  kind: string,
  fits: (letter: Letter) => boolean = () => true,
  milliseconds = 60_000,
): Promise<Letter> {
  const deadline = Date.now() + milliseconds;
  for (let seen = 0; ; ) {
    for (; seen < mailboxes.mails.length; seen++) {
      const mail = mailboxes.mails[seen]!;
      if (!mail.to.includes(to)) continue;
      const letter = await read(mail);
      if (letter.kind === kind && fits(letter)) return letter;
    }
    if (Date.now() > deadline) {
      const others = mailboxes.mails.map(
        ({ to: [first], raw }) => `${first}: ${/^Signpost-Status: (.*)$/m.exec(raw.toString())?.[1] ?? '?'}`,
      );
      throw new Error(`no ${kind} mail to ${to} after ${milliseconds} ms; there are: ${others.join(', ')}`);
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** The link in a please-sign mail, or in one about a finished request. */
export function linkIn({ parsed }: Letter): string {
  const link = /https?:\/\/\S+\/[sr]\/[A-Za-z0-9_-]+/.exec(parsed.text ?? '')?.[0];
  if (link === undefined) throw new Error('the mail has no link');
  return link;
}

/** The code in an enrolment-code mail. */
export function codeIn({ parsed }: Letter): string {
  const code = /\b\d{6}\b/.exec(parsed.text ?? '')?.[0] ?? /\b\d{3} \d{3}\b/.exec(parsed.text ?? '')?.[0];
  if (code === undefined) throw new Error('the mail has no code');
  return code.replace(' ', '');
}
