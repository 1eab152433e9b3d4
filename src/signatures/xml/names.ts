/** Names of XML signatures: XMLDSig, its algorithms (RFC 9231), XAdES (ETSI EN 319 132-1). */
import type { Hash } from '../../pki/algorithms.ts';
import type { SignatureAlgorithm } from '../../pki/pki.ts';

export const DS = 'http://www.w3.org/2000/09/xmldsig#';
export const XADES = 'http://uri.etsi.org/01903/v1.3.2#';
export const EXCLUSIVE_C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#';
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
export const SIGNED_PROPERTIES = 'http://uri.etsi.org/01903#SignedProperties';
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';

/** Digest methods that are strong enough. */
export const DIGESTS: ReadonlyMap<string, Hash> = new Map([
  [SHA256, 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
]);

export const SIGNATURE_METHODS: Readonly<Record<SignatureAlgorithm, string>> = {
  'ecdsa-p256-sha256': 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
  'ecdsa-p384-sha256': 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
  'rsa-sha256': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
};

/** Signature methods that are accepted. */
export const SIGNATURES: ReadonlyMap<string, { readonly key: 'ec' | 'rsa'; readonly hash: Hash }> = new Map(
  (['ec', 'rsa'] as const).flatMap(key =>
    (['sha256', 'sha384', 'sha512'] as const).map(
      hash =>
        [`http://www.w3.org/2001/04/xmldsig-more#${key === 'ec' ? 'ecdsa' : key}-${hash}`, { key, hash }] as const,
    ),
  ),
);
