/**
 * What mails there are and what each needs. A mail is composed once, to final bytes with a fixed Message-ID, Date and
 * boundary, before the transaction that puts it into the outbox; a resend is byte-identical.
 */
import type { Language } from '../directory/directory.ts';
import type { FinishedFile } from '../requests/finished-files.ts';
import type { Party, Request, Session } from '../requests/model.ts';
import type { ReplyMail } from './reply-letters.ts';
import type { WatchMail } from './watch-letters.ts';

/** `enrolment-code`, `device-enrolled`, `device-removed` and those of the watch belong to no request; the others do. */
export type Mail =
  | { readonly kind: 'accepted'; readonly request: Request }
  | { readonly kind: 'please-sign'; readonly request: Request; readonly session: Session; readonly link: string }
  | { readonly kind: 'reminder'; readonly request: Request; readonly session: Session; readonly link: string }
  | { readonly kind: 'signed-by-one'; readonly request: Request; readonly session: Session }
  | {
      readonly kind: 'finished';
      readonly request: Request;
      /** `form`: see requests/finished-files.ts. */
      readonly files: readonly (Pick<FinishedFile, 'name' | 'form'> & { readonly bytes: Uint8Array })[];
    }
  /** In place of `finished` for whom it was too big: the files are on the page of the request. */
  | { readonly kind: 'finished-link'; readonly request: Request }
  | { readonly kind: 'rejected'; readonly request: Request; readonly session: Session }
  | { readonly kind: 'expired'; readonly request: Request }
  | { readonly kind: 'cancelled'; readonly request: Request }
  /** The document could not be prepared or closed; the sender is told what to do. */
  | { readonly kind: 'failed'; readonly request: Request; readonly reason: string }
  /** To the sender: our mails don't reach this party. */
  | { readonly kind: 'undeliverable'; readonly request: Request; readonly party: Party }
  /** To the sender: this signatory is no longer a person of the directory. */
  | { readonly kind: 'left'; readonly request: Request; readonly party: Party }
  | ReplyMail
  | { readonly kind: 'enrolment-code'; readonly code: string; readonly minutes: number }
  | { readonly kind: 'device-enrolled'; readonly deviceName: string; readonly at: Date }
  | { readonly kind: 'device-removed'; readonly deviceName: string; readonly at: Date }
  | WatchMail;

export type MailKind = Mail['kind'];

export interface Recipient {
  readonly name: string;
  readonly mail: string;
  readonly language: Language;
}

export interface ComposedMail {
  /** The whole message, CRLF line ends, 7-bit clean. */
  readonly bytes: Uint8Array;
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: string };
}

export interface MailComposer {
  /** `rowId` names the outbox row: it is in the return path (bounce+ROW@…), the Message-ID and the boundary. */
  compose(mail: Mail, to: Recipient | Party, rowId: string, date: Date): Promise<ComposedMail>;
}
