/** The level seal: who may, how it is asked for, and that nobody signs with it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/schema.ts';
import { Refusal } from '../../../src/intake/refusal.ts';
import { ADMITTED, readSubmission } from '../../../src/intake/submission.ts';
import { makeMessage } from '../../support/message.ts';
import { makeWorld, NOW, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const SEAL = 'seal@sign.company.com';
const SELF = 'self@sign.company.com';

async function ask(
  fields: { to: string; cc?: string; subject?: string },
  allowed: Config['seal']['allowed'] = ['mary', 'legal'],
  sender = 'mary',
  offered: Config['levels']['offered'] = ['standard', 'advanced', 'seal'],
) {
  const person = await world.person(sender);
  const { cc, ...rest } = fields;
  const raw = makeMessage({
    from: person.mail,
    ...rest,
    headers: cc === undefined ? [] : [`Cc: ${cc}`],
  });
  const config = { ...world.config, levels: { ...world.config.levels, offered }, seal: { allowed } };
  const { submission } = await readSubmission(
    raw,
    person,
    'sasl',
    NOW,
    null,
    { config, directory: world.directory },
    ADMITTED,
  );
  return {
    level: submission.level,
    byDefault: submission.levelIsDefault,
    sign: submission.signatories.map(({ id }) => id),
    copy: submission.copies.map(({ id }) => id),
  };
}

async function refusal(...args: Parameters<typeof ask>): Promise<string> {
  const error = await ask(...args).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refusal);
  return (error as Refusal).message;
}

describe('asked for', () => {
  const sealed = { level: 'seal', byDefault: false, sign: [], copy: [] };
  test.each([
    ['at the seal address, never a user called seal', { to: SEAL, subject: 'contract' }],
    ['in capitals', { to: 'SEAL@sign.company.com', subject: 'contract' }],
    ['at the seal address and in the subject', { to: SEAL, subject: '[seal] contract' }],
    ['by a tag, to oneself', { to: SELF, subject: 'contract [seal]' }],
    ['by its German word, to the own name', { to: 'mary.smith@sign.company.com', subject: 'Siegel: Vertrag' }],
  ])('%s', async (_, fields) => {
    expect(await ask(fields)).toEqual(sealed);
  });

  test('with copies', async () => {
    expect(await ask({ to: SEAL, cc: 'john.doe@company.com, rita@sign.company.com', subject: 'x' })).toEqual({
      ...sealed,
      copy: ['john', 'rita'],
    });
  });

  test('by a group, and by everyone where the configuration says so', async () => {
    expect((await ask({ to: SEAL }, ['legal'], 'law')).level).toBe('seal');
    expect((await ask({ to: SEAL }, 'everyone', 'john')).level).toBe('seal');
  });
});

describe('refused in words', () => {
  test('to whoever may not', async () => {
    for (const allowed of [[], ['john'], ['Mary'], ['legal']])
      expect(await refusal({ to: SEAL }, allowed)).toContain('You may not have documents sealed');
    expect(await refusal({ to: SELF, subject: '[seal] x' }, ['legal'])).toContain('You may not have documents sealed');
  });

  test('where it is not offered', async () => {
    expect(await refusal({ to: SEAL, subject: 'x' }, [], 'mary', ['advanced'])).toContain('level seal is not offered');
  });

  test('with somebody who would sign nothing', async () => {
    expect(await refusal({ to: `${SEAL}, john.doe@sign.company.com`, subject: 'x' })).toContain(
      '"john.doe@company.com"',
    );
    expect(await refusal({ to: 'john.doe@sign.company.com', subject: '[seal] x' })).toContain(
      "not a person's signature",
    );
  });

  test('with another level, and in Cc', async () => {
    expect(await refusal({ to: SEAL, subject: '[advanced] x' })).toContain('two levels');
    expect(await refusal({ to: SELF, cc: SEAL, subject: 'x' })).toContain('stands in Cc');
  });
});
