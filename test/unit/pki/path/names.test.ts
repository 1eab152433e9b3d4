import { describe, expect, it } from 'vitest';
import { der, read, TAG } from '../../../../src/pki/der.ts';
import { isWithin, type Name, parseName, sameName } from '../../../../src/pki/path/name.ts';

const utf8 = der.utf8String;
const printable = der.printableString;
const bmp = (text: string) => der.retag(0x1e, der.octetString(Buffer.from(text, 'utf16le').swap16()));
const universal = (text: string) =>
  der.retag(
    0x1c,
    der.octetString(
      Buffer.concat(
        Array.from(text, one => {
          const unit = Buffer.alloc(4);
          unit.writeUInt32BE(one.codePointAt(0)!);
          return unit;
        }),
      ),
    ),
  );
const teletex = (text: string) => der.retag(0x14, der.octetString(Buffer.from(text, 'latin1')));

const attribute = (value: Uint8Array, type = '2.5.4.3') => der.sequence(der.oid(type), value);
const rdns = (...sets: readonly (readonly Uint8Array[])[]): Name =>
  parseName(der.sequence(...sets.map(set => der.set(...set))));
const one = (value: Uint8Array): Name => rdns([attribute(value)]);

describe('names (RFC 5280 §7.1)', () => {
  it.each<[string, Uint8Array, Uint8Array]>([
    ['letter case', printable('Good CA'), printable('gOOD ca')],
    ['white space at the ends and in rows', printable('  Good   CA '), printable('Good CA')],
    ['PrintableString and UTF8String', printable('Good CA'), utf8('Good CA')],
    ['BMPString and UTF8String', bmp('Société'), utf8('société')],
    ['UniversalString and UTF8String', universal('Société 𝒳'), utf8('SOCIÉTÉ 𝒳')],
    ['composed and decomposed letters', utf8('é'), utf8('e\u0301')],
    ['sharp s, small and capital', utf8('Straße'), utf8('STRASSE')],
    ['capital sharp s', utf8('STRAẞE'), utf8('strasse')],
    ['sigma at the end', utf8('ΟΔΟΣ'), utf8('οδος')],
    ['full width letters', utf8('ＣＡ'), utf8('CA')],
    ['soft hyphens and zero width joiners', utf8('Go\u00adod\u200d CA'), utf8('Good CA')],
    ['no-break spaces and tabs', utf8('Good\u00a0\t CA'), utf8('Good CA')],
  ])('are the same but for %s', (_, a, b) => {
    expect(sameName(one(a), one(b))).toBe(true);
  });

  it.each<[string, Name, Name]>([
    ['another letter', one(utf8('Good CA')), one(utf8('Good CB'))],
    ['an accent', one(utf8('Societe')), one(utf8('Société'))],
    ['dotless i', one(utf8('ı')), one(utf8('i'))],
    ['a space within', one(utf8('GoodCA')), one(utf8('Good CA'))],
    ['the type of attribute', one(utf8('x')), rdns([attribute(utf8('x'), '2.5.4.10')])],
    [
      'the order of RDNs',
      rdns([attribute(utf8('a'))], [attribute(utf8('b'))]),
      rdns([attribute(utf8('b'))], [attribute(utf8('a'))]),
    ],
    [
      'one RDN of two or two RDNs',
      rdns([attribute(utf8('a')), attribute(utf8('b'))]),
      rdns([attribute(utf8('a'))], [attribute(utf8('b'))]),
    ],
    ['an RDN more', rdns([attribute(utf8('a'))], [attribute(utf8('b'))]), one(utf8('a'))],
    ['TeletexString, which is compared as bytes', one(teletex('Good CA')), one(utf8('Good CA'))],
    ['case in a TeletexString', one(teletex('Good CA')), one(teletex('good ca'))],
    ['text that looks like a separator', one(utf8('a","b')), rdns([attribute(utf8('a'))], [attribute(utf8('b'))])],
  ])('differ by %s', (_, a, b) => {
    expect(sameName(a, b)).toBe(false);
  });

  it('compare the attributes of an RDN in any order', () => {
    const [a, b] = [attribute(utf8('a')), attribute(utf8('b'), '2.5.4.10')];
    const disordered = (...set: Uint8Array[]) => parseName(der.sequence(der.retag(TAG.set, der.sequence(...set))));
    expect(sameName(disordered(a, b), disordered(b, a))).toBe(true);
  });

  it('are within a name that they begin with', () => {
    const [short, long] = [one(utf8('a')), rdns([attribute(printable(' A'))], [attribute(utf8('b'))])];
    expect(isWithin(long, short)).toBe(true);
    expect(isWithin(short, long)).toBe(false);
    expect(isWithin(short, parseName(der.sequence()))).toBe(true);
  });

  it.each<[string, Uint8Array]>([
    ['broken UTF-8', utf8('xx').fill(0xff, 2)],
    ['eight bits in a PrintableString', printable('é')],
    ['half a character', der.retag(0x1e, der.octetString(Uint8Array.of(1)))],
    ['beyond Unicode', der.retag(0x1c, der.octetString(Uint8Array.of(0, 0x11, 0, 0)))],
  ])('with %s are refused', (_, value) => {
    expect(() => one(value)).toThrow();
    expect(() => read(value, value[0]!)).not.toThrow();
  });
});
