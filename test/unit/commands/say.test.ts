import { expect, test } from 'vitest';
import { plain } from '../../../src/commands/say.ts';

test('text from elsewhere can’t command the terminal: no escapes, returns, bidirectional overrides; lines and letters stay', () => {
  expect(plain('\u001b[2J\u001b]0;title\u0007Pay \u009b31m100\r1 €')).toBe('[2J]0;titlePay 31m1001 €');
  expect(plain('fdp.\u202eexe\u2066')).toBe('fdp.exe');
  expect(plain('Zoë\n\t王小明 محمد')).toBe('Zoë\n\t王小明 محمد');
});
