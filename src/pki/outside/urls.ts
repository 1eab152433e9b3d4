/** Where a certificate says that its status can be asked for: AIA (RFC 5280 §4.2.2.1) and CRL distribution points (§4.2.1.13). */
import { DerError, Fields, oidOf, read, TAG } from '../der.ts';
import { OID } from '../oids.ts';
import { ALL_REASONS, parseDistributionPoints } from '../path/distribution-point.ts';
import { type GeneralName, parseGeneralName } from '../path/general-name.ts';
import type { Certificate } from '../x509.ts';

/** Nobody needs more places; a hostile certificate could name thousands. */
const MOST = 4;

export interface StatusUrls {
  readonly ocsp: readonly string[];
  readonly crl: readonly string[];
}

/** Only http and https; what can't be read names nothing. */
export function statusUrls(certificate: Pick<Certificate, 'extensions'>): StatusUrls {
  return { ocsp: tolerant(() => ocspUrls(certificate)), crl: tolerant(() => crlUrls(certificate)) };
}

function ocspUrls({ extensions }: Pick<Certificate, 'extensions'>): string[] {
  const access = extensions.get(OID.authorityInfoAccess);
  if (!access) return [];
  const list = new Fields(read(access.value, TAG.sequence).content);
  const urls: string[] = [];
  while (!list.done) {
    const description = list.sequence();
    const method = oidOf(description.next(TAG.oid));
    const place = parseGeneralName(description.any());
    description.finish();
    if (method === OID.ocsp) urls.push(...webUrls([place]));
  }
  return urls.slice(0, MOST);
}

/** Of points that are about every reason and that the issuer itself fills: the others need more than one CRL. */
function crlUrls({ extensions }: Pick<Certificate, 'extensions'>): string[] {
  const points = extensions.get(OID.crlDistributionPoints);
  if (!points) return [];
  return parseDistributionPoints(points.value)
    .filter(({ reasons, crlIssuer }) => crlIssuer === null && ALL_REASONS.isSubsetOf(reasons))
    .flatMap(({ name }) => (name && 'full' in name ? webUrls(name.full) : []))
    .slice(0, MOST);
}

function webUrls(names: readonly GeneralName[]): string[] {
  return names.flatMap(name => (name.kind === 'uri' && /^https?:\/\//i.test(name.text) ? [name.text] : []));
}

function tolerant(work: () => string[]): string[] {
  try {
    return work();
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}
