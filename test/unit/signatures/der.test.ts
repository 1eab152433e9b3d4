import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DerError, encode, readChildren, readDer, readOid } from '../../../src/client/der.ts';
import { has, run } from '../../support/tools.ts';

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'));

describe('DER', () => {
  test.each([
    ['a length that is not the shortest', '30 81 01 00'],
    ['a long length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`],
    ['an indefinite length', '30 80 00 00'],
    ['a tag number above 30', '1f 1f 00'],
    ['an early end', '30 03 02 01'],
    ['octets after the value', '05 00 00'],
    ['a length of five octets', '04 85 00 00 00 00 01 00'],
    ['nothing', ''],
  ])('refuses %s', (_, bytes) => {
    expect(() => readDer(hex(bytes))).toThrow(DerError);
  });

  test('of random octets is read or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        try {
          const node = readDer(bytes);
          if (node.tag === 0x30) readChildren(node);
          if (node.tag === 0x06) readOid(node);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
    );
  });

  test('object identifiers are read as they were written', () => {
    const arc = fc.integer({ min: 0, max: 2 ** 31 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 0, max: 39 }),
        fc.array(arc),
        (top, second, rest) => {
          const dotted = [top, second, ...rest].join('.');
          expect(readOid(readDer(encode.oid(dotted)))).toBe(dotted);
        },
      ),
    );
  });

  test('a SET OF is sorted, integers are positive and short', () => {
    expect(encode.set(hex('0202 0100'), hex('0201 05'), hex('0101 ff'))).toEqual(hex('310a 0101ff 020105 02020100'));
    expect(encode.integer(hex('00 00 80'))).toEqual(hex('02 02 00 80'));
    expect(encode.integer(0)).toEqual(hex('02 01 00'));
    expect(encode.integer(65537)).toEqual(hex('02 03 01 00 01'));
  });

  test.skipIf(!has('openssl'))('openssl reads what is written', () => {
    const value = encode.seq(
      encode.oid('1.2.840.113549.1.9.16.2.47'),
      encode.utf8String('Zoë'),
      encode.octetString(new Uint8Array(300)),
      encode.bitString(hex('ff')),
      encode.boolean(true),
      encode.nullValue(),
      encode.contextTag(0, encode.integer(1)),
    );
    const { status, output } = run('openssl', ['asn1parse', '-inform', 'DER'], value);
    expect(status).toBe(0);
    for (const expected of ['id-smime-aa-signingCertificateV2', 'UTF8STRING        :Zoë', 'cont [ 0 ]', 'BOOLEAN']) {
      expect(output).toContain(expected);
    }
  });
});
