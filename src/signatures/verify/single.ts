/** Signatures that stand alone: CAdES, XAdES, and bare timestamps, which have no place in a larger file. */
import { digest } from '../../pki/algorithms.ts';
import { DerError, Fields, oidOf, read, TAG } from '../../pki/der.ts';
import { OID } from '../../pki/oids.ts';
import { parseSignedData } from '../../pki/signed-data.ts';
import { splitSigners } from '../cms-signers.ts';
import { SignatureInvalid } from '../invalid.ts';
import { verifyXades } from '../xades-verify.ts';
import { XmlRefused } from '../xml/gate.ts';
import { DS } from '../xml/names.ts';
import {
  type CheckedSignature,
  checkCms,
  checkTimestamp,
  DAMAGED_CERTIFICATE,
  faultOf,
  NOTHING,
  signatureAlgorithm,
} from './checked.ts';
import { judgeSigned, type Signed } from './judge-file.ts';
import { type FileReport, type Format, fault, type VerifyInput } from './result.ts';
import { concludeFile } from './sentences.ts';

const ALONE = {
  field: null,
  order: 0,
  coverage: null,
  changes: [],
  signerName: null,
  docMdp: null,
  locks: [],
} as const;
const NO_STORE = { certificates: [], sources: [] } as const;

function conclude(format: Format, signed: readonly Signed[], input: VerifyInput): FileReport {
  return concludeFile(format, judgeSigned(signed, input, NO_STORE), []);
}

/** Whether these octets begin as a CMS ContentInfo with SignedData does, in DER. */
export function isSignedData(file: Uint8Array): boolean {
  try {
    return oidOf(new Fields(read(file, TAG.sequence).content).next(TAG.oid)) === OID.signedData;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/** CAdES signatures (ETSI EN 319 122-1), each signer's judged by itself, or a TimeStampToken (RFC 3161) over the content. */
export function verifyCms(input: VerifyInput): FileReport {
  const { file, content: given } = input;
  let held: { readonly contentType: string; readonly content: Uint8Array | null };
  let signers: readonly Uint8Array[];
  try {
    signers = splitSigners(file);
    held = parseSignedData(signers[0]!);
  } catch (error) {
    return concludeFile('cades', [], [faultOf(error)]);
  }
  if (held.contentType === OID.tstInfo) return verifyToken(input);
  const content = held.content ?? given;
  const missing = content === null ? fault('SIGNED_DATA_NOT_FOUND', MISSING) : null;
  const other =
    held.content !== null && given !== null && Buffer.compare(held.content, given) !== 0
      ? fault('HASH_FAILURE', 'it holds another content than the given file')
      : null;
  const signed = signers.map((cms): Signed => {
    const checked = checkCms(
      cms,
      { digestOf: hash => digest(hash, content ?? new Uint8Array()), signingCertificate: 'required', content: 'any' },
      [],
    );
    const baseline = { ...checked, fault: missing ?? other ?? checked.fault };
    return { ...ALONE, kind: 'signature', checked: baseline, baseline: true };
  });
  return conclude('cades', signed, input);
}

const MISSING = 'the file that was signed is needed, too: give it with --content FILE';

function verifyToken(input: VerifyInput): FileReport {
  const { file, content } = input;
  const checked = checkTimestamp(file, hash => digest(hash, content ?? new Uint8Array()));
  const token = content === null ? { ...checked, fault: fault('SIGNED_DATA_NOT_FOUND', MISSING) } : checked;
  return conclude('timestamp', [{ ...ALONE, kind: 'timestamp', token, hasStore: false }], input);
}

/** A TimeStampResp (RFC 3161 §2.4.2) that was granted: its token. */
export function tokenIn(response: Uint8Array): Uint8Array | null {
  try {
    const fields = new Fields(read(response, TAG.sequence).content);
    const status = fields.sequence().next(TAG.integer).content;
    const token = fields.next(TAG.sequence).bytes;
    fields.finish();
    return status.length === 1 && status[0]! <= 1 ? token : null;
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

/** An enveloped XAdES signature (ETSI EN 319 132-1). */
export async function verifyXml(input: VerifyInput): Promise<FileReport> {
  if (!Buffer.from(input.file).includes(DS)) return concludeFile('xades', [], []);
  // libxml2 is loaded with the first XML file only.
  const { readXades } = await import('../xml/read.ts');
  try {
    const parts = readXades(input.file);
    const found = await verifyXades(input.file, async () => parts);
    const damaged = found.certificates.length < parts.certificates.length;
    const checked: CheckedSignature = {
      ...NOTHING,
      ...found,
      fault: damaged ? fault('GENERIC', DAMAGED_CERTIFICATE) : null,
      algorithm: signatureAlgorithm(found.hash, found.signer),
      claimedTime: found.signingTime,
    };
    return conclude('xades', [{ ...ALONE, kind: 'signature', checked, baseline: true }], input);
  } catch (error) {
    if (error instanceof SignatureInvalid)
      return concludeFile('xades', [], [fault(error.subIndication, error.message)]);
    if (error instanceof XmlRefused) return concludeFile('xades', [], [fault('FORMAT_FAILURE', error.message)]);
    throw error;
  }
}
