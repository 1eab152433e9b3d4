/** Asks on the terminal for what a flag didn't say. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/**
 * @param check returns what is wrong with an answer, or null
 * @throws Error when there's no terminal to ask on: names the flag to give
 */
export async function ask(
  question: string,
  flag: string,
  suggestion: string | null,
  check: (answer: string) => string | null,
): Promise<string> {
  if (!process.stdin.isTTY) {
    if (suggestion !== null) return suggestion;
    throw new Error(`${question}? Give it with ${flag}.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (;;) {
      const answer =
        (await terminal.question(`${question}${suggestion === null ? '' : ` [${suggestion}]`}: `)).trim() ||
        (suggestion ?? '');
      const problem = check(answer);
      if (problem === null) return answer;
      console.error(`  ${problem}`);
    }
  } finally {
    terminal.close();
  }
}

/** Asks without showing what is typed. @throws Error when there's no terminal to ask on: names the flag to give */
export async function askSecret(question: string, flag: string): Promise<string> {
  if (!process.stdin.isTTY) throw new Error(`${question}? Give it with ${flag}.`);
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
