/**
 * Every party at every address of the phone's API: only the owner gets in, all others hear what an unknown link hears, and
 * nobody's link, session or device stands in an answer, a mail or the log of somebody else. (Reply commands by every party:
 * 23-replies.)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Call, Connection, Problem } from '../../../src/client/connection.ts';
import { linkToken, SignpostDevice } from '../../../src/client/device.ts';
import { type HttpSigner, webCryptoSigner } from '../../../src/client/http-signature.ts';
import { exportPublicKey, generateKeys, thumbprint } from '../../../src/client/keys.ts';
import type { PublicKey } from '../../../src/client/protocol.ts';
import { type Letter, linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { addressOf, PEOPLE } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { memoryStore } from '../../support/device-store.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { hasPostfix } from '../../support/tools.ts';

const API = new URL('../../../src/http/', import.meta.url).pathname;

/** Routes that have an owner, with `:token` and so on as in the source. */
const OWNED = [
  'GET /sessions/:token',
  'GET /sessions/:token/documents/:index',
  'POST /sessions/:token/turn',
  'POST /sessions/:token/signature',
  'POST /sessions/:token/approval/nonce',
  'POST /sessions/:token/approval',
  'POST /sessions/:token/rejection',
  'DELETE /device/all/:id',
  'POST /device/newcomers/:id',
  'GET /requests/:id',
  'GET /requests/:id/documents/:index',
];
/** Routes that speak of the asking device and its person alone, or to whoever asks. */
const OWN = [
  'GET /nonce',
  'GET /device',
  'DELETE /device',
  'POST /device/token',
  'GET /device/sessions',
  'POST /certificates',
  'GET /device/all',
  'POST /device/name',
  'GET /device/newcomers',
  'POST /device/code',
  'POST /device/proofs',
  'GET /device/passkey',
  'POST /device/passkey',
  'GET /enrolment/options',
  'POST /enrolment/code',
  'POST /enrolment',
  'GET /enrolment',
  'POST /enrolment/more',
];

interface Actor {
  readonly name: string;
  readonly signer: HttpSigner;
  readonly gatewayKey: PublicKey | null;
  readonly device: SignpostDevice | null;
  /** Everything that the gateway told this one. */
  readonly heard: string[];
}

