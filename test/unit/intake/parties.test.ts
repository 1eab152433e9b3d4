import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientInfo } from '../../../milter/handler.ts';
import { readParties } from '../../../src/intake/parties.ts';
import { splitMessage } from '../../../src/intake/raw-message.ts';
import { Refusal } from '../../../src/intake/refusal.ts';
import { authenticate, relayMatcher } from '../../../src/intake/who.ts';
import { makeWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

async function read(to: string, cc?: string, sender = 'mary') {
  const message = splitMessage(Buffer.from(`To: ${to}\r\n${cc === undefined ? '' : `Cc: ${cc}\r\n`}\r\n`));
  const { signatories, copies } = await readParties(message, await world.person(sender), 'advanced', {
    directory: world.directory,
    domains: world.config.domains,
    serviceLocal: world.config.mail.from,
    maxGroupMembers: world.config.requests.maxGroupMembers,
  });
  return { sign: signatories.map(({ id }) => id), copy: copies.map(({ id }) => id) };
}

describe('a group', () => {
  test('D3 asks each of its members, each once, and as copies where it stands in Cc', async () => {
    expect(await read('board@sign.company.com, ben@sign.company.com')).toEqual({ sign: ['bea', 'ben'], copy: [] });
    expect(await read('ALL@sign.company.com')).toEqual({ sign: ['law', 'bea', 'ben'], copy: [] });
    expect(await read('vorstand@sign.company.com', 'mary.smith@sign.company.com')).toEqual({
      sign: ['bea', 'ben'],
      copy: [],
    });
    expect(await read('ben@sign.company.com', 'board@sign.company.com')).toEqual({ sign: ['ben'], copy: ['bea'] });
    expect(await read('ben@sign.company.com', 'board@company.com')).toEqual({ sign: ['ben'], copy: ['bea'] });
  });

  test.each([
    ['two@sign.company.com', '5.1.1', /could be more than one/],
    ['empty@sign.company.com', '5.1.1', /nobody in it/],
    ['board@sign.company.com, nobody@sign.company.com', '5.1.1', /"nobody@sign.company.com" is not known/],
  ])('%s is refused whole', async (to, enhanced, says) => {
    const refusal = await read(to).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).enhanced).toBe(enhanced);
    expect((refusal as Refusal).message).toMatch(says);
  });

  test('of two hundred unknown names, only for those that the refusal has room for are others looked for', async () => {
    const to = Array.from({ length: 200 }, (_, n) => `nobody.${n}@sign.company.com`).join(',\r\n ');
    let asked = 0;
    const directory: World['directory'] = {
      ...world.directory,
      suggest: async address => {
        asked += 1;
        return world.directory.suggest(address);
      },
    };
    const context = {
      directory,
      domains: world.config.domains,
      serviceLocal: 'signpost',
      maxGroupMembers: 2,
    };
    const message = splitMessage(Buffer.from(`To: ${to}\r\n\r\n`));
    await expect(readParties(message, await world.person('mary'), 'advanced', context)).rejects.toThrow(/and 180 more/);
    expect(asked).toBe(20 * context.domains[0]!.mail.length);
  });

  test('of more people than may be asked at once is refused', async () => {
    const message = splitMessage(Buffer.from('To: all@sign.company.com\r\n\r\n'));
    const context = {
      directory: world.directory,
      domains: world.config.domains,
      serviceLocal: 'signpost',
      maxGroupMembers: 2,
    };
    await expect(readParties(message, await world.person('mary'), 'advanced', context)).rejects.toThrow(
      /more than 2 people/,
    );
  });
});

describe('whom a message asks', () => {
  test.each<[string, string, string | undefined, { sign: string[]; copy: string[] }]>([
    [
      'in the order of To',
      'john.doe@sign.company.com, mary.smith@sign.company.com',
      undefined,
      { sign: ['john', 'mary'], copy: [] },
    ],
    ['self is the sender, never a user called self', 'self@sign.company.com', undefined, { sign: ['mary'], copy: [] }],
    ['self in capitals', 'SELF@sign.company.com', undefined, { sign: ['mary'], copy: [] }],
    ['an alias', 'JD@sign.company.com', undefined, { sign: ['john'], copy: [] }],
    [
      'the same person twice is once',
      'jd@sign.company.com, john.doe@sign.company.com',
      undefined,
      { sign: ['john'], copy: [] },
    ],
    [
      'self and the own name is once',
      'self@sign.company.com, mary.smith@sign.company.com',
      undefined,
      { sign: ['mary'], copy: [] },
    ],
    ['a person of the second mail domain', 'rita@sign.company.com', undefined, { sign: ['rita'], copy: [] }],
    [
      'Cc on the sign domain gets a copy',
      'john.doe@sign.company.com',
      'rita@sign.company.com',
      { sign: ['john'], copy: ['rita'] },
    ],
    [
      'company addresses in To get a copy',
      'john.doe@sign.company.com, rita@company.fr',
      undefined,
      { sign: ['john'], copy: ['rita'] },
    ],
    [
      'company addresses in Cc get a copy',
      'john.doe@sign.company.com',
      'anna@company.fr',
      { sign: ['john'], copy: ['anna'] },
    ],
    ['who signs gets no second copy', 'john.doe@sign.company.com', 'jd@company.com', { sign: ['john'], copy: [] }],
    [
      'the sender gets no second copy',
      'john.doe@sign.company.com',
      'mary.smith@company.com',
      { sign: ['john'], copy: [] },
    ],
    [
      'outside addresses are left alone',
      'john.doe@sign.company.com, x@outside.example',
      'y@outside.example',
      { sign: ['john'], copy: [] },
    ],
  ])('%s', async (_, to, cc, expected) => {
    expect(await read(to, cc)).toEqual(expected);
  });

  test.each([
    ['unknown', 'nobody@sign.company.com', undefined, '5.1.1', '"nobody@sign.company.com" is not known here.'],
    ['a slip of the pen', 'john.deo@sign.company.com', undefined, '5.1.1', 'Did you mean john.doe@sign.company.com?'],
    ['a name of two people', 'sam@sign.company.com', undefined, '5.1.1', 'more than one person'],
    ['all bad names', 'a1@sign.company.com, john.doe@sign.company.com', 'b2@company.com', '5.1.1', '"b2@company.com"'],
    ['Cc only', 'x@outside.example', 'john.doe@sign.company.com', '5.1.3', 'Nobody in the To line'],
    ['a request’s address', 'request+abc@sign.company.com', undefined, '5.7.1', 'request that exists already'],
    ['a bounce address', 'bounce+abc@sign.company.com', undefined, '5.7.1', 'delivery reports'],
    ['the service', 'signpost@sign.company.com', undefined, '5.1.1', 'reads no mail'],
  ])('%s is refused', async (_, to, cc, enhanced, says) => {
    const refusal = await read(to, cc).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ code: 550, enhanced });
    expect((refusal as Refusal).message).toContain(says);
  });
});

