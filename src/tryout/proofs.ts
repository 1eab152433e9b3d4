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
    const judged = output
      .split(/^Signature #/m)
      .slice(1)
      .filter(text => !text.includes('has not yet been verified'));
    const valid = judged.filter(text => text.includes('Signature is Valid'));
    // poppler 22.12 judges a certificate only where it stands first in a file.
    const signers = new Map<string, boolean>();
    for (const text of judged) {
      const signer = /Distinguished Name: (.*)/.exec(text)?.[1] ?? '';
      if (!signers.has(signer)) signers.set(signer, text.includes('Certificate is Trusted'));
    }
    const trusted = [...signers.values()].filter(Boolean).length;
    return {
      by: 'pdfsig',
      good:
        judged.length > 0 &&
        valid.length === judged.length &&
        trusted === signers.size &&
        !/invalid|mismatch/i.test(output),
      says: `${valid.length} of ${judged.length} signatures valid, ${trusted} of ${signers.size} signers trusted`,
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
