/** What software that isn't ours says of a finished document. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Proof {
  readonly by: string;
  readonly good: boolean;
  readonly says: string;
}

/** pdfsig's and qpdf's word, where they are installed. */
export async function proofs(pdf: string, trust: string): Promise<readonly Proof[]> {
  const found: Proof[] = [];
  if (existsSync('/usr/bin/pdfsig') && existsSync('/usr/bin/certutil')) found.push(await askPdfsig(pdf, trust));
  if (existsSync('/usr/bin/qpdf')) {
    const { status, output } = await run('/usr/bin/qpdf', ['--check', pdf]);
    found.push({ by: 'qpdf --check', good: status === 0, says: status === 0 ? 'the file is sound' : output });
  }
  return found;
}

async function askPdfsig(pdf: string, trust: string): Promise<Proof> {
  const nss = mkdtempSync(join(tmpdir(), 'signpost-nss-'));
  try {
    await run('/usr/bin/certutil', ['-N', '-d', `sql:${nss}`, '--empty-password']);
    await run('/usr/bin/certutil', ['-A', '-d', `sql:${nss}`, '-n', 'company', '-t', 'CT,C,C', '-i', trust]);
    const { output } = await run('/usr/bin/pdfsig', ['-nssdir', nss, pdf]);
    // pdfsig's exit status is 0 even on a digest mismatch: its text counts. It doesn't judge document timestamps.
    const signatures = output
      .split(/^Signature #/m)
      .slice(1)
      .filter(text => !text.includes('ETSI.RFC3161'));
    const valid = signatures.filter(
      text => text.includes('Signature is Valid') && text.includes('Certificate is Trusted'),
    );
    return {
      by: 'pdfsig',
      good: signatures.length > 0 && valid.length === signatures.length && !/invalid|mismatch/i.test(output),
      says: `${valid.length} of ${signatures.length} signatures valid and trusted`,
    };
  } finally {
    rmSync(nss, { recursive: true });
  }
}

function run(program: string, args: string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    execFile(program, args, (error, stdout, stderr) => {
      resolve({
        status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        output: `${stdout}${stderr}`,
      });
    });
  });
}
