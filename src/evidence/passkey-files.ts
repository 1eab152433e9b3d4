/** A passkey's assertion as files that OpenSSL checks (Web Authentication Level 2, §7.2). */
import { createPublicKey } from 'node:crypto';
import { toPem } from '../pki/x509.ts';
import type { Session } from '../requests/model.ts';
import { parseProof } from '../requests/passkeys.ts';
import { parseReport } from '../signatures/report.ts';
import type { BlobStore } from '../store/store.ts';
import { sha256 } from './entry.ts';
import type { Files, ListedSignature } from './signature-files.ts';

/** What the list of passkeys says about one. */
export interface ListedPasskey {
  /** "passkeys/1": of the first signatory. */
  readonly name: string;
  readonly algorithm: 'sha256' | 'ed25519';
  /** The site's host. */
  readonly host: string;
  /** The files that it signed for, in order. */
  readonly octets: readonly string[];
  /** Advanced: each of the signatures that it was for, with the file of the certificate that made it. */
  readonly signatures: readonly { readonly name: string; readonly certificate: string }[];
  /** Standard: the transaction report. */
  readonly report: string | null;
}

/**
 * Puts NAME-key.pem, NAME-client.json, NAME-authenticator.bin, NAME-signed.bin, NAME-signature.bin, NAME-mark.bin,
 * NAME-proof.json and what was signed for into `files`; null for a session without a passkey.
 * @param signatures those in `files`, in the order of the documents, with their certificates under certificates/
 */
export async function addPasskey(
  blobs: BlobStore,
  files: Files,
  session: Session,
  number: number,
  signatures: readonly ListedSignature[],
): Promise<ListedPasskey | null> {
  if (session.assertion === undefined) return null;
  const bytes = await blobs.get(session.assertion);
  const proof = parseProof(bytes);
  const part = (name: 'publicKey' | 'clientData' | 'authenticatorData' | 'signature' | 'mark'): Buffer =>
    Buffer.from(proof[name], 'base64url');
  const name = `passkeys/${number}`;
  const add = (ending: string, content: Uint8Array): void => {
    files.set(`${name}-${ending}`, new Uint8Array(content));
  };
  const key = createPublicKey({ key: part('publicKey'), format: 'der', type: 'spki' });
  add('key.pem', Buffer.from(key.export({ format: 'pem', type: 'spki' })));
  add('client.json', part('clientData'));
  add('authenticator.bin', part('authenticatorData'));
  add('signed.bin', Buffer.concat([part('authenticatorData'), Buffer.from(sha256(part('clientData')), 'hex')]));
  add('signature.bin', part('signature'));
  add('mark.bin', part('mark'));
  add('proof.json', bytes);
  const algorithm = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'sha256';
  const listed = { name, algorithm, host: proof.relyingParty.id } as const;
  if (session.evidence !== undefined) {
    const report = `signatures/report-${number}.content`;
    add('approved.txt', parseReport(Buffer.from(files.get(report)!).toString()).data);
    return { ...listed, octets: [`${name}-approved.txt`], signatures: [], report };
  }
  const made = newestOf(
    signatures.filter(({ kind, signer }) => kind === 'signature' && signer.serial === session.certificateSerial),
  );
  for (const { name: signature, attributes } of made) files.set(`${signature}.attributes`, attributes!);
  const certificate = (signer: ListedSignature['signer']): string => {
    const pem = Buffer.from(toPem(signer.der));
    return [...files].find(([file, content]) => /^certificates\/\d+\.pem$/.test(file) && pem.equals(content))![0];
  };
  return {
    ...listed,
    octets: made.map(signature => `${signature.name}.attributes`),
    signatures: made.map(signature => ({ name: signature.name, certificate: certificate(signature.signer) })),
    report: null,
  };
}

/** One for each document: a document that was signed in an earlier request, too, holds several of the same person. */
function newestOf(signatures: readonly ListedSignature[]): readonly ListedSignature[] {
  return [...new Map(signatures.map(one => [one.name.replace(/-\d+$/, ''), one])).values()];
}
