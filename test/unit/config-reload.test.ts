/** What a changed configuration does while the gateway runs. */
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { adopt, LIVE } from '../../src/config/reload.ts';
import { configSchema } from '../../src/config/schema.ts';

const BASE = {
  company: { name: 'Example', vat: null, country: 'LU' },
  publicUrl: 'https://sign.company.com',
  domains: [{ sign: 'sign.company.com', mail: ['company.com'] }],
  directory: { file: 'people.yaml' },
  mail: { milter: '127.0.0.1:8891', lmtp: '127.0.0.1:8892', smtp: { host: '127.0.0.1', port: 25 } },
  http: { listen: '127.0.0.1:8893' },
};
const config = (change: object = {}) => parseConfig({ ...BASE, ...change }, '/etc/signpost/signpost.yaml');

describe('adopt', () => {
  test('nothing changed: nothing to say', () => {
    expect(adopt(config(), config())).toEqual({ changed: [], atNextStart: [] });
  });

  test('a setting that every part reads when it needs it counts at once', () => {
    const running = config();
    const { requests } = running;
    const fresh = config({ requests: { maxPerDay: 7 }, levels: { default: 'standard' } });
    expect(adopt(running, fresh)).toEqual({ changed: ['levels.default', 'requests.maxPerDay'], atNextStart: [] });
    expect(running.requests.maxPerDay).toBe(7);
    expect(running.levels.default).toBe('standard');
    // Parts that hold the section see it, too.
    expect(requests.maxPerDay).toBe(7);
  });

  test('what parts were built with waits for the next start, and stays what it was', () => {
    const running = config();
    const fresh = config({ publicUrl: 'https://other.company.com', http: { listen: '127.0.0.1:9000' } });
    expect(adopt(running, fresh)).toEqual({ changed: [], atNextStart: ['publicUrl', 'http.listen'] });
    expect(running.publicUrl).toBe('https://sign.company.com');
  });

  test('both in one section', () => {
    const running = config();
    const fresh = config({ mail: { ...BASE.mail, maxDocuments: 3, from: 'signatures' } });
    expect(adopt(running, fresh)).toEqual({ changed: ['mail.maxDocuments'], atNextStart: ['mail.from'] });
    expect(running.mail).toMatchObject({ maxDocuments: 3, from: 'signpost' });
  });

  test.each([...LIVE])('%s is a setting that there is', path => {
    const [section, setting] = path.split('.') as [keyof typeof configSchema.shape, string | undefined];
    expect(configSchema.shape).toHaveProperty(section);
    if (setting !== undefined) expect(config()[section]).toHaveProperty(setting);
  });
});
