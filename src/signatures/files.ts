/** Which signature fits which file, and signing of those that aren't PDFs, by a person's device or the seal alike. */
import { extname } from 'node:path';
import type { SignatureAlgorithm, TimestampAuthority } from '../pki/pki.ts';
import { completeCades, prepareCades } from './cades.ts';
import { completeXades, prepareXades, type ReadXml } from './xades.ts';

/** pades: inside a PDF; xades: inside an XML file; cades: around the file; cades-detached: beside it. */
export type SignatureForm = 'pades' | 'xades' | 'cades' | 'cades-detached';

/** PDF headers stand within the first kilobyte (ISO 32000-1 annex H, implementation note 13). */
const isPdf = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 1024)).includes('%PDF-');

/** @param detached the file is to stay as it is, and its signature to stand in a file of its own */
export function formOf(name: string, bytes: Uint8Array, detached: boolean): SignatureForm {
  if (detached) return 'cades-detached';
  if (isPdf(bytes)) return 'pades';
  return extname(name).toLowerCase() === '.xml' ? 'xades' : 'cades';
}

/** What a signed file is called. @param mark such as "signed", for forms that keep the file's type */
export function signedName(name: string, form: SignatureForm, mark: string): string {
  if (form === 'cades') return `${name}.p7m`;
  if (form === 'cades-detached') return `${name}.p7s`;
  const extension = extname(name) || '.pdf';
  return `${name.slice(0, name.length - extname(name).length)}-${mark}${extension}`;
}

/** A key that signs at once, with its certificate and issuers (DER, nearest first). */
export interface FileSigner {
  readonly certificate: Uint8Array;
  readonly issuers: readonly Uint8Array[];
  readonly algorithm: SignatureAlgorithm;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** @throws XmlRefused; BadSignature; TimestampUnavailable */
export async function signFile(
  file: { readonly bytes: Uint8Array; readonly form: Exclude<SignatureForm, 'pades'> },
  signer: FileSigner,
  engine: { readonly readXml: ReadXml; readonly timestamps: TimestampAuthority; readonly signingTime: Date },
): Promise<Uint8Array> {
  const { bytes, form } = file;
  const { timestamps, signingTime } = engine;
  if (form === 'xades') {
    const prepared = prepareXades(await engine.readXml(bytes), { ...signer, signingTime });
    const signature = await signer.sign(prepared.toBeSigned);
    return completeXades(prepared, bytes, { ...signer, signature }, { timestamps });
  }
  const prepared = prepareCades(bytes, { ...signer, signingTime });
  const signature = await signer.sign(prepared.toBeSigned);
  const detached = form === 'cades-detached';
  return completeCades(prepared, bytes, { ...signer, signature }, { detached, timestamps });
}
