/** XAdES signatures in the eyes of xmlsec1, over XML of every shape; hostile XML; changed signatures. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { SignatureInvalid } from '../../../src/signatures/invalid.ts';
import { BadSignature } from '../../../src/signatures/verify.ts';
import { completeXades, prepareXades } from '../../../src/signatures/xades.ts';
import { verifyXades } from '../../../src/signatures/xades-verify.ts';
import { type XmlRefusalReason, XmlRefused } from '../../../src/signatures/xml/gate.ts';
import { documentWorker } from '../../support/documents.ts';
import { makePki } from '../../support/pades.ts';
import { personSigner, sealSigner, type TestSigner } from '../../support/signers.ts';
import { has, run } from '../../support/tools.ts';
import { opensslTs, pem } from '../02-pades/signed-file.ts';

const TIME = new Date('2026-11-24T14:03:09Z');
const SMALL = '<note>Hello</note>';

/** Everything that canonical XML treats in its own way. */
const SHAPES: Readonly<Record<string, string>> = {
  small: SMALL,
  'an empty root': '<note/>',
  'an empty root with blanks and attributes': '<a:note   xmlns:a="urn:a" x = "1"  />',
  'a declaration, comments and instructions around':
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- before --><?style a="b"?>\n<note>x</note>\n<!-- after </note> -->\n<?done?>\n',
  'an end tag with blanks': '<note>x</note \n>',
  namespaces:
    '<a:r xmlns:a="urn:a" xmlns:b="urn:b" xmlns:unused="urn:u"><b:x a:z="1" b:y="2" q="3"/><a:y xmlns:a="urn:other"/></a:r>',
  'default namespaces':
    '<r xmlns="urn:one"><x xmlns=""><y xmlns="urn:two"/></x><z xmlns="urn:one" xmlns:p="urn:one"><p:a/></z></r>',
  'the prefix ds for something else': '<ds:r xmlns:ds="urn:ours" xmlns:xades="urn:also"><ds:x xades:y="1"/></ds:r>',
  'XMLDSig as default namespace': '<r xmlns="http://www.w3.org/2000/09/xmldsig#"><Note/></r>',
  'the order of attributes':
    '<r xmlns:b="urn:a" xmlns:a="urn:b" z="1" a:a="2" b:z="3" a="4" A="5" xml:lang="fr" é="6"/>',
  'xml attributes on the root':
    '<r xml:lang="de" xml:space="preserve" xml:id="i" xml:base="http://x.example/">  <x/> </r>',
  whitespace: '<r>\n\t <x  a="1"\n b="2" />\n  text  \n</r>\n\n',
  'carriage returns': '<?xml version="1.0"?>\r\n<r a="x\r\ny">\r\n  one\r\n</r>\r\n',
  'escaped carriage returns': '<r a="&#13;&#10;&#9; &quot;&lt;>">&#13;&#xD;&gt;&lt;&amp;"</r>',
  CDATA: '<r><![CDATA[<not>&markup;]]><x><![CDATA[]]></x>a<![CDATA[]]]]><![CDATA[>]]></r>',
  'comments inside': '<r>one<!-- <r> </r> -->two<x><!----></x></r>',
  'instructions inside': '<r><?a?><?b  c ?><x/><?d e?f?></r>',
  'not only ASCII': '<été größe="ñ">日本語 🖋 \u0301 &#x1F58B;</été>',
  'a byte order mark': '\ufeff<r>x</r>',
  ids: '<r Id="a"><x id="b"/><x ID="c"/></r>',
  'single quotes': `<r a='"' b="'">it's</r>`,
  'deep nesting': `${'<d>'.repeat(190)}${'</d>'.repeat(190)}`,
  'many elements': `<r>${'<e a="1">t</e>\n'.repeat(5000)}</r>`,
  'an invoice':
    '<?xml version="1.0" encoding="utf-8"?>\n<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">\n  <cbc:ID>2026-1</cbc:ID>\n  <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">100.00</cbc:PayableAmount></cac:LegalMonetaryTotal>\n</Invoice>\n',
};

