/**
 * What a certificate must be for its use, beside having a valid path: who may sign, seal, stamp, and answer for others.
 * Each returns what is wrong, or null.
 */
import { DerError } from '../der.ts';
import { KEY_USAGE } from '../extensions.ts';
import { OID } from '../oids.ts';
import { type PathCertificate, parsePathCertificate } from './certificate.ts';
import { sameName } from './name.ts';
import { CURRENT_ALGORITHMS, signatureFault, usableKey } from './signature.ts';

export interface ProfileFault {
  readonly rule: 'malformed' | 'ca' | 'key-usage' | 'purpose' | 'subject' | 'issuer' | 'validity' | 'revocation';
  readonly message: string;
}

/** RFC 9336 and what came before it: for documents, for mail, for anything, and Adobe's and Microsoft's for documents. */
const SIGNING_PURPOSES = new Set<string>([
  OID.documentSigning,
  OID.emailProtection,
  '2.5.29.37.0',
  '1.2.840.113583.1.1.5',
  '1.3.6.1.4.1.311.10.3.12',
]);
const SIGNING_USAGES = new Set<number>([KEY_USAGE.digitalSignature, KEY_USAGE.nonRepudiation]);

interface HasDer {
  readonly der: Uint8Array;
}

/** Signs documents (EN 319 412-2 §4.3.2, RFC 9336): no CA, a key for signing, and where purposes are named, one of documents. */
export function signerFault(certificate: HasDer): ProfileFault | null {
  return judge(certificate, signerRules);
}

/** Seals documents: the same for a legal person (EN 319 412-3 §4.2.1), who has an organisation and no first or last name. */
export function sealFault(certificate: HasDer): ProfileFault | null {
  return judge(certificate, one => {
    const { types } = one.subject;
    if (!types.has(OID.organizationName) || types.has(OID.surname) || types.has(OID.givenName))
      return fault('subject', 'a seal belongs to an organisation');
    return signerRules(one);
  });
}

/** Signs timestamps (RFC 3161 §2.3, EN 319 422 §6): timeStamping as the one purpose, critical; a key that does nothing but sign. */
export function timestampFault(certificate: HasDer): ProfileFault | null {
  return judge(certificate, ({ isCa, purposes, keyUsage }) => {
    if (isCa) return fault('ca', 'a CA signs no timestamps');
    if (!purposes?.critical || purposes.oids.size !== 1 || !purposes.oids.has(OID.timeStamping))
      return fault('purpose', 'the signer is not a timestamp authority');
    if (keyUsage && (keyUsage.size === 0 || !keyUsage.isSubsetOf(SIGNING_USAGES)))
      return fault('key-usage', "the signer's key is not for signing alone");
    return null;
  });
}

/**
 * Signs OCSP answers about certificates of `issuer` (RFC 6960 §4.2.2.2): the issuer's own certificate, or one that it issued
 * itself for that purpose and marked as never revoked (§4.2.2.2.1); else its own revocation would have to be looked up.
 * @param time of the answer
 */
export function ocspResponderFault(certificate: HasDer, issuer: HasDer, time: Date): ProfileFault | null {
  if (Buffer.compare(certificate.der, issuer.der) === 0) return null;
  return judge(certificate, responder => {
    const authority = parsePathCertificate(issuer.der);
    const key = usableKey(authority.keyInfo, CURRENT_ALGORITHMS);
    if (!sameName(responder.issuer, authority.subject) || !key || signatureFault(responder, key, CURRENT_ALGORITHMS))
      return fault('issuer', 'the responder has another issuer');
    if (!responder.purposes?.oids.has(OID.ocspSigning))
      return fault('purpose', 'its issuer did not name it a responder');
    if (!(responder.keyUsage?.has(KEY_USAGE.digitalSignature) ?? true))
      return fault('key-usage', "the responder's key is not for signing");
    if (responder.unknownCritical) return fault('purpose', `unknown critical extension ${responder.unknownCritical}`);
    if (time < responder.notBefore || time > responder.notAfter)
      return fault('validity', "the responder's certificate was out of its validity");
    return responder.ocspNoCheck ? null : fault('revocation', 'whether the responder is revoked is not known');
  });
}

function signerRules({ isCa, keyUsage, purposes }: PathCertificate): ProfileFault | null {
  if (isCa) return fault('ca', 'a CA signs no documents');
  if (keyUsage?.isDisjointFrom(SIGNING_USAGES)) return fault('key-usage', "the signer's key is not for signing");
  if (purposes?.oids.isDisjointFrom(SIGNING_PURPOSES))
    return fault('purpose', "the signer's certificate is not for signing documents");
  return null;
}

const fault = (rule: ProfileFault['rule'], message: string): ProfileFault => ({ rule, message });

function judge({ der }: HasDer, rules: (certificate: PathCertificate) => ProfileFault | null): ProfileFault | null {
  try {
    return rules(parsePathCertificate(der));
  } catch (error) {
    if (error instanceof DerError) return fault('malformed', `a certificate can't be read: ${error.message}`);
    throw error;
  }
}
