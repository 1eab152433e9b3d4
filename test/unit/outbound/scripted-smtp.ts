/** An SMTP server that answers each step as the test says, wrong answers and cut connections included. */
import { createServer, type Socket } from 'node:net';

export type Step = 'CONNECT' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'MESSAGE';

export interface TakenMail {
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
  /** What MAIL FROM said beside the address. */
  readonly parameters: string;
}

export interface ScriptedSmtp {
  readonly port: number;
  /** Messages that came in whole, whatever the answer was. */
  readonly mails: TakenMail[];
  /** Connections made so far. */
  connections(): number;
  stop(): Promise<void>;
}

const USUAL: Record<Step, string> = {
  CONNECT: '220 mx.test ESMTP',
  EHLO: '250-mx.test\r\n250-SIZE 100000000\r\n250 8BITMIME',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 go ahead',
  MESSAGE: '250 2.0.0 Ok: queued as 4XYZ12',
};

/** `answer`: a reply, null to cut the connection, undefined for the usual one. */
export async function startScriptedSmtp(
  answer: (step: Step, mail: TakenMail) => string | null | undefined | Promise<string | null | undefined>,
  port = 0,
): Promise<ScriptedSmtp> {
  const mails: TakenMail[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(socket => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    // A cut connection ends its conversation.
    converse(socket).catch(() => {});
  });

  async function converse(socket: Socket): Promise<void> {
    let mail: TakenMail = { from: '', to: '', bytes: Buffer.alloc(0), parameters: '' };
    const say = async (step: Step): Promise<boolean> => {
      const reply = await answer(step, mail);
      if (reply === null) socket.destroy();
      else socket.write(`${reply ?? USUAL[step]}\r\n`);
      return reply === undefined || (reply !== null && /^[23]/.test(reply));
    };
    await say('CONNECT');
    let buffer = '';
    let inData = false;
    for await (const chunk of socket.setEncoding('latin1')) {
      buffer += chunk;
      for (;;) {
        const end = inData ? /^\.\r\n|\r\n\.\r\n/.exec(buffer) : /\r\n/.exec(buffer);
        if (!end) break;
        const unit = buffer.slice(0, inData && end.index > 0 ? end.index + 2 : end.index);
        buffer = buffer.slice(end.index + end[0].length);
        if (inData) {
          inData = false;
          mail = { ...mail, bytes: Buffer.from(unit.replace(/^\.\./gm, '.'), 'latin1') };
          mails.push(mail);
          await say('MESSAGE');
        } else if (/^EHLO/i.test(unit)) await say('EHLO');
        else if (/^MAIL/i.test(unit)) {
          const [, from = '', parameters = ''] = /<(.*?)>\s*(.*)/.exec(unit) ?? [];
          mail = { ...mail, from, parameters };
          await say('MAIL');
        } else if (/^RCPT/i.test(unit)) {
          mail = { ...mail, to: /<(.*?)>/.exec(unit)?.[1] ?? '' };
          await say('RCPT');
        } else if (/^DATA/i.test(unit)) inData = await say('DATA');
        else if (/^QUIT/i.test(unit)) socket.end('221 bye\r\n');
        else socket.write('250 ok\r\n');
      }
    }
  }

  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    port: address.port,
    mails,
    connections: () => connections,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}
