/** `signpost check` against a real private Postfix that runs the shipped snippet, a name server and a whole gateway. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Line } from '../../../src/check/line.ts';
import { canRunPostfix } from '../../../src/tryout/postfix.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { type DnsServer, startDns } from '../../support/dns.ts';

const BIN = new URL('../../../bin/signpost.js', import.meta.url).pathname;
const execute = promisify(execFile);

let dns: DnsServer;
let company: Company;
let postfix: string;

/** What the command says, and its exit status. */
async function check(...args: string[]): Promise<{ lines: Line[]; status: number }> {
  const asked = [BIN, 'check', '--json', '--config', company.site.configFile, '--postfix', postfix, ...args];
  const { stdout, code } = await execute(process.execPath, asked).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  return { lines: JSON.parse(stdout) as Line[], status: code };
}

const wrongOf = ({ lines }: { lines: Line[] }): Line[] => lines.filter(({ state }) => state === 'wrong');

describe.skipIf(!canRunPostfix())('signpost check', () => {
  beforeAll(async () => {
    dns = await startDns({
      'sign.company.com': { MX: [{ exchange: 'mx.sign.company.com', preference: 10 }], TXT: ['v=spf1 mx -all'] },
      '_dmarc.sign.company.com': { TXT: ['v=DMARC1; p=reject; aspf=s'] },
      'company.com': { MX: [{ exchange: 'mx.company.com', preference: 10 }], TXT: ['v=spf1 mx -all', 'other=1'] },
      '_dmarc.company.com': { TXT: ['v=DMARC1; p=none'] },
    });
    company = await startCompany({
      configure: config => {
        config.dns = { servers: [dns.address] };
        config.admin = ['mary.smith@company.com'];
      },
    });
    postfix = company.site.postfix!.configFolder;
  });
  afterAll(async () => {
    await company.stop();
    await dns.stop();
  });

  test('all is in order on the shipped snippet', async () => {
    const found = await check();
    expect(found.lines.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(found.status).toBe(0);
  });
});
