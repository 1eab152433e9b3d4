/** The company seal beside a file: detached CAdES B-T. */
import type { Pki } from '../pki/pki.ts';
import { completeCades, prepareCades } from './cades.ts';

/** @param at claimed signing time @returns DER, for a .p7s @throws TimestampUnavailable */
export async function sealDetached(
  { seal, timestamps }: Pick<Pki, 'seal' | 'timestamps'>,
  content: Uint8Array,
  at: Date,
): Promise<Uint8Array> {
  const { key, certificate, issuers } = seal;
  const prepared = prepareCades(content, { certificate, signingTime: at });
  const signature = await key.sign(prepared.toBeSigned);
  const signer = { certificate, issuers, algorithm: key.algorithm, signature };
  return completeCades(prepared, content, signer, { detached: true, timestamps });
}
