/**
 * SMTP smuggling: one message whose bytes hold a second one behind something that a careless server takes for the end of
 * data (CVE-2023-51764). A real Postfix with the shipped lines, the milter and the gateway behind it; what the milter and
 * LMTP got is counted there.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTINUE } from '../../../milter/handler.ts';
import { type MilterServer, startMilter } from '../../../milter/server.ts';
import { freePort } from '../../../src/tryout/ports.ts';
import { type PrivatePostfix, startPrivatePostfix } from '../../../src/tryout/postfix.ts';
import { SIGN_DOMAIN } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { type LossyProxy, startLossyProxy } from '../../support/lossy-proxy.ts';
import { BOUNDARY, makeMessage } from '../../support/message.ts';
import { hasPostfix } from '../../support/tools.ts';

const MARY = 'mary.smith@company.com';
const JOHN = `john.doe@${SIGN_DOMAIN}`;
const ENVELOPE = `MAIL FROM:<${MARY}>\r\nRCPT TO:<${JOHN}>\r\nDATA\r\n`;

/** What stands between the two messages. */
const SEQUENCES: Readonly<Record<string, string>> = {
  'LF . LF': '\n.\n',
  'LF . CRLF': '\n.\r\n',
  'CRLF . LF': '\r\n.\n',
  'CR . CR': '\r.\r',
  'CR . LF': '\r.\n',
  'LF . CR': '\n.\r',
  'CR . CRLF': '\r.\r\n',
  'CRLF . CR': '\r\n.\r',
  'LF . LF CR': '\n.\n\r',
  'LF CR . LF CR': '\n\r.\n\r',
  'LF LF . CRLF': '\n\n.\r\n',
  'CR CR LF . CR CR LF': '\r\r\n.\r\r\n',
  'CRLF . CR CR LF': '\r\n.\r\r\n',
  'CRLF NUL . CRLF': '\r\n\0.\r\n',
  'CRLF . NUL CRLF': '\r\n.\0\r\n',
  'CR NUL LF . CR NUL LF': '\r\0\n.\r\0\n',
  'LF NUL . LF': '\n\0.\n',
  'NUL LF . LF NUL': '\0\n.\n\0',
  'CRLF . space CRLF': '\r\n. \r\n',
  'CRLF . tab CRLF': '\r\n.\t\r\n',
  'CRLF .. CRLF, which is a line of one dot': '\r\n..\r\n',
  'CRLF .. LF': '\r\n..\n',
  'NEL . NEL': '\x85.\x85',
  'VT . VT, FF . FF': '\x0b.\x0b\x0c.\x0c',
  'LINE SEPARATOR . LINE SEPARATOR': Buffer.from('\u2028.\u2028').toString('latin1'),
  // Postfix hands on a long line in pieces of 2048; the second begins with the dot.
  'a dot where a long line is cut': `\r\n${'x'.repeat(2048)}.\r\n`,
  'a dot where a long line is cut, LF': `\r\n${'x'.repeat(2047)}\n.\n`,
  'a dot behind 998': `\r\n${'x'.repeat(998)}.\r\n`,
};

let company: Company;
let proxy: LossyProxy;
let lmtpPort = 0;
let recorder: MilterServer;
let folder: string;
/** With the shipped lines. */
let postfix: PrivatePostfix;
/** Subjects of whole messages that Postfix asked the milter about. */
const asked: string[] = [];
let number = 0;

