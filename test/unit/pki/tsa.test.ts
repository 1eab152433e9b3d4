import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatePath } from '../../../src/pki/create.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import { checkToken } from '../../../src/pki/token.ts';
import { EmbeddedTimestampAuthority } from '../../../src/pki/tsa.ts';
import { fromPem, parseCertificate } from '../../../src/pki/x509.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { SqliteTimestampStore, TIMESTAMPS_SCHEMA } from '../../../src/store/timestamps.ts';
import { has } from '../../support/tools.ts';
import { ALGORITHMS, DAY, load, make, silent, Workspace } from './support.ts';

const DATA = Buffer.from('the data that is stamped');
const DIGEST = new Uint8Array(createHash('sha256').update(DATA).digest());

describe.skipIf(!has('openssl')).each(ALGORITHMS)('embedded timestamp authority with a key of kind %s', algorithm => {
  const workspace = new Workspace();
  beforeAll(() => make(workspace, { algorithm }));
  afterAll(() => workspace.remove());

  it('makes tokens that openssl verifies over the data, and refuses over other data', async () => {
    const pki = await load(workspace);
    const stamp = await pki.timestamps.stamp(DIGEST);
    workspace.put('data', DATA);
    workspace.put('other', 'other data');
    workspace.put('token.der', stamp.token);
    const verify = (data: string) =>
      workspace.openssl('ts', '-verify', '-data', data, '-in', 'token.der', '-token_in', '-CAfile', 'certs/ca.pem')
        .output;
    expect(verify('data')).toMatch(/Verification: OK/);
    expect(verify('other')).toMatch(/Verification: FAILED/);

    const text = workspace.must('ts', '-reply', '-in', 'token.der', '-token_in', '-token_out', '-text');
    expect(text).toMatch(/Policy OID: 0\.4\.0\.2023\.1\.1/);
    expect(text).toMatch(/Hash Algorithm: sha256/);
    expect(text).toMatch(/Accuracy: 0x01 seconds/);
    expect(Date.parse(/Time stamp: (.*)\n/.exec(text)?.[1] ?? '')).toBe(stamp.time.getTime());
    const cms = workspace.must('cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'token.der', '-noout');
    expect(cms).toMatch(/id-smime-aa-signingCertificateV2/);
    const tsa = fromPem(readFileSync(certificatePath(workspace.folder, 'tsa'), 'utf8'))[0];
    expect(stamp.certificates).toEqual([tsa, pki.anchors[0]]);
  });

  it('its tokens pass the check that outside ones must pass', async () => {
    const pki = await load(workspace);
    const { token, time, certificates } = await pki.timestamps.stamp(DIGEST);
    const anchors = pki.anchors.map(parseCertificate);
    const checked = checkToken(token, { sha256: DIGEST, nonce: null, anchors, notBefore: time, notAfter: time });
    expect(checked).toEqual({ token, time, certificates });
  });

  it('serials never repeat, also at the same second and from several processes', async () => {
    const database = workspace.path('state.sqlite');
    const [a, b] = [await load(workspace, { database }), await load(workspace, { database })];
    const stamps = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? a : b).timestamps.stamp(DIGEST)));
    const serials = stamps.map((stamp, i) => {
      workspace.put(`t${i}.der`, stamp.token);
      const text = workspace.must('ts', '-reply', '-in', `t${i}.der`, '-token_in', '-token_out', '-text');
      return /Serial number: (0x[0-9A-F]+)/.exec(text)?.[1];
    });
    expect(new Set(serials).size).toBe(20);
  });

  it('takes nothing but a SHA-256 digest', async () => {
    const pki = await load(workspace);
    await expect(pki.timestamps.stamp(new Uint8Array(20))).rejects.toThrow(TypeError);
  });
});

