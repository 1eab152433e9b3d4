import { describe, expect, test } from 'vitest';
import type { Person } from '../../../src/directory/directory.ts';
import { allowedLevels, type Policy } from '../../../src/policy/policy.ts';

function person(id: string, ...groups: string[]): Person {
  const mail = `${id}@company.com`;
  return {
    id,
    name: id,
    givenName: null,
    surname: null,
    mail,
    addresses: [mail],
    language: 'en',
    title: null,
    groups,
    delegates: [],
    mobile: null,
  };
}

const OFFERED = ['standard', 'advanced'] as const;
const [boss, aide, clerk, other] = [
  person('boss', 'board'),
  person('aide', 'assistants'),
  person('clerk'),
  person('other'),
];

const POLICY: Policy = [
  { signatories: ['board'], allowed: [{ senders: ['assistants', 'boss'], levels: ['advanced'] }] },
  { signatories: ['self'], allowed: [{ senders: 'everyone' }] },
  {
    signatories: ['clerk', 'aide'],
    allowed: [
      { senders: 'everyone', levels: ['standard'] },
      { senders: ['board'], levels: ['advanced', 'qualified'] },
    ],
  },
];

describe('who may ask whom', () => {
  test.each<[string, Policy, Person, Person, readonly string[]]>([
    ['everybody, without a policy', null, clerk!, boss!, ['standard', 'advanced']],
    ['by group', POLICY, aide!, boss!, ['advanced']],
    ['by id', POLICY, boss!, boss!, ['advanced']],
    ['not by others', POLICY, clerk!, boss!, []],
    ['oneself', POLICY, other!, other!, ['standard', 'advanced']],
    ['not others as oneself', POLICY, clerk!, other!, []],
    ['everybody at one level', POLICY, other!, clerk!, ['standard']],
    ['some at more; never at one that is not offered', POLICY, boss!, clerk!, ['standard', 'advanced']],
    ['nobody whom no entry names', POLICY, boss!, other!, []],
    [
      'a group called self is no way in',
      [{ signatories: ['self'], allowed: [{ senders: ['self'] }] }],
      person('x', 'self'),
      person('x', 'self'),
      [],
    ],
    ['nobody, where nothing is allowed', [{ signatories: 'everyone', allowed: [] }], boss!, boss!, []],
  ])('%s', (_, policy, sender, signatory, levels) => {
    expect(allowedLevels(policy, sender, signatory, OFFERED)).toEqual(levels);
  });
});
