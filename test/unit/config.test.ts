import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.ts';

const EXAMPLE = new URL('../../config/signpost.example.yaml', import.meta.url);
const folder = mkdtempSync('/tmp/signpost-config-');
afterAll(() => rmSync(folder, { recursive: true }));

function example(change: (data: Record<string, never>) => void = () => {}): unknown {
  const data = parse(readFileSync(EXAMPLE, 'utf8')) as Record<string, never>;
  change(data);
  return data;
}

describe('configuration', () => {
  test('the annotated example is valid', () => {
    const config = parseConfig(example(), '/etc/signpost/signpost.yaml');
    expect(config.folder).toBe('/etc/signpost');
    expect(config.requests.expiry).toBe(7 * 86_400_000);
    expect(config.mail.maxMessageSize).toBe(25 * 1024 * 1024);
    expect(config.mail.milter).toEqual({ host: '127.0.0.1', port: 8891 });
  });

  test('every commented default in the example is the real default', () => {
    // Uncomments the "# key: value" lines under their sections; the result must be the same configuration.
    const text = readFileSync(EXAMPLE, 'utf8').replace(
      /^( *)# ([a-z][A-Za-z]+: .*)$/gm,
      (line, indent: string, setting: string) => (setting.startsWith('tls:') ? line : `${indent}${setting}`),
    );
    expect(parseConfig(parse(text), '/x/signpost.yaml')).toEqual(parseConfig(example(), '/x/signpost.yaml'));
  });

  const refused: [string, (data: never) => void, RegExp][] = [
    [
      'a public address without https',
      data => Object.assign(data, { publicUrl: 'http://sign.company.com' }),
      /publicUrl: must be https/,
    ],
    ['an unknown setting', data => Object.assign(data, { pubicUrl: 'x' }), /pubicUrl/],
    [
      'a level that this version lacks',
      data => Object.assign(data, { levels: { offered: ['advanced', 'qualified'] } }),
      /offers standard, advanced and seal, not qualified/,
    ],
    [
      'a seal that nobody may use',
      data => Object.assign(data, { levels: { offered: ['advanced', 'seal'] } }),
      /seal\.allowed: levels\.offered has seal, but nobody may use it/,
    ],
    [
      'people who may use a seal that is not offered',
      data => Object.assign(data, { seal: { allowed: ['legal'] } }),
      /levels\.offered: has no seal/,
    ],
    [
      'a bad duration',
      data => Object.assign(data, { requests: { expiry: 'a week' } }),
      /requests\.expiry: write a duration/,
    ],
    [
      'plain http on the network',
      data => Object.assign(data, { http: { listen: '0.0.0.0:80' } }),
      /http\.listen: without http\.tls/,
    ],
    [
      'requests that outlive 30 days',
      data => Object.assign(data, { requests: { maxExpiry: '31 days' } }),
      /at most 30 days/,
    ],
  ];
  test.each(refused)('%s is refused with its name and what to write', (_, change, message) => {
    expect(() => parseConfig(example(change as never), '/x/signpost.yaml')).toThrow(message);
  });

  test('a missing file says how to make one, and broken YAML names the place', () => {
    expect(() => loadConfig(join(folder, 'signpost.yaml'))).toThrow(/signpost init/);
    writeFileSync(join(folder, 'signpost.yaml'), 'company: [');
    expect(() => loadConfig(join(folder, 'signpost.yaml'))).toThrow(ConfigError);
  });
});
