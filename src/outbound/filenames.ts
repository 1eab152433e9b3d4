/** What the finished files are called in the mail. */
import { cleanLine } from './clean.ts';

const SUFFIX = ' signed';

/**
 * "Contract.pdf" → "Contract signed.pdf", safe as a file name on every system, each name once. The same name for all
 * parties, whatever their language, so that they can talk about one file. A name that already has the suffix keeps it.
 */
export function signedFileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map(name => {
    const stem = safeStem(name);
    let candidate = `${stem}${SUFFIX}.pdf`;
    for (let copy = 2; taken.has(candidate.toLowerCase()); copy++) candidate = `${stem}${SUFFIX} (${copy}).pdf`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

function safeStem(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? '';
  const stem = cleanLine(base, 200)
    // Reserved on Windows; a leading dot hides a file, a trailing one is dropped there.
    .replace(/[<>:"|?*]/g, ' ')
    .replace(/(\.pdf)+$/i, '')
    .replace(/ signed$/i, '')
    .replace(/^[\s.]+|[\s.]+$/g, '');
  const short = cleanLine(stem, 80).replace(/[\s.…]+$/, '');
  return short === '' ? 'document' : short;
}
