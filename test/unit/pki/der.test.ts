import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsOf, booleanOf, DerError, der, Fields, integerOf, oidOf, read, TAG, timeOf } from '../../../src/pki/der.ts';
import { namedBits } from '../../../src/pki/path/primitives.ts';
import { has, run } from '../../support/tools.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const first = (input: Uint8Array) => new Fields(input).any();

describe('DER reader', () => {
  it.each([
    ['indefinite length', '30 80 00 00'],
    ['padded length', '30 81 02 05 00'],
    ['length of five octets', '30 85 00 00 00 00 02 05 00'],
    ['longer than the input', '30 03 05 00'],
    ['no length', '30'],
    ['nothing', ''],
    ['trailing bytes', '30 02 05 00 00'],
    ['high tag number', '3f 22 00'],
  ])('refuses %s', (_, input) => {
    expect(() => read(bytes(input), TAG.sequence)).toThrow(DerError);
  });

  it.each([
    ['padded INTEGER', '02 02 00 01', integerOf],
    ['negative INTEGER', '02 01 ff', integerOf],
    ['empty INTEGER', '02 00', integerOf],
    ['BOOLEAN 1', '01 01 01', booleanOf],
    ['BIT STRING with unused bits', '03 02 01 02', bitsOf],
    ['padded OID arc', '06 03 2a 80 01', oidOf],
    ['OID cut short', '06 02 2a 86', oidOf],
    ['31 February', `17 0d ${Buffer.from('260231000000Z').toString('hex')}`, timeOf],
    ['local time', `17 0c ${Buffer.from('260131000000').toString('hex')}`, timeOf],
    ['time with trailing zeros', `18 12 ${Buffer.from('20260131000000.10Z').toString('hex')}`, timeOf],
  ])('refuses %s', (_, input, decode: (element: ReturnType<typeof first>) => unknown) => {
    expect(() => decode(first(bytes(input)))).toThrow(DerError);
  });

  it('never fails otherwise than with DerError, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), input => {
        try {
          const fields = new Fields(input);
          while (!fields.done) oidOf(fields.any());
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

describe('DER writer', () => {
  it('is read back to the same values', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 1n << 160n }),
        fc.array(fc.nat(0xffffffff), { maxLength: 8 }),
        fc.uint8Array({ maxLength: 70_000, size: 'max' }),
        (number, arcs, content) => {
          const oid = ['2.5', ...arcs].join('.');
          const fields = read(
            der.sequence(der.integer(number.toString(16)), der.oid(oid), der.octetString(content)),
            TAG.sequence,
          );
          const inner = new Fields(fields.content);
          expect(integerOf(inner.any())).toBe(number.toString(16));
          expect(oidOf(inner.any())).toBe(oid);
          expect(Buffer.from(inner.any().content).equals(content)).toBe(true);
          inner.finish();
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it('writes times around 2050 as RFC 5280 says', () => {
    for (const iso of ['1999-12-31T23:59:59.000Z', '2049-12-31T23:59:59.000Z', '2050-01-01T00:00:00.000Z']) {
      const encoded = first(der.time(new Date(iso)));
      expect(timeOf(encoded).toISOString()).toBe(iso);
      expect(encoded.tag).toBe(iso < '2050' ? TAG.utcTime : TAG.generalizedTime);
    }
  });

  it('writes named bits without trailing zeros', () => {
    expect(Buffer.from(der.flags(0, 1)).toString('hex')).toBe('030206c0');
    expect([...namedBits(first(der.flags(5, 6)).content)]).toEqual([5, 6]);
  });

  it.skipIf(!has('openssl'))('is what openssl asn1parse reads', () => {
    const encoded = der.sequence(
      der.integer('ff00'),
      der.oid('1.2.840.113549.1.7.2'),
      der.utf8String('Zoë'),
      der.generalizedTime(new Date('2026-01-02T03:04:05Z')),
      der.constructed(0, der.boolean(true)),
    );
    const { status, output } = run('openssl', ['asn1parse', '-inform', 'DER'], encoded);
    expect(status).toBe(0);
    expect(output).toMatch(/INTEGER +:FF00/);
    expect(output).toMatch(/pkcs7-signedData/);
    expect(output).toMatch(/GENERALIZEDTIME +:20260102030405Z/);
    expect(output).toMatch(/cont \[ 0 \]/);
    expect(output).toMatch(/BOOLEAN +:255/);
  });
});
