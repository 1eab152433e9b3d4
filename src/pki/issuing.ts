/** What the configuration has a CA put into the certificates that it issues. */
import type { Config } from '../config/schema.ts';
import { type Company, type Issuer, type IssuerUrls, servedUrls } from './profiles.ts';
import type { Certificate } from './x509.ts';

/** `certificates` may be left out, in whole or in part: then the defaults count. */
export type IssuingConfig = Pick<Config, 'company' | 'publicUrl'> & {
  readonly certificates?: Partial<Config['certificates']>;
};

export function companyOf({ company, certificates }: IssuingConfig): Company {
  return {
    ...company,
    name: certificates?.organization ?? company.name,
    identifier: certificates?.organizationIdentifier ?? null,
  };
}

/** @param name what URLs call the CA */
export function urlsOf({ publicUrl, certificates }: IssuingConfig, name: string): IssuerUrls {
  const served = servedUrls(publicUrl, name);
  const { ocsp, crl, ca } = certificates?.urls ?? {};
  return {
    ocsp: ocsp ?? served.ocsp,
    crl: crl?.replaceAll('{ca}', name) ?? served.crl,
    ca: ca?.replaceAll('{ca}', name) ?? served.ca,
  };
}

/** A CA as its profiles take it. */
export function issuerOf(config: IssuingConfig, certificate: Certificate, name: string): Issuer {
  const policies = config.certificates?.policies;
  return { certificate, publicUrl: config.publicUrl, urls: urlsOf(config, name), ...(policies && { policies }) };
}
