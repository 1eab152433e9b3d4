/** What is said of a whole file: one plain sentence. */
import { type FileReport, type Format, fault, type SignatureReport, type Verdict, worst } from './result.ts';

const KINDS: Readonly<Record<Format, string>> = {
  pdf: 'PDF',
  cades: 'file',
  xades: 'file',
  timestamp: 'timestamp',
  report: 'transaction report',
  unknown: 'file',
};

/** @param faults of the file beside those of its signatures */
export function concludeFile(
  format: Format,
  signatures: readonly SignatureReport[],
  faults: readonly Verdict[],
): FileReport {
  const none = signatures.length === 0 && faults.length === 0 ? [fault('GENERIC', 'it has no signature')] : [];
  const gravest = worst([...faults, ...none, ...signatures]);
  const { indication, subIndication, reason } = gravest ?? fault('GENERIC', 'it has no signature');
  return {
    format,
    indication,
    subIndication,
    reason: sentence(format, signatures, faults, { indication, subIndication, reason }),
    signatures,
  };
}

function sentence(
  format: Format,
  signatures: readonly SignatureReport[],
  faults: readonly Verdict[],
  { indication, subIndication, reason }: Verdict,
): string {
  const what = `This ${KINDS[format]}`;
  if (signatures.length === 0 && faults.length === 0) return `${what} has no signature that can be checked.`;
  if (indication === 'TOTAL-PASSED') {
    const people = signatures.filter(({ kind }) => kind === 'signature' || kind === 'approval').map(nameOf);
    const names = people.length > 0 ? people : signatures.map(nameOf);
    return `${what} is unchanged and every signature in it is valid: ${[...new Set(names)].join(', ')}.`;
  }
  if (indication === 'TOTAL-FAILED') return `Don’t rely on this ${KINDS[format]}: ${reason}.`;
  const intact = signatures.length > 0 && signatures.every(signature => signature.intact) && faults.length === 0;
  if (intact && subIndication === 'NO_CERTIFICATE_CHAIN_FOUND')
    return `${what} is unchanged since it was signed, but who signed it is not confirmed: ${reason}. Give the certificates that you trust with --trust FILE.pem.`;
  if (intact) return `${what} is unchanged since it was signed, but one question stays open: ${reason}.`;
  return `Whether this ${KINDS[format]} can be relied on is not known: ${reason}.`;
}

/** Whose signature it is. */
export const nameOf = ({ person, signer }: SignatureReport): string => person ?? signer?.name ?? 'nobody';
