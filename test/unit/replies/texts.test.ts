/** What our mails say about replies, and that no mail of ours is one. */
import { simpleParser } from 'mailparser';
import { expect, test } from 'vitest';
import { LANGUAGES } from '../../../src/directory/directory.ts';
import { REPLY_TEXTS } from '../../../src/outbound/texts/replies.ts';
import { parseCommand } from '../../../src/replies/commands.ts';
import { firstLine } from '../../../src/replies/first-line.ts';
import { composeSample, samples } from '../outbound/samples.ts';

test.each(LANGUAGES)('D5 every word that the help names is one: %s', language => {
  const { sender, signatory, copy } = REPLY_TEXTS[language].help;
  const names = (hints: typeof sender) => hints.map(([, command]) => parseCommand(command)?.name);
  expect(names(sender)).toEqual(['status', 'remind', 'extend', 'cancel']);
  expect(names(signatory)).toEqual(['status', 'reject']);
  expect(names(copy)).toEqual(['status']);
  for (const [, quoted] of REPLY_TEXTS[language].away.next.matchAll(/[“„«]\u00a0?([^”“»]+?)\u00a0?[”“»]/g))
    expect(parseCommand(quoted!), quoted).not.toBeNull();
});

test('D5 a mail of ours that is sent back as it is, unmarked or as HTML, says no word', async () => {
  for (const name of Object.keys(samples)) {
    for (const language of LANGUAGES) {
      const { text = '', html } = await simpleParser(Buffer.from((await composeSample(name, language)).bytes));
      const alone = await simpleParser(Buffer.from(`Content-Type: text/html; charset=utf-8\r\n\r\n${html}`), {
        skipTextToHtml: true,
      });
      for (const said of [text, alone.text ?? '']) {
        const line = firstLine(said);
        expect(line === null ? null : parseCommand(line), `${name} ${language}: ${line}`).toBeNull();
      }
    }
  }
});
