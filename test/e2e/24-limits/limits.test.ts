/**
 * Limits through a real Postfix to a gateway in its own process, and changed while it runs: SIGHUP has it read its
 * configuration again; a bad one changes nothing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { addressOf, makeSite, type Site } from '../../../src/tryout/site.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { makeMessage, pdfPart } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';

const MARY = addressOf('mary.smith');
const ANNA = addressOf('anna.muller');

describe.skipIf(!hasPostfix)('limits', () => {
  let folder: string;
  let site: Site;
  let gateway: GatewayProcess;
  let sent = 0;
  const log = () => readFileSync(join(folder, 'gateway.log'), 'utf8');

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-limits-');
    site = await makeSite({
      folder,
      configure: config => Object.assign(config, { requests: { maxPendingPerPair: 2, maxPerDay: 4 } }),
    });
    gateway = await startGatewayProcess(site, join(folder, 'gateway.log'));
  });
  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  async function ask(from: string, to: string, text = ''): Promise<SmtpReply> {
    sent += 1;
    const address = `${to}@sign.company.com`;
    const words = { headers: ['Content-Type: text/plain'], body: Buffer.from(text) };
    const parts = [...(text === '' ? [] : [words]), pdfPart(`file-${sent}.pdf`)];
    const client = await SmtpClient.connect(site.smtpPort);
    try {
      const message = makeMessage({
        from,
        to: address,
        subject: `File ${sent}`,
        messageId: `<l${sent}@company.com>`,
        parts,
      });
      const { final } = await client.send(from, [address], message);
      // What is on its way is counted when it is opened.
      if (final.code === 250) await opened(`<l${sent}@company.com>`);
      return final;
    } finally {
      client.close();
    }
  }

  async function opened(messageId: string): Promise<void> {
    const isOpened = (line: string) => line.includes('"request opened"') && line.includes(messageId);
    while (!log().split('\n').some(isOpened)) await new Promise(resolve => setTimeout(resolve, 50));
  }

  /** Changes the file, sends SIGHUP, and waits for what the log says of it. */
  async function reload(change: (config: Record<string, unknown>) => void, says: string): Promise<string> {
    const config = parse(readFileSync(site.configFile, 'utf8')) as Record<string, unknown>;
    change(config);
    writeFileSync(site.configFile, stringify(config));
    const before = log().length;
    process.kill(gateway.pid, 'SIGHUP');
    for (;;) {
      const line = log()
        .slice(before)
        .split('\n')
        .find(text => text.includes(says));
      if (line !== undefined) return line;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  test('per pair: the third that waits for one person is put off, in words; another person is asked', async () => {
    for (let i = 0; i < 2; i++) expect(await ask(MARY, 'john.doe')).toMatchObject({ code: 250 });
    expect(await ask(MARY, 'john.doe')).toMatchObject({
      code: 450,
      text: expect.stringMatching(/4\.7\.1.*has 2 documents of yours/s),
    });
    expect(await ask(MARY, 'anna.muller')).toMatchObject({ code: 250 });
    expect(await ask(ANNA, 'john.doe')).toMatchObject({ code: 250 });
  });

  test('a bad configuration changes nothing, and the log says why', async () => {
    const line = await reload(
      config => Object.assign(config, { requests: { maxPendingPerPair: 0, maxPerDay: 1000 } }),
      'not sound',
    );
    expect(line).toContain('requests.maxPendingPerPair');
    expect(await ask(MARY, 'john.doe')).toMatchObject({ code: 450 });
  });

  test('a higher limit counts without a restart; what needs one is named', async () => {
    const line = await reload(
      config =>
        Object.assign(config, { requests: { maxPendingPerPair: 10, maxPerDay: 4 }, publicUrl: 'http://127.0.0.1:1' }),
      'read again',
    );
    expect(JSON.parse(line)).toMatchObject({
      changed: ['requests.maxPendingPerPair'],
      atNextStart: expect.arrayContaining(['publicUrl']),
    });
    expect(await ask(MARY, 'john.doe')).toMatchObject({ code: 250 });
  });

  test('per day: the fifth is put off until tomorrow', async () => {
    expect(await ask(MARY, 'anna.muller')).toMatchObject({
      code: 450,
      text: expect.stringMatching(/4\.7\.1.*within 24 hours/s),
    });
  });

  test('size: a lower limit counts for the next mail, for good and in words', async () => {
    await reload(config => {
      (config.mail as Record<string, unknown>).maxMessageSize = '20 KiB';
    }, 'read again');
    expect(await ask(ANNA, 'mary.smith', 'word '.repeat(6000))).toMatchObject({
      code: 552,
      text: expect.stringMatching(/5\.3\.4.*20 KiB/s),
    });
    expect(await ask(ANNA, 'mary.smith')).toMatchObject({ code: 250 });
  });

  test('the changes stand in the evidence log, which holds', () => {
    const bin = new URL('../../../bin/signpost.js', import.meta.url).pathname;
    const said = execFileSync(process.execPath, [bin, 'evidence', 'verify', '--config', site.configFile], {
      encoding: 'utf8',
    });
    expect(said).toMatch(/entries/);
  });
});
