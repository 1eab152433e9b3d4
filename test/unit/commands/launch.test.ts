import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('systemd starts the gateway as bin/signpost.js does: the same flags, the same bounds for its memory', () => {
  const unit = read('systemd/signpost.service');
  const bin = read('bin/signpost.js');
  const flags = /^ExecStart=\S+ (.*) \S+main\.ts /m.exec(unit)![1]!.split(' ');
  expect(flags.length).toBeGreaterThan(1);
  for (const flag of flags) expect(bin).toContain(`'${flag}'`);
  expect(bin.match(/'--[a-z-]+(=\S+)?'/g)).toHaveLength(flags.length);
  const bounds = /^Environment=(MALLOC_.*)$/m
    .exec(unit)![1]!
    .split(' ')
    .map(one => one.replace('=', ": '"));
  expect(bounds.length).toBeGreaterThan(1);
  for (const bound of bounds) expect(bin).toContain(`${bound}'`);
  expect(bin.match(/MALLOC_\w+: '/g)).toHaveLength(bounds.length);
});