const folder = mkdtempSync('/tmp/signpost-xades-');
let worker: DocumentWorker;
let pki: LoadedPki;
let person: TestSigner;
let trust: string;
const readXades = (xml: Uint8Array) => worker.xades(xml);

beforeAll(async () => {
  worker = documentWorker();
  pki = await makePki('ecdsa-p256-sha256');
  person = await personSigner(pki);
  trust = pki.anchors.map(pem).join('');
  writeFileSync(join(folder, 'trust.pem'), trust);
});
afterAll(async () => {
  await worker.close();
  rmSync(folder, { recursive: true });
});

async function sign(text: string | Uint8Array, signer: TestSigner = person): Promise<Uint8Array> {
  const xml = typeof text === 'string' ? Buffer.from(text) : text;
  const prepared = prepareXades(await worker.xmlToSign(xml), { ...signer, signingTime: TIME });
  return completeXades(prepared, xml, await signer.sign(prepared.toBeSigned), { timestamps: pki.timestamps });
}

/** Verifies by the certificate in KeyInfo, up to our root. */
function xmlsec(xml: Uint8Array, anchor = join(folder, 'trust.pem')): { status: number; output: string } {
  const file = join(folder, 'signed.xml');
  writeFileSync(file, xml);
  return run('xmlsec1', [
    ...['--verify', '--id-attr:Id', 'http://uri.etsi.org/01903/v1.3.2#:SignedProperties'],
    ...['--enabled-key-data', 'x509', '--trusted-pem', anchor, file],
  ]);
}

describe('B3 XAdES B-T', () => {
  test.skipIf(!has('xmlsec1')).each(Object.keys(SHAPES))('xmlsec1 verifies it: %s', async name => {
    const signed = await sign(SHAPES[name]!);
    expect(xmlsec(signed)).toMatchObject({ status: 0 });
    const found = await verifyXades(signed, readXades);
    expect(Buffer.from(found.signer.der).equals(person.certificate)).toBe(true);
    expect(found).toMatchObject({ signingTime: TIME, hash: 'sha256' });
    expect(found.timestamps).toHaveLength(1);
  });

  test.skipIf(!has('xmlsec1'))('xmlsec1 refuses it when content, properties or root are others', async () => {
    const signed = Buffer.from(await sign(SMALL)).toString();
    for (const [from, to] of [
      ['Hello', 'Hallo'],
      ['2026-11-24T14:03:09Z', '2026-11-24T14:03:10Z'],
      ['application/xml', 'application/xxx'],
    ] as const)
      expect(xmlsec(Buffer.from(signed.replace(from, to))).status).not.toBe(0);
    const other = await makePki('ecdsa-p256-sha256');
    writeFileSync(join(folder, 'other.pem'), other.anchors.map(pem).join(''));
    expect(xmlsec(Buffer.from(signed), join(folder, 'other.pem')).status).not.toBe(0);
  });

  test.skipIf(!has('xmlsec1')).each(['ecdsa-p256-sha256', 'rsa-sha256'] as const)(
    'xmlsec1 verifies the seal, %s',
    async keys => {
      const company = await makePki(keys);
      writeFileSync(join(folder, 'company.pem'), company.anchors.map(pem).join(''));
      const signed = await sign(SHAPES['an invoice']!, sealSigner(company));
      expect(xmlsec(signed, join(folder, 'company.pem'))).toMatchObject({ status: 0 });
      await expect(verifyXades(signed, readXades)).resolves.toMatchObject({ hash: 'sha256' });
    },
  );

  test.skipIf(!has('openssl'))('openssl accepts the timestamp over the signature value', async () => {
    const { timestamps, timestamped } = await verifyXades(await sign(SMALL), readXades);
    expect(opensslTs(timestamps[0]!, timestamped, trust)).toMatchObject({
      status: 0,
      output: expect.stringContaining('Verification: OK'),
    });
    expect(Buffer.from(timestamped).toString()).toMatch(
      /^<ds:SignatureValue xmlns:ds="[^"]+" Id="[^"]+">[^<]+<\/ds:Sig/,
    );
  });

  test('the file stays as it was around the signature', async () => {
    for (const text of Object.values(SHAPES)) {
      const signed = Buffer.from(await sign(text)).toString();
      const rest = signed.replace(/<ds:Signature xmlns:ds="[^"]*" Id="signpost.*<\/ds:Signature>/s, '');
      const opened = text.replace(/\s*\/>$/, '');
      expect(rest === text || rest.startsWith(opened)).toBe(true);
    }
  });

  test('what is signed is the same for the same input, and belongs to one certificate', async () => {
    const xml = Buffer.from(SMALL);
    const file = await worker.xmlToSign(xml);
    const ask = { ...person, signingTime: TIME };
    expect(prepareXades(file, ask)).toEqual(prepareXades(file, ask));
    const other = await personSigner(pki, 'Max Mustermann');
    const prepared = prepareXades(file, ask);
    const options = { timestamps: pki.timestamps };
    await expect(completeXades(prepared, xml, await other.sign(prepared.toBeSigned), options)).rejects.toThrow(
      BadSignature,
    );
    const mixed = { ...(await other.sign(prepared.toBeSigned)), certificate: person.certificate };
    await expect(completeXades(prepared, xml, mixed, options)).rejects.toThrow(BadSignature);
  });
});

