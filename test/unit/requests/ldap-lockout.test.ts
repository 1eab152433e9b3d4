/** Password tries against a real slapd whose ppolicy locks accounts: never by strangers through the gateway. */
import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Directory } from '../../../src/directory/directory.ts';
import { ldapYaml, openLdap } from '../../support/ldap-directory.ts';
import { contractLdif } from '../../support/ldap-people.ts';
import { BASE, MAX_FAILURES, type Slapd, startSlapd } from '../../support/slapd.ts';
import { has } from '../../support/tools.ts';
import { newDevice, World } from './world.ts';

const PASSWORD = 'right and long';
const DN = `uid=jdoe,ou=people,${BASE}`;

describe.skipIf(!has('slapd', 'ldap-utils', 'openssl'))('passwords of a directory that locks accounts', () => {
  let slapd: Slapd;
  let directory: Directory;
  let world: World;

  beforeAll(async () => {
    slapd = await startSlapd(contractLdif(PASSWORD));
    ({ directory } = await openLdap([ldapYaml(slapd, 'openldap', { people: { id: 'employeeNumber' } })]));
    world = await World.open(deps => ({
      ...deps,
      directory,
      config: {
        ...deps.config,
        enrolment: { ...deps.config.enrolment, proofs: { standard: [['password']], advanced: [['password']] } },
      },
    }));
  });
  afterAll(async () => {
    await world?.close();
    await directory?.close();
    await slapd?.remove();
  });

  const enrol = (password: string, client: string) =>
    world.devices.enrol({
      address: 'john.doe@company.com',
      password,
      code: null,
      link: null,
      client,
      device: newDevice(),
      replaces: null,
    });
  /** What OpenLDAP's own client hears. */
  const canBind = (password: string): Promise<boolean> =>
    new Promise(resolve => {
      execFile('ldapwhoami', ['-x', '-H', `ldap://localhost:${slapd.port}`, '-D', DN, '-w', password], error =>
        resolve(error === null),
      );
    });

  test('D4 a hundred strangers try passwords: four or fewer reach slapd, the account stays open', async () => {
    await Promise.allSettled(Array.from({ length: 100 }, (_, i) => enrol(`guess ${i}`, `198.51.100.${i}`)));
    const binds = slapd
      .log()
      .split('\n')
      .filter(line => line.includes(`BIND dn="${DN}" method=128`));
    expect(binds.length).toBeGreaterThan(0);
    expect(binds.length).toBeLessThanOrEqual(4);
    expect(await canBind(PASSWORD)).toBe(true);
    world.pass(3_600_001);
    expect(await enrol(PASSWORD, '192.0.2.1')).toMatchObject({ state: 'enrolled', device: { personId: 'john' } });
  });

  test('D4 positive control: as many wrong binds as the policy allows do lock it', async () => {
    for (let i = 0; i < MAX_FAILURES; i++) expect(await canBind(`wrong ${i}`)).toBe(false);
    expect(await canBind(PASSWORD)).toBe(false);
  });
});
