/** Pictures of a signed PDF in every language: initials, signature page, signatures and seals, watermark. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LANGUAGES } from '../../src/directory/directory.ts';
import { make } from '../e2e/12-standard-file/made.ts';
import { documentWorker } from '../support/documents.ts';
import { makePki } from '../support/pades.ts';
import { simplePdf } from '../support/pdfs.ts';

/** @param out the folder; needs poppler's pdftoppm */
export async function documentPictures(out: string): Promise<void> {
  const folder = mkdtempSync('/tmp/signpost-pictures-');
  const worker = documentWorker();
  try {
    const pki = await makePki('ecdsa-p256-sha256');
    for (const language of LANGUAGES) {
      const { finished } = await make(worker, pki, await simplePdf({ pages: 2, text: '1' }), {
        levels: ['standard', 'advanced', 'standard'],
        order: [0, 1, 2],
        names: ['Zoë Smith-Featherstonehaugh', 'Léa Martin-Lefèvre', 'Anna Müller-Westernhagen'],
        language,
      });
      const path = join(folder, 'finished.pdf');
      writeFileSync(path, finished);
      execFileSync('/usr/bin/pdftoppm', ['-png', '-r', '100', path, join(out, `${language}-document`)]);
    }
  } finally {
    await worker.close();
    rmSync(folder, { recursive: true });
  }
}