describe('XML that is not signed', () => {
  const CASES: readonly (readonly [string, string | Uint8Array, XmlRefusalReason])[] = [
    ['a DOCTYPE', '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', 'doctype'],
    [
      'a DOCTYPE after a comment',
      '<?xml version="1.0"?><!-- x --><!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
      'doctype',
    ],
    ['a DOCTYPE in lower case', '<!doctype r><r/>', 'doctype'],
    ['an external entity', '<r>&xxe;</r>', 'entity'],
    ['an entity in an attribute', '<r a="&xxe;"/>', 'entity'],
    ['UTF-16', Buffer.from('\ufeff<r/>', 'utf16le'), 'encoding'],
    ['another encoding declared', '<?xml version="1.0" encoding="ISO-8859-1"?><r/>', 'encoding'],
    ['UTF-7 declared', '<?xml version="1.0" encoding="UTF-7"?><r>+ADw-</r>', 'encoding'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x72, 0x3e, 0xe9, 0x3c, 0x2f, 0x72, 0x3e]), 'encoding'],
    ['XML 1.1', '<?xml version="1.1"?><r/>', 'version'],
    ['201 levels', `${'<d>'.repeat(201)}${'</d>'.repeat(201)}`, 'too-deep'],
    ['257 attributes', `<r ${Array.from({ length: 257 }, (_, i) => `a${i}=""`).join(' ')}/>`, 'too-many-attributes'],
    ['half a million elements', `<r>${'<e/>'.repeat(500_000)}</r>`, 'too-many-elements'],
    ['more than 20 MiB', Buffer.alloc(20 * 1024 * 1024 + 1, 32), 'too-big'],
    ['the same id twice', '<r Id="a"><x Id="a"/></r>', 'duplicate-id'],
    ['the same id by two names', '<r Id="a"><x xml:id=" a"/></r>', 'duplicate-id'],
    ['an id that begins as ours', '<r Id="signpost-xades-1"/>', 'duplicate-id'],
    ['an open element', '<r><x></r>', 'not-well-formed'],
    ['an attribute twice', '<r a="1" a="2"/>', 'not-well-formed'],
    ['an attribute twice by namespace', '<r xmlns:a="urn:a" xmlns:b="urn:a" a:x="" b:x=""/>', 'not-well-formed'],
    ['an undeclared prefix', '<a:r/>', 'not-well-formed'],
    ['two roots', '<r/><r/>', 'not-well-formed'],
    ['text after the root', '<r/>x', 'not-well-formed'],
    ['a relative namespace name', '<r xmlns="relative"/>', 'not-well-formed'],
    ['a control character', '<r>\u0001</r>', 'not-well-formed'],
    ['a NUL', '<r>\u0000</r>', 'not-well-formed'],
    ['a reference to a NUL', '<r>&#0;</r>', 'not-well-formed'],
    ['no XML', 'Hello', 'not-well-formed'],
    ['nothing', '', 'not-well-formed'],
  ];

  test.each(CASES)('%s', async (_, text, reason) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    await expect(worker.xmlToSign(bytes)).rejects.toMatchObject({ name: 'XmlRefused', reason });
    await expect(worker.xades(bytes)).rejects.toBeInstanceOf(Error);
  });

  test('a signed file', async () => {
    await expect(sign(await sign(SMALL))).rejects.toMatchObject({ reason: 'already-signed' });
  });
});

