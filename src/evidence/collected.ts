import type { Request } from '../requests/model.ts';
import type { ListedPasskey } from './passkey-files.ts';
import type { Proof } from './proof.ts';
import type { ListedSignature } from './signature-files.ts';

/** What was collected, for README.txt and summary.pdf. */
export interface Collected {
  readonly request: Request;
  readonly company: string;
  readonly signatures: readonly ListedSignature[];
  readonly passkeys: readonly ListedPasskey[];
  /** File names under certificates/, ocsp/ and crl/. */
  readonly answers: readonly { readonly file: string; readonly certificate: string; readonly issuer: string }[];
  readonly lists: readonly string[];
  readonly proof: Proof;
  readonly madeAt: Date;
}
