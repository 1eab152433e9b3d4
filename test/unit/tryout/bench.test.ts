/** The measurements that people run: they run, and print what they promise. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../support/tools.ts';

const BENCH = fileURLToPath(new URL('../../../src/tryout/bench.ts', import.meta.url));
const flags = ['--disable-warning=ExperimentalWarning', BENCH];

test('B9 bench sign: ratios on 1 and 5 MB, and the share of each step', () => {
  const { status, output } = run(process.execPath, [...flags, 'sign', '--rounds', '1']);
  expect(status, output).toBe(0);
  const measured = output.split(/^(?=\d MB)/m);
  expect(measured.map(text => text.slice(0, 4))).toEqual(['1 MB', '5 MB']);
  for (const text of measured) {
    expect(text).toMatch(/SHA-256 and one P-256 signature of the same octets +\d+\.\d{3} {2}1\.00 ×/);
    expect(text).toMatch(/one signing revision, without timestamp +\d+\.\d{3} {2}\d+\.\d\d ×/);
    expect(text).toMatch(/one signing revision, embedded timestamp authority +\d+\.\d{3} {2}\d+\.\d\d ×/);
    for (const step of ['prepare', 'sign', 'verify', 'timestamp', 'CMS', 'put'])
      expect(text).toMatch(new RegExp(`^  ${step}.* +\\d+\\.\\d{3} +\\d+ %$`, 'm'));
  }
});

test('bench: a wrong number of rounds is one sentence', () => {
  const { status, output } = run(process.execPath, [...flags, 'sign', '--rounds', 'many']);
  expect(status).toBe(1);
  expect(output).toMatch(/Write a number of rounds/);
});