describe('verification of XAdES', () => {
  async function outcome(xml: Uint8Array | string): Promise<string> {
    try {
      const found = await verifyXades(typeof xml === 'string' ? Buffer.from(xml) : xml, readXades);
      return Buffer.from(found.content).toString();
    } catch (error) {
      if (error instanceof SignatureInvalid) return error.subIndication;
      if (error instanceof XmlRefused) return error.reason;
      throw error;
    }
  }

  test('returns the canonical octets that are signed', async () => {
    expect(await outcome(await sign('<r  b="2" a="1"><!-- no --><x/></r>'))).toBe('<r a="1" b="2"><x></x></r>');
  });

  test('signature wrapping, other references and transforms are refused', async () => {
    const signed = Buffer.from(await sign('<r><pay Id="p">1</pay></r>')).toString();
    const [signature] = /<ds:Signature .*<\/ds:Signature>/s.exec(signed)!;
    const cases: readonly (readonly [string, string])[] = [
      // The signed document moved into a corner, another in its place.
      [`<r><pay>2</pay><old>${signed}</old></r>`, 'HASH_FAILURE'],
      [`<r><pay>2</pay>${signature}</r>`, 'HASH_FAILURE'],
      [signed.replace('</r>', `${signature}</r>`), 'duplicate-id'],
      [signed.replace('</r>', `${signature.replace(/signpost-xades-/g, 'other-')}</r>`), 'SIG_CONSTRAINTS_FAILURE'],
      [signature, 'SIG_CONSTRAINTS_FAILURE'],
      [signed.replace('URI=""', 'URI="#p"'), 'SIG_CONSTRAINTS_FAILURE'],
      [signed.replace('URI="#signpost', 'URI="#p" x="'), 'SIG_CONSTRAINTS_FAILURE'],
      [signed.replace(/ Type="[^"]*"/, ''), 'SIG_CONSTRAINTS_FAILURE'],
      [
        signed.replace(
          '</ds:Transforms>',
          '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>false()</ds:XPath></ds:Transform></ds:Transforms>',
        ),
        'SIG_CONSTRAINTS_FAILURE',
      ],
      [signed.replace(/<ds:Reference Type.*?<\/ds:Reference>/s, ''), 'FORMAT_FAILURE'],
      [signed.replace('</ds:SignedInfo>', '<ds:Reference URI=""/></ds:SignedInfo>'), 'FORMAT_FAILURE'],
      [signed.replace('xmldsig-more#ecdsa-sha256', 'xmldsig-more#hmac-sha256'), 'CRYPTO_CONSTRAINTS_FAILURE'],
      [signed.replace('xmldsig-more#ecdsa-sha256', 'xmldsig-more#rsa-sha256'), 'CRYPTO_CONSTRAINTS_FAILURE'],
      [signed.replace(/xmlenc#sha256/g, 'xmldsig#sha1'), 'CRYPTO_CONSTRAINTS_FAILURE'],
      [signed.replace(/<ds:X509Certificate>.*?<\/ds:X509Certificate>/s, ''), 'NO_SIGNING_CERTIFICATE_FOUND'],
      [signed.replace(/<xades:SigningCertificateV2>.*?<\/xades:SigningCertificateV2>/s, ''), 'SIG_CONSTRAINTS_FAILURE'],
      [signed.replace('<pay Id="p">1', '<pay Id="p">2'), 'HASH_FAILURE'],
      [signed.replace('14:03:09Z', '14:03:10Z'), 'HASH_FAILURE'],
      [signed.replace(/(<ds:SignatureValue[^>]*>)./, '$1='), 'FORMAT_FAILURE'],
      [signed.replace(/<ds:Signature .*<\/ds:Signature>/s, ''), 'FORMAT_FAILURE'],
    ];
    for (const [changed, expected] of cases) {
      expect(changed).not.toBe(signed);
      expect([await outcome(changed), changed]).toEqual([expected, changed]);
    }
  });

  test.skipIf(!has('xmlsec1'))('a signature made by xmlsec1, with namespaces declared further up, holds', async () => {
    const template = Buffer.from(await sign('<r xmlns:q="urn:q"><q:x/></r>'))
      .toString()
      .replace(/ xmlns:ds="[^"]*"/g, '')
      .replace(/ xmlns:xades="[^"]*"/g, '')
      .replace(
        '<r ',
        '<r xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ',
      )
      .replace(/(<ds:Reference .*?<ds:DigestValue>)[^<]*/gs, '$1')
      .replace(/(<ds:SignatureValue[^>]*>)[^<]*/, '$1');
    const { privateKey, certificate } = selfSigned();
    const der = readFileSync(certificate);
    const withCertificate = template
      .replace(
        /<ds:X509Certificate>.*<\/ds:X509Certificate>/s,
        `<ds:X509Certificate>${der.toString('base64')}</ds:X509Certificate>`,
      )
      .replace(
        /(<xades:CertDigest>.*?<ds:DigestValue>)[^<]*/s,
        `$1${createHash('sha256').update(der).digest('base64')}`,
      );
    const file = join(folder, 'template.xml');
    writeFileSync(file, withCertificate);
    const made = run('xmlsec1', [
      ...['--sign', '--id-attr:Id', 'http://uri.etsi.org/01903/v1.3.2#:SignedProperties'],
      ...['--privkey-pem', privateKey, '--output', join(folder, 'made.xml'), file],
    ]);
    expect(made).toMatchObject({ status: 0 });
    const xml = readFileSync(join(folder, 'made.xml'));
    expect(await outcome(xml)).toBe('<r><q:x xmlns:q="urn:q"></q:x></r>');
    expect(await outcome(xml.toString().replace('<q:x/>', '<q:y/>'))).toBe('HASH_FAILURE');
  });

  test('B4 no flipped bit changes what is found to be signed', async () => {
    const signed = await sign('<r xmlns:a="urn:a"><a:x y="1">text</a:x></r>');
    const good = await outcome(signed);
    const length = Buffer.from(signed).indexOf('<ds:KeyInfo>');
    for (let at = 0; at < length; at += 3) {
      const changed = Uint8Array.from(signed);
      changed[at]! ^= 1 << (at % 7);
      const found = await outcome(changed);
      expect([at, found === good || /^[A-Z_]+$|^[a-z-]+$/.test(found)]).toEqual([at, true]);
    }
  });
});

/** A P-256 key and a certificate of its own, made by openssl. */
function selfSigned(): { privateKey: string; certificate: string } {
  const privateKey = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.der');
  const { status } = run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=Someone'],
    ...['-keyout', privateKey, '-out', certificate, '-outform', 'DER'],
  ]);
  if (status !== 0) throw new Error('openssl makes no certificate');
  return { privateKey, certificate };
}
