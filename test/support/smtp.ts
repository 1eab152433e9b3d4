/** A bare SMTP client for tests: sends exactly the bytes it is given and returns every reply. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export interface SmtpReply {
  readonly code: number;
  /** Lines without the code, joined by '\n'. */
  readonly text: string;
}

export class SmtpClient {
  #socket: Socket;
  #buffer = '';
  #waiting: (() => void) | null = null;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    const wake = (): void => this.#waiting?.();
    socket.on('data', chunk => {
      this.#buffer += chunk.toString('latin1');
      wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      wake();
    });
  }

  /** Connects (from another loopback address, if one is named), reads the greeting and says EHLO, or LHLO for LMTP. */
  static async connect(
    target: number | { readonly path: string },
    helo = 'client.test',
    options: { readonly localAddress?: string; readonly lmtp?: boolean } = {},
  ): Promise<SmtpClient> {
    const client = new SmtpClient(
      typeof target === 'number'
        ? connect({
            port: target,
            host: '127.0.0.1',
            ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
          })
        : connect(target.path),
    );
    await client.reply();
    await client.command(`${options.lmtp ? 'LHLO' : 'EHLO'} ${helo}`);
    return client;
  }

  /** STARTTLS and EHLO again; the server's certificate is not looked at. */
  async startTls(options: ConnectionOptions = {}, helo = 'client.test'): Promise<void> {
    await this.command('STARTTLS');
    const plain = this.#socket;
    plain.removeAllListeners();
    const secure = connectTls({ ...options, socket: plain, rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', resolve);
      secure.once('error', reject);
    });
    this.#socket = secure;
    this.#listen(secure);
    await this.command(`EHLO ${helo}`);
  }

  async reply(): Promise<SmtpReply> {
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r?\n)*(\d{3})(?: [^\r\n]*)?\r?\n/.exec(this.#buffer);
      if (match) {
        this.#buffer = this.#buffer.slice(match[0].length);
        const text = match[0]
          .trimEnd()
          .split(/\r?\n/)
          .map(line => line.slice(4))
          .join('\n');
        return { code: Number(match[1]), text };
      }
      if (this.#ended) return { code: 0, text: 'connection closed' };
      await new Promise<void>(resolve => {
        this.#waiting = resolve;
      });
    }
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  command(line: string): Promise<SmtpReply> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** MAIL, RCPT…, DATA, bytes (dot-stuffed here), final reply. Stops at the first refusal of MAIL or DATA, or when no recipient is left. */
  async send(
    from: string,
    to: readonly string[],
    message: string | Uint8Array,
    parameters = '',
  ): Promise<{ recipients: SmtpReply[]; final: SmtpReply }> {
    const mail = await this.command(`MAIL FROM:<${from}>${parameters === '' ? '' : ` ${parameters}`}`);
    if (mail.code !== 250) return { recipients: [], final: mail };
    const recipients: SmtpReply[] = [];
    for (const address of to) recipients.push(await this.command(`RCPT TO:<${address}>`));
    if (!recipients.some(reply => reply.code === 250)) {
      await this.command('RSET');
      return { recipients, final: recipients.at(-1)! };
    }
    const data = await this.command('DATA');
    if (data.code !== 354) return { recipients, final: data };
    const raw = Buffer.from(message as Uint8Array)
      .toString('latin1')
      .replace(/^\./gm, '..');
    this.write(Buffer.from(`${raw}${raw.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1'));
    return { recipients, final: await this.reply() };
  }

  close(): void {
    this.#socket.destroy();
  }
}
