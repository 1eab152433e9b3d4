/** `signpost check`: what works and what doesn't, item by item, with the line to change. */
import { Command } from 'commander';
import { check } from '../check/check.ts';
import type { Line } from '../check/line.ts';
import { createLogger } from '../gateway/logger.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';

interface Options extends ConfigOptions {
  readonly json?: boolean;
  readonly postfix?: string;
  readonly mail?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('say item by item what works and what does not, and how to mend it; status 1 when something is wrong')
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--postfix <folder>', "folder of another Postfix instance's main.cf")
    .option('--mail', 'also send a message through Postfix to the gateway, and its answer back; nobody gets mail')
    .action(async (options: Options) => {
      const lines: Line[] = [];
      const tell = (line: Line): void => {
        lines.push(line);
        if (!options.json) show(line);
      };
      const asked = {
        file: options.config,
        postfix: options.postfix ?? null,
        mail: options.mail === true,
        logger: createLogger('silent'),
      };
      for await (const line of check(asked)) tell(line);
      const count = (state: Line['state']): number => lines.filter(line => line.state === state).length;
      if (options.json) console.log(JSON.stringify(lines, null, 2));
      else say(`\n${count('ok')} in order, ${count('warning')} to look at, ${count('wrong')} wrong.`);
      if (count('wrong') > 0) process.exitCode = 1;
    });
}

function show({ item, state, text, mend }: Line): void {
  say(`${state.padEnd(8)}${item.padEnd(34)} ${text.replaceAll('\n', `\n${' '.repeat(43)}`)}`);
  if (mend !== null) say(`${' '.repeat(8)}-> ${mend}`);
}
