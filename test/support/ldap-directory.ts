/** A directory over a slapd of the tests, as a configuration would open it. */
import { pino } from 'pino';
import { parseConfig } from '../../src/config/load.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { openDirectory } from '../../src/directory/open.ts';
import { AD_BASE, BASE, type Slapd } from './slapd.ts';

export type Overrides = Record<string, unknown>;

/** What stands under directory.ldap for OpenLDAP's layout, or for Active Directory's. */
export function ldapYaml(slapd: Slapd, layout: 'openldap' | 'active-directory', more: Overrides = {}): Overrides {
  const base = layout === 'openldap' ? BASE : AD_BASE;
  return {
    name: 'company',
    servers: [`ldap://localhost:${slapd.port}`],
    ca: slapd.ca,
    layout,
    base,
    bind: { dn: `cn=signpost,${base}`, passwordFile: slapd.passwordFile },
    timeout: '2 seconds',
    // slapd has no rule that follows chains of groups.
    groups: { nested: 'walk' },
    ...more,
  };
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export async function openLdap(
  ldap: readonly Overrides[],
  now: () => Date = () => new Date(),
): Promise<{ directory: Directory; lines: LogLine[] }> {
  const lines: LogLine[] = [];
  const config = parseConfig(
    {
      company: { name: 'Company', country: 'LU' },
      publicUrl: 'https://sign.company.com',
      domains: [{ sign: 'sign.company.com', mail: ['company.com'] }],
      directory: { ldap },
      mail: { milter: '127.0.0.1:1', lmtp: '127.0.0.1:2', smtp: { host: '127.0.0.1', port: 25 } },
      http: { listen: '127.0.0.1:3' },
    },
    '/nowhere/signpost.yaml',
  );
  const log = pino({ level: 'debug' }, { write: text => void lines.push(JSON.parse(text) as LogLine) });
  return { directory: await openDirectory(config, { now, log }), lines };
}
