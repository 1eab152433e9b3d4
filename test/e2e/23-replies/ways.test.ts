/** Who replies is proven as who asks is: by login, relay, delegate, DKIM; and a proof for one reply is none for another. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Request } from '../../../src/requests/model.ts';
import { dkimSign } from '../../support/dkim.ts';
import { hasPostfix } from '../../support/tools.ts';
import {
  type Envelope,
  KEYS,
  MARY,
  mail,
  OUTSIDE,
  RELAY,
  type SendersWorld,
  startSendersWorld,
} from '../22-senders/world.ts';
import { addressOfRequest } from './desk.ts';

const ANNA = 'anna.muller@company.com';

let world: SendersWorld;
beforeAll(async () => {
  if (hasPostfix) world = await startSendersWorld();
});
afterAll(() => world?.stop());

const word = (request: Request, text: string, from = MARY, headers: string[] = []): Buffer =>
  mail({ from, to: addressOfRequest(request), subject: 'Re: Contract', text, parts: [], headers });

async function prolonged(request: Request, times: number): Promise<void> {
  const { store } = world.company.gateway.core;
  for (let tries = 0; (await store.requests.find(request.id))?.prolonged !== times; tries += 1) {
    expect(tries, world.company.site.postfix!.log().slice(-1500)).toBeLessThan(400);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

describe.skipIf(!hasPostfix)('D5 a reply', () => {
  test('by login, by an authenticating relay, by DKIM', async () => {
    const request = await world.opened(mail(), { login: MARY, client: OUTSIDE });
    const ways: [Buffer, Envelope][] = [
      [word(request, 'extend 1 day'), { login: MARY, client: OUTSIDE }],
      [word(request, 'extend 1 day'), { client: RELAY }],
      [dkimSign(word(request, 'extend 1 day'), KEYS.company), {}],
    ];
    for (const [index, [message, envelope]] of ways.entries()) {
      const { final } = await world.deliver(message, { from: MARY, ...envelope, to: [addressOfRequest(request)] });
      expect(final).toMatchObject({ code: 250 });
      await prolonged(request, index + 1);
    }
  });

  test('by a delegate, in the name of whom they write for', async () => {
    const request = await world.opened(mail({ from: ANNA }), { client: RELAY, from: ANNA });
    const message = word(request, 'extend 1 day', ANNA, [`Sender: ${MARY}`]);
    const { final } = await world.deliver(message, { login: MARY, from: MARY, to: [addressOfRequest(request)] });
    expect(final).toMatchObject({ code: 250 });
    await prolonged(request, 1);
  });

  test('not without proof, not with a broken one, and not one that was signed for another request', async () => {
    const request = await world.opened(mail(), { login: MARY, client: OUTSIDE });
    const other = await world.opened(mail(), { login: MARY, client: OUTSIDE });
    const to = [addressOfRequest(request)];
    const signed = dkimSign(word(request, 'extend 1 day'), KEYS.company);
    const changed = Buffer.from(signed.toString('latin1').replace('extend 1 day', 'extend 9 days'), 'latin1');
    await world.refused(word(request, 'cancel'), /./, { to });
    await world.refused(changed, /./, { to });
    await world.refused(dkimSign(word(request, 'cancel'), KEYS.evil), /./, { to });
    // Replayed at another request's address, and at its own: once only.
    await world.refused(signed, /There is no request of yours/, { to: [addressOfRequest(other)] });
    for (const _ of [1, 2, 3]) expect((await world.deliver(signed, { to })).final.code).toBe(250);
    await prolonged(request, 1);
    const { store } = world.company.gateway.core;
    for (let tries = 0; (await world.company.site.postfix!.queue()).length > 0; tries += 1) {
      expect(tries).toBeLessThan(400);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    expect((await store.requests.find(request.id))?.prolonged).toBe(1);
    expect((await store.requests.find(other.id))?.state).toBe('open');
  });
});
