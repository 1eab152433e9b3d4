/** `npm run corpus -- DIR --out OUT [--level advanced|seal]`: what happens to each PDF of a folder, as a table. */
import { Command, Option } from 'commander';
import { plain } from '../commands/say.ts';
import { printTable } from '../commands/table.ts';
import { type CorpusLevel, type CorpusResult, corpusFiles, runCorpus } from './corpus-run.ts';
import { openWorkbench } from './workbench.ts';

interface Options {
  readonly out: string;
  readonly level: CorpusLevel;
}

const BAR = 30;
const CLEAR_LINE = '\r\x1b[K';
const ORDER = ['signed', 'refused', 'failed'] as const;

await new Command('corpus')
  .description('signs every PDF of a folder as the gateway would, and says what happened to each')
  .argument('<dir>', 'folder with PDFs')
  .requiredOption('--out <dir>', 'where the signed files go')
  .addOption(
    new Option('--level <level>', 'one signatory, or the seal alone').choices(['advanced', 'seal']).default('advanced'),
  )
  .action(corpus)
  .parseAsync();

async function corpus(folder: string, { out, level }: Options): Promise<void> {
  const total = corpusFiles(folder).length;
  const bench = await openWorkbench();
  try {
    const results = await runCorpus(bench, { folder, out, level }, (result, done) => progress(result, done, total));
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
    report(results);
  } finally {
    await bench.close();
  }
}

/** A bar that redraws itself; a line a file where nobody is watching. */
function progress({ name, outcome }: CorpusResult, done: number, total: number): void {
  if (!process.stderr.isTTY) {
    console.error(plain(`${done}/${total} ${outcome} ${name}`));
    return;
  }
  const filled = Math.round((done / total) * BAR);
  const line = plain(`${'█'.repeat(filled).padEnd(BAR, '░')} ${done}/${total} ${name}`);
  process.stderr.write(`${CLEAR_LINE}${line.slice(0, (process.stderr.columns || 80) - 1)}`);
}

function report(results: readonly CorpusResult[]): void {
  const rows = ORDER.flatMap(outcome => results.filter(result => result.outcome === outcome));
  printTable(
    ['FILE', 'RESULT', 'PAGES', 'WHY'],
    rows.map(({ name, outcome, pages, why }) => [
      plain(name),
      outcome === 'signed' ? 'accepted and signed' : outcome,
      pages === null ? '' : String(pages),
      plain(why),
    ]),
  );
  const count = (outcome: string): number => results.filter(result => result.outcome === outcome).length;
  console.log(
    `\n${results.length} files: ${count('signed')} accepted and signed, ${count('refused')} refused, ${count('failed')} failed.`,
  );
}