describe('who asks', () => {
  const CERTIFICATES = [{ subject: 'relay.company.com', issuer: 'Company CA' }];
  const client = (address: string): ClientInfo => ({ hostname: 'x', family: 'inet', address, port: 1 });
  const ask = async (sender: string, address: string, login?: string) => {
    const macros = new Map(login === undefined ? [] : [['auth_authen', login]]);
    const isRelay = relayMatcher(world.config.mail.authenticatingRelays);
    try {
      const who = await authenticate(sender, client(address), macros, world.directory, isRelay, CERTIFICATES);
      return who === null ? 'a stranger' : `${who.person.id} ${who.method}`;
    } catch (error) {
      if (error instanceof Refusal) return `${error.code} ${error.enhanced} ${error.message}`;
      throw error;
    }
  };

  test.each<[string, string, string | undefined, RegExp]>([
    ['mary.smith@company.com', '203.0.113.9', 'msmith', /^mary sasl$/],
    ['MARY.SMITH@company.com', '203.0.113.9', 'mary.smith@company.com', /^mary sasl$/],
    ['john.doe@company.com', '203.0.113.9', 'jd@company.com', /^john sasl$/],
    ['john.doe@company.com', '203.0.113.9', 'msmith', /^550 5\.7\.1 You are logged in as somebody else/],
    // A relay's own login never lends its trust to whoever it names.
    ['john.doe@company.com', '192.0.2.7', 'msmith', /^550 5\.7\.1 You are logged in as somebody else/],
    ['mary.smith@company.com', '203.0.113.9', 'ghost', /^550 5\.7\.1 Your login is not known/],
    ['mary.smith@company.com', '203.0.113.9', '', /^a stranger$/],
    ['mary.smith@company.com', '192.0.2.7', undefined, /^mary relay$/],
    ['mary.smith@company.com', '192.0.2.7', 'account-of-the-relay', /^mary relay$/],
    ['mary.smith@company.com', '::ffff:10.1.2.3', undefined, /^mary relay$/],
    ['mary.smith@company.com', '2001:db8::5', undefined, /^mary relay$/],
    ['mary.smith@company.com', '2001:db9::5', undefined, /^a stranger$/],
    ['mary.smith@company.com', '192.0.2.8', undefined, /^a stranger$/],
    ['mary.smith@company.com', '', undefined, /^a stranger$/],
    ['x@outside.example', '192.0.2.7', undefined, /^550 5\.7\.1 The sender address/],
  ])('%s from %s with login %s', async (sender, address, login, outcome) => {
    expect(await ask(sender, address, login)).toMatch(outcome);
  });

  test.each<[string, Record<string, string>, string]>([
    [
      'verified',
      { tls_version: 'TLSv1.3', cert_subject: 'relay.company.com', cert_issuer: 'Company CA' },
      'mary relay',
    ],
    ['of another name', { tls_version: 'TLSv1.3', cert_subject: 'x', cert_issuer: 'Company CA' }, 'a stranger'],
    [
      'of another issuer',
      { tls_version: 'TLSv1.3', cert_subject: 'relay.company.com', cert_issuer: 'x' },
      'a stranger',
    ],
    ['of no issuer', { tls_version: 'TLSv1.3', cert_subject: 'relay.company.com' }, 'a stranger'],
    ['without TLS', { cert_subject: 'relay.company.com', cert_issuer: 'Company CA' }, 'a stranger'],
  ])('D1 a client certificate that is %s', async (_, facts, outcome) => {
    const who = await authenticate(
      'mary.smith@company.com',
      client('203.0.113.9'),
      new Map(Object.entries(facts)),
      world.directory,
      () => false,
      CERTIFICATES,
    );
    expect(who === null ? 'a stranger' : `${who.person.id} ${who.method}`).toBe(outcome);
  });

  test('a relay that is no address is told at start', () => {
    for (const relay of ['mail.company.com', '10.0.0.0/99', '']) {
      expect(() => relayMatcher([relay])).toThrow('mail.authenticatingRelays');
    }
  });
});
