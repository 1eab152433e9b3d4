import { describe, expect, it } from 'vitest';
import { der } from '../../../../src/pki/der.ts';
import { basicConstraints, extendedKeyUsage, extension, KEY_USAGE, keyUsage } from '../../../../src/pki/extensions.ts';
import { distinguishedName } from '../../../../src/pki/names.ts';
import { OID } from '../../../../src/pki/oids.ts';
import { ocspResponderFault, sealFault, signerFault, timestampFault } from '../../../../src/pki/path/profiles.ts';
import { CA, certificate, days, key, type Made, NOW, name } from './support.ts';

const { digitalSignature, nonRepudiation, keyCertSign } = KEY_USAGE;
const KEY_ENCIPHERMENT = 2;
const PERSON = distinguishedName(['organizationName', 'Company'], ['surname', 'Doe'], ['commonName', 'John Doe']);
const COMPANY = distinguishedName(['organizationName', 'Company'], ['commonName', 'Seal']);
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

const made = (extensions: readonly Uint8Array[], subject = PERSON): Made =>
  certificate({ subject, issuer: name('ca'), key: key(1), signer: key(0), extensions });

type Case = readonly [string, readonly Uint8Array[], string | null];

const SIGNERS: readonly Case[] = [
  ['nothing said', [], null],
  ['non-repudiation for documents', [keyUsage(nonRepudiation), extendedKeyUsage([OID.documentSigning])], null],
  [
    'a signature for mail and more',
    [keyUsage(digitalSignature), extendedKeyUsage([SERVER_AUTH, OID.emailProtection])],
    null,
  ],
  ['a CA', CA, 'ca'],
  ['a key to encrypt', [keyUsage(KEY_ENCIPHERMENT)], 'key-usage'],
  ['a key for certificates', [basicConstraints(null), keyUsage(keyCertSign)], 'key-usage'],
  ['a web server', [keyUsage(digitalSignature), extendedKeyUsage([SERVER_AUTH])], 'purpose'],
  ['timestamps', [extendedKeyUsage([OID.timeStamping], true)], 'purpose'],
];

describe('profiles', () => {
  it.each(SIGNERS)('of a signer: %s', (_, extensions, rule) => {
    expect(signerFault(made(extensions))?.rule ?? null).toBe(rule);
  });

  it.each(SIGNERS)('of a seal, which is a signer of an organisation: %s', (_, extensions, rule) => {
    expect(sealFault(made(extensions, COMPANY))?.rule ?? null).toBe(rule);
    expect(sealFault(made(extensions, PERSON))?.rule).toBe('subject');
    expect(sealFault(made(extensions, name('nobody')))?.rule).toBe('subject');
  });

  it.each<Case>([
    ['critical, alone', [keyUsage(digitalSignature), extendedKeyUsage([OID.timeStamping], true)], null],
    ['without key usage', [extendedKeyUsage([OID.timeStamping], true)], null],
    ['not critical', [extendedKeyUsage([OID.timeStamping])], 'purpose'],
    ['with another purpose', [extendedKeyUsage([OID.timeStamping, OID.emailProtection], true)], 'purpose'],
    ['without any purpose', [keyUsage(digitalSignature)], 'purpose'],
    ['for anything', [extendedKeyUsage(['2.5.29.37.0'], true)], 'purpose'],
    [
      'a key for more',
      [keyUsage(digitalSignature, KEY_ENCIPHERMENT), extendedKeyUsage([OID.timeStamping], true)],
      'key-usage',
    ],
    ['a CA', [...CA, extendedKeyUsage([OID.timeStamping], true)], 'ca'],
  ])('of a timestamp authority: %s', (_, extensions, rule) => {
    expect(timestampFault(made(extensions, COMPANY))?.rule ?? null).toBe(rule);
  });

  const ISSUER = certificate({
    subject: name('ca'),
    issuer: name('root'),
    key: key(0),
    signer: key(3),
    extensions: CA,
  });
  const NO_CHECK = extension(OID.ocspNoCheck, der.null);
  const RESPONDER = [keyUsage(digitalSignature), extendedKeyUsage([OID.ocspSigning]), NO_CHECK];

  it.each<Case>([
    ['named and marked', RESPONDER, null],
    ['not named', [keyUsage(digitalSignature), NO_CHECK], 'purpose'],
    ['for anything, which names nobody', [extendedKeyUsage(['2.5.29.37.0']), NO_CHECK], 'purpose'],
    ['a key to encrypt', [keyUsage(KEY_ENCIPHERMENT), extendedKeyUsage([OID.ocspSigning]), NO_CHECK], 'key-usage'],
    ['not marked', [extendedKeyUsage([OID.ocspSigning])], 'revocation'],
    ['with a critical extension that nobody knows', [...RESPONDER, extension('1.2.3', der.null, true)], 'purpose'],
  ])('of an OCSP responder: %s', (_, extensions, rule) => {
    expect(ocspResponderFault(made(extensions), ISSUER, NOW)?.rule ?? null).toBe(rule);
  });

  it('of an OCSP responder: the issuer itself, or issued by it and in date', () => {
    expect(ocspResponderFault(ISSUER, ISSUER, NOW)).toBeNull();
    expect(ocspResponderFault(made(RESPONDER), ISSUER, days(3))?.rule).toBe('validity');
    const by = (issuer: Uint8Array, signer: number) =>
      ocspResponderFault(
        certificate({ subject: PERSON, issuer, key: key(1), signer: key(signer), extensions: RESPONDER }),
        ISSUER,
        NOW,
      )?.rule;
    expect(by(name('CA'), 0)).toBeUndefined();
    expect(by(name('ca'), 2)).toBe('issuer');
    expect(by(name('root'), 0)).toBe('issuer');
  });

  it('of what is no certificate', () => {
    for (const profile of [signerFault, sealFault, timestampFault]) {
      expect(profile({ der: der.sequence() })?.rule).toBe('malformed');
    }
  });
});
