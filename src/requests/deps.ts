/** What src/requests needs from the other parts; src/gateway puts it together. */
import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import type { Documents } from '../documents/documents.ts';
import type { Extender } from '../documents/extend.ts';
import type { MailComposer } from '../outbound/mail.ts';
import type { Pki } from '../pki/pki.ts';
import type { FileSignatures } from '../signatures/file-signatures.ts';
import type { Store } from '../store/store.ts';
import type { RandomBytes } from './ids.ts';
import type { LinkKeys } from './links.ts';

export interface Deps {
  readonly store: Store;
  readonly documents: Documents;
  readonly extender: Extender;
  /** For what isn't a PDF. */
  readonly files: FileSignatures;
  readonly pki: Pick<Pki, 'ca'>;
  readonly composer: MailComposer;
  readonly directory: Directory;
  readonly config: Pick<Config, 'company' | 'publicUrl' | 'requests' | 'enrolment' | 'archive'> & {
    readonly documents: Pick<Config['documents'], 'signaturePage' | 'cades'>;
  };
  readonly linkKeys: LinkKeys;
  /** At least 32 random bytes; devices' token keys are wrapped and enrolment codes are hashed with it, so it must stay the same. */
  readonly tokenSecret: Uint8Array;
  /** The company seal over a piece of evidence, detached CAdES B-T. @throws TimestampUnavailable */
  readonly sealEvidence: (evidence: Uint8Array, at: Date) => Promise<Uint8Array>;
  /** The address that a please-sign mail shows for a link token. */
  readonly linkUrl: (token: string) => string;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  readonly logger: Logger;
  /** Called after a commit that made work: jobs or mails. Workers in other processes find it by themselves. */
  readonly wake: () => void;
}