describe('the clock', () => {
  const workspace = new Workspace();
  const start = Math.ceil(Date.now() / 1000) * 1000 + 500;
  let wall = start;
  let steady = 0;
  /** Real time passes: both clocks advance. */
  const pass = (ms: number) => {
    wall += ms;
    steady += ms;
  };
  const now = () => new Date(wall);
  const monotonic = () => steady;
  beforeAll(() => make(workspace));
  afterAll(() => workspace.remove());

  const fresh = async (file = ':memory:') => {
    wall = start;
    const { seal } = await load(workspace);
    const identity = { key: seal.key, certificate: seal.certificate, issuers: seal.issuers };
    const database = openDatabase(file, [TIMESTAMPS_SCHEMA]);
    const restart = () =>
      new EmbeddedTimestampAuthority({
        identity,
        store: new SqliteTimestampStore(database),
        now,
        monotonic,
        logger: silent,
      });
    return { tsa: restart(), restart };
  };
  const refused = (stamp: Promise<unknown>) => expect(stamp).rejects.toThrow(TimestampUnavailable);

  it('runs: times grow with it, days between stamps are fine', async () => {
    const { tsa } = await fresh();
    const first = await tsa.stamp(DIGEST);
    pass(1500);
    const second = await tsa.stamp(DIGEST);
    expect(second.time.getTime() - first.time.getTime()).toBe(2000);
    pass(3 * DAY);
    expect((await tsa.stamp(DIGEST)).time.getTime()).toBe(start - 500 + 3 * DAY + 2000);
  });

  it('jitters back by a second: the last time is given again, never an earlier one', async () => {
    const { tsa } = await fresh();
    pass(1000);
    const first = await tsa.stamp(DIGEST);
    wall -= 900;
    expect((await tsa.stamp(DIGEST)).time).toEqual(first.time);
  });

  it('steps back by more than a second: no stamp until it is right again or acknowledged', async () => {
    const { tsa } = await fresh();
    pass(60_000);
    const first = await tsa.stamp(DIGEST);
    wall -= 1200;
    await refused(tsa.stamp(DIGEST));
    await refused(tsa.stamp(DIGEST));
    wall += 1200;
    expect((await tsa.stamp(DIGEST)).time).toEqual(first.time);

    pass(3_600_000);
    wall -= 1_800_000; // Still after the last stamp, yet stepped back.
    await refused(tsa.stamp(DIGEST));
    tsa.acknowledgeClock();
    expect((await tsa.stamp(DIGEST)).time.getTime()).toBeGreaterThan(first.time.getTime());
  });

  it('jumps ahead by more than a minute: no stamp until it is right again or acknowledged', async () => {
    const { tsa } = await fresh();
    await tsa.stamp(DIGEST);
    wall += 59_000;
    await tsa.stamp(DIGEST);
    wall += 30 * DAY;
    await refused(tsa.stamp(DIGEST));
    pass(120_000);
    await refused(tsa.stamp(DIGEST));
    wall -= 30 * DAY;
    await tsa.stamp(DIGEST);
    wall += 3_600_000;
    await refused(tsa.stamp(DIGEST));
    tsa.acknowledgeClock();
    await tsa.stamp(DIGEST);
  });

  it('stands still, or runs slow: no stamp once it lags by a second, however often it is looked at', async () => {
    for (const speed of [0, 0.9]) {
      const { tsa } = await fresh();
      let looks = 0;
      const stamped = async () => {
        steady += 100;
        wall += 100 * speed;
        looks++;
        return tsa.stamp(DIGEST).then(
          () => true,
          () => false,
        );
      };
      while (looks < 200 && (await stamped()));
      expect(looks).toBe(speed === 0 ? 11 : 101);
      await refused(tsa.stamp(DIGEST));
      wall += 1200;
      await tsa.stamp(DIGEST);
    }
  });

  it('is behind the last stamp after a restart: no stamp until it has caught up, acknowledged or not', async () => {
    const { tsa, restart } = await fresh(workspace.path('clock.sqlite'));
    pass(DAY);
    const last = await tsa.stamp(DIGEST);
    wall -= 3_600_000;
    const again = restart();
    await refused(again.stamp(DIGEST));
    again.acknowledgeClock();
    await refused(again.stamp(DIGEST));
    pass(3_600_000);
    expect((await again.stamp(DIGEST)).time.getTime()).toBeGreaterThanOrEqual(last.time.getTime());
  });

  it("is outside the certificate's validity: no stamp", async () => {
    const { restart } = await fresh();
    wall = start + 20 * 365 * DAY;
    await refused(restart().stamp(DIGEST));
    wall = start - DAY;
    await refused(restart().stamp(DIGEST));
  });
});
