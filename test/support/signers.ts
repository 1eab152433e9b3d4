/** Those who sign files that aren't PDFs: the company's seal, a person's device. */
import type { LoadedPki } from '../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../src/pki/pki.ts';
import type { Signer } from '../../src/signatures/cades.ts';
import { makeSignatory } from './pades.ts';

export interface TestSigner {
  readonly certificate: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** Signs what a preparing step returned. */
  sign(data: Uint8Array): Promise<Signer>;
}

export function sealSigner(pki: LoadedPki): TestSigner {
  const { key, certificate, issuers } = pki.seal;
  const { algorithm } = key;
  return {
    certificate,
    algorithm,
    sign: async data => ({ certificate, issuers, algorithm, signature: await key.sign(data) }),
  };
}

export async function personSigner(pki: LoadedPki, name = 'Jeanne Doé'): Promise<TestSigner> {
  const { certificate, sign } = await makeSignatory(pki, name);
  const algorithm = 'ecdsa-p256-sha256';
  return {
    certificate,
    algorithm,
    sign: async data => ({ certificate, issuers: pki.ca.chain, algorithm, signature: sign(data) }),
  };
}
