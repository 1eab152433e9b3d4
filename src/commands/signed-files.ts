/** Files that the command line signs: read, and their results written, never over anything that is there. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formOf, type SignatureForm, signedName } from '../signatures/files.ts';
import { say } from './say.ts';

export interface FileToSign {
  readonly path: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly form: SignatureForm;
  /** Where the result goes. */
  readonly target: string;
}

export interface FileOptions {
  readonly out?: string;
  readonly detached?: boolean;
}

/** Before anything is signed. @throws Error in words */
export async function readFiles(paths: readonly string[], mark: string, options: FileOptions): Promise<FileToSign[]> {
  const files: FileToSign[] = [];
  for (const path of paths) {
    const bytes = await readOne(path);
    const name = basename(path);
    const form = formOf(name, bytes, options.detached === true);
    const target = join(options.out ?? dirname(path), signedName(name, form, mark));
    if (files.some(file => file.target === target)) throw new Error(`two of the files would both become ${target}`);
    if (await exists(target)) throw new Error(`${target} is there already; nothing is ever overwritten`);
    files.push({ path, name, bytes, form, target });
  }
  if (options.out !== undefined) await mkdir(options.out, { recursive: true });
  return files;
}

export async function writeResult(file: FileToSign, bytes: Uint8Array): Promise<void> {
  await writeNew(file, bytes);
  say(`${file.path} → ${file.target} (${LABELS[file.form]})`);
}

/** Whole or not at all. @throws Error in words */
export async function writeNew({ target }: FileToSign, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(target, bytes, { flag: 'wx' });
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'EEXIST') await rm(target, { force: true });
    throw new Error(code === 'EEXIST' ? `${target} is there already` : `${target} can't be written (${code})`);
  }
}

/** Says what the forms mean where a person may expect something else. */
export function explain(files: readonly FileToSign[]): void {
  const own = files.filter(({ form }) => form === 'cades' || form === 'cades-detached');
  if (own.length > 1) say(`Each file has a signature of its own: ${own.length} files, ${own.length} signature files.`);
}

const LABELS: Readonly<Record<SignatureForm, string>> = {
  pades: 'PAdES',
  xades: 'XAdES, inside of the file',
  cades: 'CAdES, the file is inside',
  'cades-detached': 'CAdES, beside the file',
};

async function readOne(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${path} can't be read (${codeOf(error)})`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw new Error(`${path} can't be written (${codeOf(error)})`);
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? error);
