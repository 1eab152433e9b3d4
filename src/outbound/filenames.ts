/** What the finished files are called in the mail. */
import type { FinishedFile } from '../requests/finished-files.ts';
import { cleanLine } from './clean.ts';

/**
 * "Contract.pdf" → "Contract signed.pdf", safe as a file name on every system, each name once. The same name for all
 * parties, whatever their language, so that they can talk about one file. A name that already has the suffix keeps it.
 * What isn't a PDF keeps its whole name: "letter.txt.p7m", or "letter.txt" and "letter.txt.p7s".
 */
export function signedFileNames(files: readonly Pick<FinishedFile, 'name' | 'form'>[]): string[] {
  const taken = new Set<string>();
  // The document beside its signatures comes first, and they are called after it.
  let beside = '';
  return files.map(({ name, form }) => {
    const [stem, extension] = form === 'cades-detached' ? [beside, '.p7s'] : partsOf(name, form);
    let candidate = `${stem}${extension}`;
    for (let copy = 2; taken.has(candidate.toLowerCase()); copy++) candidate = `${stem} (${copy})${extension}`;
    taken.add(candidate.toLowerCase());
    if (form === 'content') beside = candidate;
    return candidate;
  });
}

function partsOf(name: string, form: FinishedFile['form']): [stem: string, extension: string] {
  if (form === undefined) return [`${safeStem(name, /(\.pdf)+$/i, / signed$/i)} signed`, '.pdf'];
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  const stem = safeStem(name, /\.[A-Za-z0-9]{1,10}$/);
  if (form === 'xades') return [`${stem} signed`, '.xml'];
  return [stem, form === 'cades' ? `${extension}.p7m` : extension];
}

/** @param ends taken off, one after the other */
function safeStem(name: string, ...ends: readonly RegExp[]): string {
  const base = name.split(/[/\\]/).at(-1) ?? '';
  // Reserved on Windows; a leading dot hides a file, a trailing one is dropped there.
  const whole = cleanLine(base, 200).replace(/[<>:"|?*]/g, ' ');
  const stem = ends.reduce((rest, end) => rest.replace(end, ''), whole).replace(/^[\s.]+|[\s.]+$/g, '');
  const short = cleanLine(stem, 80).replace(/[\s.…]+$/, '');
  return short === '' ? 'document' : short;
}
