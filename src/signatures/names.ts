/** Names in certificates, as people read them. */
import { Certificate } from 'pkijs';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

/** The issuer in short: its common name, else its organization. @param certificate DER */
export function issuerName(certificate: Uint8Array): string {
  const entries = Certificate.fromBER(new Uint8Array(certificate)).issuer.typesAndValues;
  const entry = entries.find(({ type }) => type === COMMON_NAME) ?? entries.find(({ type }) => type === ORGANIZATION);
  return entry === undefined ? '' : String(entry.value.valueBlock.value);
}
