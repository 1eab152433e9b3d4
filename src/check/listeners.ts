/** Whether the gateway runs and answers: the milter, LMTP, the web, and Postfix where our mail goes. */
import { connect } from 'node:net';
import { MilterClient } from '../../milter/client.ts';
import type { Config, Listen } from '../config/schema.ts';
import { type Line, ok, warning, wrong } from './line.ts';

const TIMEOUT = 5000;
const START = 'systemctl start signpost && journalctl -u signpost -n 20';

export async function checkListeners(config: Config): Promise<Line[]> {
  const { milter, lmtp, smtp } = config.mail;
  return [
    await line('gateway milter', where(milter), START, () => milterAnswers(milter)),
    await line('gateway LMTP', where(lmtp), START, () => greets(lmtp)),
    await line('gateway web', where(config.http.listen), START, () => webAnswers(config)),
    await publicLine(config),
    await line(
      'postfix answers',
      `${smtp.host}:${smtp.port}`,
      'systemctl start postfix; mail.smtp must be where it takes our mail',
      () => greets(smtp),
    ),
  ];
}

const where = (listen: Listen): string => ('path' in listen ? `unix:${listen.path}` : `${listen.host}:${listen.port}`);

async function line(item: string, address: string, mend: string, work: () => Promise<void>): Promise<Line> {
  try {
    await work();
    return ok(item, `${address} answers`);
  } catch (error) {
    return wrong(item, `${address} does not answer: ${reason(error)}`, mend);
  }
}

/** What connecting said; several addresses were tried where there are several reasons. */
export function reason(error: unknown): string {
  const { code, message, name, cause, errors } = error as NodeJS.ErrnoException & { errors?: readonly unknown[] };
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  if (errors?.[0] !== undefined) return reason(errors[0]);
  if (cause !== undefined) return reason(cause);
  return code ?? message;
}

async function milterAnswers(address: Listen): Promise<void> {
  const client = await MilterClient.connect({ address, timeoutMilliseconds: TIMEOUT });
  await client.quit();
}

/** 220 is what SMTP (RFC 5321 §4.2) and LMTP begin with. */
function greets(address: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let text = '';
    const end = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setTimeout(TIMEOUT, () => end(new Error('it says nothing')));
    socket.on('error', end);
    socket.on('end', () => end(new Error('it hung up')));
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      if (!text.includes('\n')) return;
      if (!text.startsWith('220')) return end(new Error(`it said "${text.split('\r')[0]}"`));
      socket.write('QUIT\r\n');
      end();
    });
  });
}

/** Any answer will do: with TLS on, plain HTTP is none, and the connection counts. */
async function webAnswers({ http }: Config): Promise<void> {
  if ('path' in http.listen || http.tls !== null) return connects(http.listen);
  const host = http.listen.host.includes(':') ? `[${http.listen.host}]` : http.listen.host;
  const response = await fetch(`http://${host}:${http.listen.port}/healthz`, { signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) throw new Error(`status ${response.status}`);
}

function connects(address: Listen): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve();
    });
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error('it says nothing')));
    socket.on('error', reject);
  });
}

/** The way that phones take. From inside, some networks don't reach their own outside: no more than a warning. */
async function publicLine({ publicUrl }: Config): Promise<Line> {
  const item = 'public address';
  const proxy = 'look at the https proxy: it passes all paths unchanged to http.listen';
  try {
    const response = await fetch(`${publicUrl}/healthz`, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' });
    return response.ok
      ? ok(item, `${publicUrl} answers`)
      : warning(item, `${publicUrl}/healthz says ${response.status}`, proxy);
  } catch (error) {
    const code = reason(error);
    const { text, mend } = WHY.find(({ codes }) => codes.test(code)) ?? { text: 'no answer', mend: proxy };
    return warning(item, `${publicUrl} can't be reached from here: ${text} (${code})`, mend);
  }
}

/** What keeps phones out, by what connecting said. */
const WHY: readonly { readonly codes: RegExp; readonly text: string; readonly mend: string }[] = [
  {
    codes: /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/,
    text: 'its name has no address',
    mend: 'give it one in DNS (see below), or in /etc/hosts of this machine',
  },
  {
    codes: /^(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH)$/,
    text: 'nothing answers there',
    mend: 'start the https proxy (README.md, step 5), or give http.tls and listen there yourself',
  },
  {
    codes: /CERT|SIGNATURE|ALTNAME/,
    text: 'its certificate is not trusted by this machine',
    mend: "its chain must be whole; of a company's own authority: /usr/local/share/ca-certificates and update-ca-certificates",
  },
];
