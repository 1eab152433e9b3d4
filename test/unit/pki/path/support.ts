/** Where test data lies, and certificates for tests of path validation. */
import { join, resolve } from 'node:path';

/** A folder of the shared corpora ($SIGNPOST_CORPORA, else beside the project); it may be missing. */
export function corpora(name: string): string {
  return join(process.env.SIGNPOST_CORPORA ?? resolve(import.meta.dirname, '../../../../../shared/corpora'), name);
}
