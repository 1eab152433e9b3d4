/** A real SMTP server that keeps every message it gets: everybody's mailbox in the demo, the rest of the world in tests. */
import { SMTPServer } from 'smtp-server';

export interface SunkMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: Buffer;
}

export interface Sink {
  readonly port: number;
  readonly mails: SunkMail[];
  /** Resolves with the first mail (kept or still to come) that fits. */
  waitFor(fits: (mail: SunkMail) => boolean, milliseconds?: number): Promise<SunkMail>;
  stop(): Promise<void>;
}

export interface SinkOptions {
  /** The SIZE that it announces, bytes; 100 MiB. */
  readonly size?: number;
  /** The permanent refusal that a whole mail gets, or null to keep it. */
  readonly refuse?: (mail: SunkMail) => { readonly code: number; readonly text: string } | null;
}

export async function startSink(port = 0, options: SinkOptions = {}): Promise<Sink> {
  const mails: SunkMail[] = [];
  const listeners = new Set<() => void>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    size: options.size ?? 100 * 1024 * 1024,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = session.envelope.mailFrom;
        const mail = {
          from: from ? from.address : '',
          to: session.envelope.rcptTo.map(to => to.address),
          raw: Buffer.concat(chunks),
        };
        const refusal = options.refuse?.(mail);
        if (refusal) return callback(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
        mails.push(mail);
        callback(null);
        for (const listener of listeners) listener();
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    port: address.port,
    mails,
    waitFor(fits, milliseconds = 60_000) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const mail = mails.find(fits);
          if (!mail) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(mail);
        };
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`no such mail after ${milliseconds} ms; ${mails.length} others came`));
        }, milliseconds);
        listeners.add(look);
        look();
      });
    },
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}
