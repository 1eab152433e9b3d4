/** The gateway in a process whose clock is set wrong by libfaketime, while it runs and before it starts; openssl reads its stamps. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSite, type Site } from '../../../src/tryout/site.ts';
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts';
import { has, run } from '../../support/tools.ts';

const DAY = 86_400;
const REFUSED = "the TSA's time source is not available";

/** Debian's multi-arch folder of this machine. */
function library(): string {
  const folder = readdirSync('/usr/lib').find(name => name.endsWith('-linux-gnu'))!;
  return `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`;
}

describe.skipIf(!has('faketime', 'openssl'))('a wrong clock', () => {
  let folder: string;
  let site: Site;
  let gateway: GatewayProcess | null = null;
  /** Every time that was stamped, in order. */
  const stamped: number[] = [];
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = mkdtempSync('/tmp/signpost-clock-');
    site = await makeSite({ folder, postfix: false });
    set('+0');
    await start();
  });
  afterAll(async () => {
    await gateway?.stop();
    await site?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The offset in seconds, or a fixed time in UTC. Renamed into place: it is read at every look at the clock. */
  function set(clock: string): void {
    writeFileSync(at('clock.new'), `${clock}\n`);
    renameSync(at('clock.new'), at('clock'));
  }

  async function start(): Promise<void> {
    gateway = await startGatewayProcess(site, at('log'), {
      TZ: 'UTC',
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: at('clock'),
      FAKETIME_NO_CACHE: '1',
      // The steady clock stays steady, as it does when a real clock is set.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    });
  }

  async function restart(): Promise<void> {
    await gateway?.stop();
    gateway = null;
    await start();
  }

  /** Asks for a stamp; openssl verifies it. @returns why there is none, or null */
  async function refusal(): Promise<string | null> {
    execFileSync('openssl', ['rand', '-out', at('data'), '64']);
    run('openssl', ['ts', '-query', '-data', at('data'), '-sha256', '-cert', '-out', at('query')]);
    const response = await fetch(`${site.config.publicUrl}/tsa`, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: readFileSync(at('query')),
    });
    expect(response.status).toBe(200);
    writeFileSync(at('reply'), Buffer.from(await response.arrayBuffer()));
    const { output } = run('openssl', ['ts', '-reply', '-in', at('reply'), '-text']);
    if (!output.includes('Status: Granted.')) return /Failure info: (.*)/.exec(output)?.[1] ?? output;
    stamped.push(Date.parse(/Time stamp: (.*)/.exec(output)![1]!));
    const trust = join(site.config.folder, 'certs', 'ca.pem');
    const verify = ['ts', '-verify', '-queryfile', at('query'), '-in', at('reply'), '-CAfile', trust];
    expect(run('openssl', verify)).toMatchObject({ status: 0 });
    return null;
  }

  test.each([
    ['one hour behind', -3600],
    ['a month behind', -30 * DAY],
    ['a month ahead', 30 * DAY],
    ['two minutes ahead', 120],
  ])('C4 set while it runs, %s: no stamp until it is right again', async (_name, seconds) => {
    expect(await refusal()).toBeNull();
    set(`${seconds < 0 ? '' : '+'}${seconds}`);
    expect(await refusal()).toBe(REFUSED);
    expect(await refusal()).toBe(REFUSED);
    set('+0');
    expect(await refusal()).toBeNull();
  });

  test('C4 one second behind: within tolerance or refused, never an earlier time', async () => {
    expect(await refusal()).toBeNull();
    set('-1');
    expect(await refusal()).toBeOneOf([null, REFUSED]);
    set('+0');
    expect(await refusal()).toBeNull();
  });

  test('C4 frozen: no stamp as soon as it lags, for as long as it stands', async () => {
    set(new Date().toISOString().slice(0, 19).replace('T', ' '));
    await expect.poll(refusal, { timeout: 20_000, interval: 300 }).toBe(REFUSED);
    expect(await refusal()).toBe(REFUSED);
    set('+0');
    expect(await refusal()).toBeNull();
  });

  test('C4 behind at the start: minutes, then no stamp; before the CA itself, then no gateway', async () => {
    expect(await refusal()).toBeNull();
    set('-200');
    await restart();
    expect(await refusal()).toBe(REFUSED);
    // Set right, but by a jump: somebody has to say that this is the right time.
    set('+0');
    expect(await refusal()).toBe(REFUSED);
    await restart();
    expect(await refusal()).toBeNull();
    set(`-${30 * DAY}`);
    await expect(restart()).rejects.toThrow(/ca\.pem can't be used/);
    set('+0');
    await restart();
    expect(await refusal()).toBeNull();
  });

  test('C4 no time was ever before the one that was stamped earlier', () => {
    expect(stamped.length).toBeGreaterThan(10);
    expect(stamped).toEqual(stamped.toSorted((a, b) => a - b));
    expect(stamped.every(time => Math.abs(time - Date.now()) < 3_600_000)).toBe(true);
  });
});
