/**
 * Signatures of documents that aren't PDFs, as src/requests collects them: signatories one after the other, the company
 * seal last. All sign the octets of the file; their CAdES B-T signatures stand side by side in one CMS.
 */
import { DocumentRefused } from '../documents/documents.ts';
import type { Pki } from '../pki/pki.ts';
import { completeCades, prepareCades, type Signer } from './cades.ts';
import { joinSigners } from './cms-signers.ts';
import { signFile } from './files.ts';
import { sealDetached } from './seal.ts';
import type { ReadXml } from './xades.ts';
import { XmlRefused } from './xml/gate.ts';

/** cades: around the file; cades-detached: beside it; xades: inside an XML file. */
export type FileForm = 'cades' | 'cades-detached' | 'xades';

export interface FileSignatures {
  /**
   * @param before detached CMS with the signatures so far, or null
   * @param signer who signed cadesAttributes of this content at `signingTime`
   * @returns the same with one more
   * @throws BadSignature, TimestampUnavailable
   */
  add(
    before: Uint8Array | null,
    content: Uint8Array,
    signer: Signer & { readonly signingTime: Date },
  ): Promise<Uint8Array>;
  /**
   * The finished file: the seal beside the other signatures or, as XAdES, alone. @param before as of `add`
   * @throws DocumentRefused for XML that can't hold a signature; TimestampUnavailable
   */
  close(before: Uint8Array | null, content: Uint8Array, form: FileForm, at: Date): Promise<Uint8Array>;
}

export function createFileSignatures({
  pki,
  readXml,
}: {
  readonly pki: Pick<Pki, 'seal' | 'timestamps'>;
  readonly readXml: ReadXml;
}): FileSignatures {
  const { timestamps } = pki;
  return {
    async add(before, content, signer) {
      const { signingTime, certificate } = signer;
      const prepared = prepareCades(content, { certificate, signingTime });
      const own = await completeCades(prepared, content, signer, { detached: true, timestamps });
      return before === null ? own : joinSigners([before, own], null);
    },

    async close(before, content, form, at) {
      if (form !== 'xades') {
        const seal = await sealDetached(pki, content, at);
        return joinSigners(before === null ? [seal] : [before, seal], form === 'cades' ? content : null);
      }
      const { key, certificate, issuers } = pki.seal;
      const signer = { certificate, issuers, algorithm: key.algorithm, sign: (data: Uint8Array) => key.sign(data) };
      try {
        return await signFile({ bytes: content, form }, signer, { readXml, timestamps, signingTime: at });
      } catch (error) {
        if (error instanceof XmlRefused) throw new DocumentRefused('damaged', error.message);
        throw error;
      }
    },
  };
}