describe.skipIf(!hasPostfix)('party and object', () => {
  let company: Company;
  let log = '';
  const actors = new Map<string, Actor>();
  /** Link tokens by person; of the request that waits. */
  const tokens = new Map<string, string>();
  let waiting: string;
  let ended: { request: string; token: string };

  beforeAll(async () => {
    const keep = new Writable({
      write(chunk, _encoding, done) {
        log += String(chunk);
        done();
      },
    });
    company = await startCompany({
      people: [
        ...PEOPLE,
        { id: 'carl.copy', name: 'Carl Copy' },
        { id: 'olga.other', name: 'Olga Other' },
        { id: 'fred.former', name: 'Fred Former' },
      ],
      gateway: { logger: pino({ level: 'debug' }, keep) },
    });
    for (const id of ['mary.smith', 'john.doe', 'anna.muller', 'carl.copy', 'olga.other', 'fred.former'])
      actors.set(id, await enrol(id));
    // A request that is over: Fred was its signatory, and so was nobody else.
    const [over] = await company.ask('mary.smith', ['fred.former'], 'Over and done');
    const fred = actors.get('fred.former')!.device!;
    const token = linkToken(linkIn(over!))!;
    const view = await fred.view(token);
    await fred.sign(token, view, await fred.download(token, view));
    await waitForLetter(company.site.mailboxes, addressOf('mary.smith'), 'finished');
    ended = { request: over!.request!, token };

    await company.site.send({
      from: addressOf('mary.smith'),
      to: ['john.doe@sign.company.com', 'anna.muller@sign.company.com'],
      cc: ['carl.copy@company.com'],
      subject: 'Contract for two',
      attachments: [{ filename: 'contract.pdf', content: await simplePdf({ pages: 1, text: 'Contract' }) }],
    });
    const isIt = ({ parsed }: Letter) => parsed.subject?.includes('Contract for two') ?? false;
    for (const id of ['john.doe', 'anna.muller']) {
      const letter = await waitForLetter(company.site.mailboxes, addressOf(id), 'please-sign', isIt);
      tokens.set(id, linkToken(linkIn(letter))!);
      waiting = letter.request!;
    }
    const keys = await generateKeys(false);
    const id = await thumbprint(await exportPublicKey(keys.publicKey));
    const { gatewayKey } = actors.get('john.doe')!;
    actors.set('a stranger', {
      name: 'a stranger',
      signer: webCryptoSigner(id, keys.privateKey),
      gatewayKey,
      device: null,
      heard: [],
    });
    const removed = await enrol('olga.other', 'a removed device');
    await removed.device!.remove();
    actors.set('a removed device', removed);
  }, 120_000);
  afterAll(() => company?.stop());

  async function enrol(person: string, name = person): Promise<Actor> {
    const heard: string[] = [];
    const store = memoryStore();
    const { publicUrl } = company.site.config;
    const { devices } = company.gateway.core;
    const device = await SignpostDevice.open({ origin: publicUrl, store });
    const { code } = await devices.createAdminCode(person);
    await device.enrol({ address: addressOf(person), code, link: null, name, kind: 'command-line' });
    const { authentication, enrolled } = (await store.load()).device!;
    return {
      name,
      signer: webCryptoSigner(enrolled.deviceId, authentication.privateKey),
      gatewayKey: enrolled.gatewayKey,
      device,
      heard,
    };
  }

  /** One signed call: "200", or the problem in words. */
  async function call(actor: Actor, route: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const listening: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      actor.heard.push(await response.clone().text(), JSON.stringify([...response.headers]));
      return response;
    };
    const connection = new Connection(company.site.config.publicUrl, {
      fetch: listening,
      now: () => new Date(),
      sleep: async () => {},
    });
    const [method, path] = route.split(' ') as [Call<unknown>['method'], string];
    const filled = path.replace(/:(\w+)/g, (_, name: string) => parameters[name]!);
    try {
      await connection.call({
        method,
        path: `/api${filled}`,
        signer: actor.signer,
        gatewayKey: actor.gatewayKey,
        ...(method === 'POST' && { body: {} }),
        read: () => null,
      });
      return '200';
    } catch (error) {
      if (error instanceof Problem) return `${error.status} ${error.type}: ${error.message}`;
      throw error;
    }
  }

  const everybody = () => [...actors.values()];
  const UNKNOWN = { token: 'x'.repeat(22), id: 'RZZZZ-ZZZZ-ZZZZ', index: '0' };

  test('D8 the matrix has every route of the API', () => {
    const source = readdirSync(API)
      .map(name => readFileSync(join(API, name), 'utf8'))
      .join('\n');
    const routes = [...source.matchAll(/\bapi\.(get|post|delete|put|patch)(?:<[^(]*>)?\(\s*'([^']+)'/g)].map(
      ([, method, path]) => `${method!.toUpperCase()} ${path}`,
    );
    expect(routes.sort()).toEqual([...OWNED, ...OWN].sort());
  });

  test.each(OWNED.filter(route => route.includes(':token')))('D8 %s of John: he alone', async route => {
    const parameters = { ...UNKNOWN, token: tokens.get('john.doe')! };
    for (const actor of everybody()) {
      const answer = await call(actor, route, parameters);
      const unknown = await call(actor, route, UNKNOWN);
      expect(unknown, `${actor.name}, unknown link`).toMatch(/^404 not-found/);
      // An empty body is refused to him, too, but as such. What he may do is shown elsewhere.
      if (actor.name === 'john.doe') expect(answer).toMatch(route.startsWith('GET') ? /^200$/ : /^(200|400|409|422)/);
      else expect(answer, actor.name).toBe(unknown);
    }
  });

  test.each(OWNED.filter(route => route.includes('/requests/')))('D8 %s: parties, once it is finished', async route => {
    for (const actor of everybody()) {
      const unknown = await call(actor, route, UNKNOWN);
      expect(await call(actor, route, { ...UNKNOWN, id: waiting }), `${actor.name}, not finished`).toBe(unknown);
      const answer = await call(actor, route, { ...UNKNOWN, id: ended.request });
      if (['mary.smith', 'fred.former'].includes(actor.name)) expect(answer, actor.name).toBe('200');
      else expect(answer, actor.name).toBe(unknown);
    }
  });

  test.each(OWNED.filter(route => route.includes('/device/')))(
    'D8 %s: nobody touches another\u2019s device',
    async route => {
      const john = await company.gateway.core.store.requests.listDevices('john.doe');
      const parameters = { ...UNKNOWN, id: john[0]!.id };
      for (const actor of everybody().filter(({ name }) => name !== 'john.doe')) {
        const answer = await call(actor, route, parameters);
        expect(answer, actor.name).toMatch(/^4\d\d /);
        expect(answer, actor.name).toBe(await call(actor, route, { ...UNKNOWN, id: 'x'.repeat(43) }));
      }
      expect(await company.gateway.core.store.requests.listDevices('john.doe')).toEqual(john);
    },
  );

  test('D8 a former signatory: the own old link shows how it ended, and does nothing', async () => {
    const fred = actors.get('fred.former')!;
    const view = await fred.device!.view(ended.token);
    expect(view.state).toBe('finished');
    for (const route of ['POST /sessions/:token/turn', 'POST /sessions/:token/rejection'])
      expect(await call(fred, route, { ...UNKNOWN, token: ended.token })).toMatch(/^4\d\d /);
    await expect(fred.device!.reject(ended.token, 'too late')).rejects.toThrow(Problem);
  });

  test('D8 what speaks of the asking device alone says nothing to a stranger and a removed device', async () => {
    for (const name of ['a stranger', 'a removed device']) {
      for (const route of OWN.filter(one => one.includes('/device') || one.includes('/certificates')))
        expect(await call(actors.get(name)!, route, UNKNOWN), `${name}: ${route}`).toMatch(/^404 not-found/);
    }
  });

  test('D8 nobody was told another\u2019s link, session or device; links stand in their owner\u2019s mails alone, and in no log', async () => {
    const { requests } = company.gateway.core.store;
    for (const actor of everybody()) {
      if (actor.device) for (const route of OWN.filter(one => one.startsWith('GET'))) await call(actor, route, UNKNOWN);
    }
    const request = (await requests.find(waiting))!;
    const devices = await requests.listDevices(null);
    const secrets = [
      ...[...tokens].map(([owner, secret]) => ({ owner, secret })),
      { owner: 'fred.former', secret: ended.token },
      ...request.sessions.map(({ id, party }) => ({ owner: party.personId, secret: id })),
      ...devices.map(({ id, personId }) => ({ owner: personId, secret: id })),
    ];
    expect(secrets.length).toBeGreaterThan(10);
    for (const { owner, secret } of secrets) {
      for (const actor of everybody()) {
        const person = actor.name === 'a removed device' ? 'olga.other' : actor.name;
        if (person !== owner)
          expect(actor.heard.join('\n').includes(secret), `${actor.name} heard of ${owner}`).toBe(false);
      }
      for (const { to, raw } of company.site.mailboxes.mails) {
        if (!to.includes(addressOf(owner)))
          expect(raw.includes(secret), `${to.join()} was mailed of ${owner}`).toBe(false);
      }
    }
    // Session and device ids belong into the log; links don't.
    for (const secret of [...tokens.values(), ended.token]) expect(log.includes(secret)).toBe(false);
    // Else nothing was looked through.
    expect(actors.get('john.doe')!.heard.join('\n')).toContain(tokens.get('john.doe'));
    expect(log).toContain(waiting);
  });
});
