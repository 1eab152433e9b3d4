/**
 * The gateway is killed at random moments while mail comes in and devices sign. Afterwards every message is one finished
 * request, and every recipient has each mail once, or the same bytes twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { openCore } from '../../../src/gateway/core.ts';
import { linkIn, read } from '../../../src/tryout/letters.ts';
import { addressOf, makeSite, SIGN_DOMAIN, type Site } from '../../../src/tryout/site.ts';
import { memoryStore } from '../../support/device-store.ts';
import { startGatewayProcess } from '../../support/gateway-process.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { hasPostfix } from '../../support/tools.ts';

const LONG = process.env.SIGNPOST_LONG === '1';
const MESSAGES = LONG ? 400 : 24;
const KILLS = LONG ? 20 : 4;
const MINUTES = LONG ? 40 : 6;
/** Pause between kills, milliseconds: random up to this. */
const UP = LONG ? 6000 : 3000;
const SENDERS = 4;
/** Messages come in all through the kills. A start takes about a second. */
const PACE = (KILLS * (UP / 2 + 1000) * SENDERS) / MESSAGES;

const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => setTimeout(resolve, milliseconds));

describe.skipIf(!hasPostfix)('kill -9', () => {
  test(`A5 no message is lost and none doubled under ${KILLS} kills with ${MESSAGES} messages`, {
    timeout: MINUTES * 60_000,
  }, async () => {
    const folder = mkdtempSync('/tmp/signpost-kill-');
    const site = await makeSite({
      folder,
      configure: config =>
        Object.assign(config, {
          requests: { maxPendingPerSender: 1000, maxPendingPerPair: 1000, maxPerDay: 1000 },
          log: { level: 'warn' },
        }),
    });
    const start = () => startGatewayProcess(site, join(folder, 'gateway.log'));
    let gateway = await start();
    let running = true;
    try {
      const devices = new Map(
        await Promise.all(['mary.smith', 'john.doe'].map(async id => [addressOf(id), await enrol(site, id)] as const)),
      );

      let messagesSent = 0;
      let killsWhileSending = 0;
      const sent = sendAll(site, () => {
        messagesSent += 1;
      });
      const signing = signAll(site, devices, () => running);
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(Math.random() * UP);
        if (messagesSent < MESSAGES) killsWhileSending += 1;
        await gateway.kill();
        gateway = await start();
      }
      const messageIds = await sent;
      // Else the campaign would show nothing.
      expect(killsWhileSending).toBeGreaterThan(KILLS / 2);

      const core = await openCore(site.config, { logger: pino({ level: 'silent' }) });
      try {
        const deadline = Date.now() + (MINUTES - 1) * 60_000;
        for (;;) {
          const ended = await core.requests.list({ ended: true });
          const open = await core.requests.list({ ended: false });
          const queue = await site.postfix!.queue();
          const unsent = (await Promise.all(ended.map(({ id }) => core.store.outbox.listForRequest(id))))
            .flat()
            .filter(({ state }) => state === 'pending');
          if (ended.length === MESSAGES && open.length === 0 && queue.length === 0 && unsent.length === 0) break;
          if (Date.now() > deadline)
            throw new Error(
              `after all this time ${ended.length} ended, ${open.length} open, ${queue.length} in Postfix's queue, ${unsent.length} mails to send`,
            );
          await sleep(500);
        }
        const requests = await core.requests.list({ ended: true });
        expect(requests.map(({ messageId }) => messageId).sort()).toEqual([...messageIds].sort());
        expect(requests.filter(({ state }) => state !== 'finished')).toEqual([]);
      } finally {
        await core.close();
      }
      running = false;
      await signing;
      await sleep(2000);

      // One finished mail for each request and party; a second copy must be the same message.
      const copies = new Map<string, Set<string>>();
      for (const mail of site.mailboxes.mails) {
        const { kind, request, parsed } = await read(mail);
        if (request === null) continue;
        const key = `${request} ${kind} ${mail.to.join()}`;
        const own = mail.raw.subarray(mail.raw.indexOf('\r\n\r\n'));
        const topic = kind === 'signed-by-one' ? (parsed.messageId ?? '') : '';
        copies.set(
          `${key} ${topic}`,
          (copies.get(`${key} ${topic}`) ?? new Set()).add(`${parsed.messageId} ${own.toString('base64')}`),
        );
      }
      const doubled = [...copies].filter(([, versions]) => versions.size > 1).map(([key]) => key);
      expect(doubled).toEqual([]);
      const finished = [...copies.keys()].filter(key => key.includes(' finished '));
      // Messages go to Mary alone, to John, or to both: Mary is always a party, John in two of three.
      expect(finished).toHaveLength(MESSAGES + Math.floor((MESSAGES * 2) / 3));
    } finally {
      running = false;
      await gateway.stop();
      await site.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

async function enrol(site: Site, id: string): Promise<SignpostDevice> {
  const core = await openCore(site.config, { logger: pino({ level: 'silent' }) });
  try {
    const { code } = await core.devices.createAdminCode(id);
    const device = await SignpostDevice.open({ origin: site.config.publicUrl, store: memoryStore() });
    await device.enrol({ address: addressOf(id), code, link: null, name: 'kill test', kind: 'command-line' });
    return device;
  } finally {
    await core.close();
  }
}

/** Mails all messages; where the gateway is away Postfix says 4xx and the sender tries again, as mail programs do. */
async function sendAll(site: Site, onSent: () => void): Promise<readonly string[]> {
  const ids = Array.from({ length: MESSAGES }, (_, index) => `<kill-${index}@company.com>`);
  const to = [[`self@${SIGN_DOMAIN}`], [`john.doe@${SIGN_DOMAIN}`], [`self@${SIGN_DOMAIN}`, `john.doe@${SIGN_DOMAIN}`]];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < MESSAGES) {
      const index = next++;
      const content = await simplePdf({ pages: 1, text: `Message ${index}` });
      for (;;) {
        try {
          await site.send({
            from: addressOf('mary.smith'),
            to: to[index % 3]!,
            subject: `Advanced: message ${index}`,
            messageId: ids[index]!,
            attachments: [{ filename: 'document.pdf', content }],
          });
          break;
        } catch (error) {
          const { responseCode } = error as { responseCode?: number };
          if (responseCode === undefined || responseCode >= 500) throw error;
          await sleep(300);
        }
      }
      onSent();
      await sleep(PACE);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, worker));
  return ids;
}

/** Each person follows each link that arrives and signs, trying again whenever the gateway is away. */
async function signAll(
  site: Site,
  devices: ReadonlyMap<string, SignpostDevice>,
  running: () => boolean,
): Promise<void> {
  const follow = async (address: string, device: SignpostDevice): Promise<void> => {
    const done = new Set<string>();
    for (let seen = 0; running(); ) {
      const mail = site.mailboxes.mails[seen];
      if (!mail) {
        await sleep(50);
        continue;
      }
      seen += 1;
      if (!mail.to.includes(address)) continue;
      const letter = await read(mail);
      if (letter.kind !== 'please-sign') continue;
      const token = linkToken(linkIn(letter))!;
      while (!done.has(token) && running()) {
        try {
          const view = await device.view(token);
          if (view.session === 'open') await device.sign(token, view, await device.download(token, view));
          done.add(token);
        } catch (error) {
          if ((error as Error).name === 'Tampered') throw error;
          await sleep(200);
        }
      }
    }
  };
  await Promise.all([...devices].map(([address, device]) => follow(address, device)));
}