beforeAll(async () => {
  if (!hasPostfix) return;
  recorder = await startMilter({
    listen: { host: '127.0.0.1', port: 0 },
    createHandler: () => {
      let subject = '';
      return {
        header({ name, value }) {
          if (/^subject$/i.test(Buffer.from(name).toString())) subject = Buffer.from(value).toString().trim();
          return CONTINUE;
        },
        endOfMessage() {
          asked.push(subject);
          subject = '';
          return CONTINUE;
        },
      };
    },
    logger: pino({ level: 'silent' }),
  });
  proxy = await startLossyProxy(await freePort(), () => lmtpPort);
  company = await startCompany({
    postfix: false,
    configure: config => Object.assign(config, { requests: { maxPendingPerSender: 1000 } }),
  });
  const { lmtp, milter } = company.site.config.mail;
  if (!('port' in lmtp && 'port' in milter)) throw new Error('the site listens on ports');
  lmtpPort = lmtp.port;
  folder = mkdtempSync('/tmp/signpost-smuggling-');
  chmodSync(folder, 0o711);
  postfix = await startPrivatePostfix({
    folder: join(folder, 'postfix'),
    signDomains: [SIGN_DOMAIN],
    // The gateway's own milter is the last, as the shipped lines say.
    milter: `inet:127.0.0.1:${recorder.port}, inet:127.0.0.1:${milter.port}`,
    lmtp: `inet:127.0.0.1:${proxy.port}`,
    sinkPort: company.site.mailboxes.port,
    extra: ['smtpd_error_sleep_time = 0'],
  });
});
afterAll(async () => {
  await postfix?.stop();
  await company?.stop();
  await proxy?.stop();
  await recorder?.stop(0);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Sends the pieces with a pause between them, says QUIT, and returns all that the server said. */
async function converse(pieces: readonly string[]): Promise<string> {
  const socket = connect(postfix.port, '127.0.0.1');
  let heard = '';
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.on('data', chunk => {
    heard += chunk.toString('latin1');
  });
  const hears = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(heard) && !socket.closed) await new Promise(resolve => setTimeout(resolve, 5));
  };
  await hears(/^220 /m);
  socket.write('EHLO mua.example\r\n');
  await hears(/^250 /m);
  heard = '';
  socket.write(ENVELOPE);
  await hears(/^(354|[45]\d\d) /m);
  for (const piece of pieces) {
    socket.write(Buffer.from(piece, 'latin1'));
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  socket.write('QUIT\r\n');
  await ended;
  return heard;
}

/**
 * The bytes of a message in whose text stand commands and a second message, with `between` before and behind them: whoever
 * takes that for the end of data sees two.
 */
function smuggling(between: string, envelope = ENVELOPE): { outer: string; inner: string; pieces: string[] } {
  number += 1;
  const outer = `Outer ${number}`;
  const inner = `Smuggled ${number}`;
  const hidden = makeMessage({ subject: inner }).toString('latin1').replaceAll(BOUNDARY, 'inner-boundary');
  const whole = makeMessage({ subject: outer, text: 'Please sign this.HERE' }).toString('latin1');
  const [head, tail] = whole.split('HERE') as [string, string];
  const middle = Math.ceil(between.length / 2);
  const cut = [between.slice(0, middle), between.slice(middle)];
  return { outer, inner, pieces: [head, ...cut, `${envelope}${hidden}`, ...cut, `${tail}\r\n.\r\n`] };
}

async function opened(): Promise<string[]> {
  const { requests } = company.gateway.core;
  return [...(await requests.list({ ended: false })), ...(await requests.list({ ended: true }))].map(
    ({ subject }) => subject,
  );
}

async function empty(): Promise<void> {
  await expect
    .poll(async () => (await postfix.queue()).filter(({ sender }) => sender === MARY), { timeout: 30_000 })
    .toEqual([]);
}

/** Messages that came to LMTP with this subject: what stands between DATA and the one true end of data (RFC 5321 §4.1.1.4). */
function delivered(subject: string): number {
  return proxy.sent
    .flatMap(text => [...text.matchAll(/^DATA\r\n([\s\S]*?\r\n)\.\r\n/gm)])
    .filter(([, data]) => data!.slice(0, data!.indexOf('\r\n\r\n') + 2).includes(`\r\nSubject: ${subject}\r\n`)).length;
}

describe.skipIf(!hasPostfix)('SMTP smuggling', () => {
  test.each([
    ['in one piece', (pieces: readonly string[]) => [pieces.join('')]],
    ['cut in the middle of the sequence', (pieces: readonly string[]) => pieces],
  ])('D2 with the shipped lines no second message comes to the milter or to LMTP, %s', async (_name, cut) => {
    let admitted = 0;
    for (const [name, between] of Object.entries(SEQUENCES)) {
      const { outer, inner, pieces } = smuggling(between);
      const before = asked.length;
      const heard = await converse(cut(pieces));
      expect(asked.slice(before), name).toEqual(asked.length === before ? [] : [outer]);
      expect(heard.match(/^250 2\.0\.0 Ok: queued/gm)?.length ?? 0, heard).toBeLessThanOrEqual(1);
      await empty();
      expect(delivered(inner), name).toBe(0);
      expect(delivered(outer), name).toBeLessThanOrEqual(1);
      admitted += delivered(outer);
    }
    // The bytes in between alone are no reason to refuse: else nothing would be shown.
    expect(admitted).toBeGreaterThan(10);
  });

  test.each([
    [
      'a second message pipelined behind the end of the first',
      (): string[] => {
        const { pieces } = smuggling('\r\n.\r\n');
        return [pieces.join('')];
      },
    ],
    ['commands in lower case behind LF . LF', () => smuggling('\n.\n', ENVELOPE.toLowerCase()).pieces],
    ['commands that end in LF', () => smuggling('\n.\n', ENVELOPE.replaceAll('\r\n', '\n')).pieces],
    ['commands that end in CR', () => smuggling('\r.\r', ENVELOPE.replaceAll('\r\n', '\r')).pieces],
    ['RSET first', () => smuggling('\n.\r\n', `RSET\r\n${ENVELOPE}`).pieces],
    ['a new EHLO first', () => smuggling('\r\n.\n', `EHLO again\r\n${ENVELOPE}`).pieces],
    [
      'BDAT for the second',
      () => {
        const inner = makeMessage({ subject: 'Smuggled by BDAT' }).toString('latin1');
        return smuggling('\n.\n', `${ENVELOPE.replace('DATA\r\n', '')}BDAT ${inner.length} LAST\r\n${inner}`).pieces;
      },
    ],
  ])('D2 %s: nothing', async (_name, pieces) => {
    const before = asked.length;
    await converse(pieces());
    await empty();
    expect(asked.slice(before).filter(subject => subject.startsWith('Smuggled'))).toEqual([]);
    expect(asked.slice(before).length).toBeLessThanOrEqual(1);
  });

  test('D2 BDAT is not offered and not taken: what it carries is no message', async () => {
    const inner = makeMessage({ subject: 'Smuggled in a chunk' }).toString('latin1');
    const before = asked.length;
    const heard = await converse(['.\r\n', ENVELOPE.replace('DATA\r\n', ''), `BDAT ${inner.length} LAST\r\n${inner}`]);
    expect(heard).toMatch(/^5\d\d 5\.5\.\d Error: command not (implemented|recognized)/m);
    expect(asked.slice(before)).not.toContain('Smuggled in a chunk');
  });

  test('D2 the control: without those lines, second messages come through', async () => {
    const careless = ['smtpd_forbid_bare_newline = no', 'smtpd_data_restrictions =', 'smtpd_discard_ehlo_keywords ='];
    await promisify(execFile)('/usr/sbin/postconf', ['-c', postfix.configFolder, '-e', ...careless]);
    await promisify(execFile)('/usr/sbin/postfix', ['-c', postfix.configFolder, 'reload']);
    const found: string[] = [];
    // A server process that was waiting already still knows the lines.
    for (let tries = 0; tries < 5 && found.length < 3; tries += 1) {
      for (const [name, between] of Object.entries(SEQUENCES)) {
        const { inner, pieces } = smuggling(between);
        const heard = await converse([pieces.join('')]);
        await empty();
        if (!(await opened()).includes(inner)) continue;
        expect(asked).toContain(inner);
        expect(delivered(inner), `${name}\n${heard}`).toBe(1);
        found.push(name);
      }
    }
    expect(found).toEqual(expect.arrayContaining(['LF . LF', 'LF . CRLF', 'CRLF . LF']));
  });
});
