/** Certificates in the forms that other programs take. */
import { Buffer } from 'node:buffer';
import { writeFile } from 'node:fs/promises';
import { der } from '../pki/der.ts';
import { OID } from '../pki/oids.ts';
import { toPem } from '../pki/x509.ts';

export const FORMATS = ['pem', 'der', 'p7c'] as const;
export type Format = (typeof FORMATS)[number];

/** @param issuers nearest first */
export function certificateBytes(certificate: Uint8Array, issuers: readonly Uint8Array[], format: Format): Uint8Array {
  if (format === 'der') return certificate;
  if (format === 'p7c') return certsOnly([certificate, ...issuers]);
  return Buffer.from([certificate, ...issuers].map(one => toPem(one)).join(''));
}

/** A "certs-only" message: SignedData with neither content nor signer (RFC 5652 §5.1, RFC 8551 §3.8). */
function certsOnly(certificates: readonly Uint8Array[]): Uint8Array {
  const signedData = der.sequence(
    der.integer(1),
    der.set(),
    der.sequence(der.oid(OID.data)),
    der.constructed(0, ...certificates.toSorted(Buffer.compare)),
    der.set(),
  );
  return der.sequence(der.oid(OID.signedData), der.constructed(0, signedData));
}

/** To a new file, or to standard output. @throws Error in words when the file exists */
export async function writeCertificate(bytes: Uint8Array, out: string | undefined): Promise<void> {
  if (out === undefined) {
    process.stdout.write(bytes);
    return;
  }
  await writeFile(out, bytes, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new Error(`${out} exists; nothing is ever overwritten`) : error;
  });
}
