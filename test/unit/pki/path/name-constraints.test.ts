import { describe, expect, it } from 'vitest';
import { der } from '../../../../src/pki/der.ts';
import { extension } from '../../../../src/pki/extensions.ts';
import { distinguishedName } from '../../../../src/pki/names.ts';
import { OID } from '../../../../src/pki/oids.ts';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { CA, certificate, key, NOW, name } from './support.ts';

const ascii = (tag: number, text: string) => der.primitive(tag, Buffer.from(text, 'latin1'));
const mail = (text: string) => ascii(1, text);
const dns = (text: string) => ascii(2, text);
const uri = (text: string) => ascii(6, text);
const ip = (...octets: readonly number[]) => der.primitive(7, Uint8Array.from(octets));
const directory = (dn: Uint8Array) => der.constructed(4, dn);
const utf8Mail = (text: string) =>
  der.constructed(0, der.oid(OID.smtpUtf8Mailbox), der.constructed(0, der.utf8String(text)));
const registered = (oid: string) => der.retag(0x88, der.oid(oid));
const principal = der.constructed(0, der.oid('1.3.6.1.4.1.311.20.2.3'), der.constructed(0, der.utf8String('x@y')));
const organisation = (text: string) => distinguishedName(['organizationName', text]);
const person = distinguishedName(['organizationName', 'Company'], ['commonName', 'John']);
const withEmail = (address: string) =>
  der.sequence(der.set(der.sequence(der.oid('1.2.840.113549.1.9.1'), der.ia5String(address))));

const subtrees = (n: number, bases: readonly Uint8Array[]) =>
  bases.length > 0 ? [der.constructed(n, ...bases.map(base => der.sequence(base)))] : [];

const constraints = (permitted: readonly Uint8Array[], excluded: readonly Uint8Array[]) =>
  extension('2.5.29.30', der.sequence(...subtrees(0, permitted), ...subtrees(1, excluded)), true);

const ROOT = certificate({ subject: name('root'), issuer: name('root'), key: key(0), signer: key(0), extensions: CA });

/** The rule that a certificate with these names breaks below such an authority, or "valid". */
function judge(constraint: Uint8Array, names: readonly Uint8Array[], subject: Uint8Array = name('end')): string {
  const [authority, end] = [
    certificate({
      subject: name('ca'),
      issuer: name('root'),
      key: key(1),
      signer: key(0),
      extensions: [...CA, constraint],
    }),
    certificate({
      subject,
      issuer: name('ca'),
      key: key(2),
      signer: key(1),
      extensions: names.length > 0 ? [extension(OID.subjectAltName, der.sequence(...names), true)] : [],
    }),
  ];
  const verdict = validatePath({
    certificate: end,
    candidates: [authority],
    anchors: [ROOT],
    time: NOW,
    revocation: null,
  });
  return verdict.valid ? 'valid' : verdict.rule;
}

type Bases = readonly Uint8Array[];

describe('name constraints (RFC 5280 §4.2.1.10)', () => {
  it.each<[string, Bases, Bases, Bases]>([
    ['a mailbox on its host', [mail('company.com')], [], [mail('john@Company.COM')]],
    ['a mailbox itself', [mail('john@company.com')], [], [mail('john@company.com')]],
    ['a mailbox below a domain', [mail('.company.com')], [], [mail('john@mail.company.com')]],
    ['a mailbox in UTF-8', [mail('company.com')], [], [utf8Mail('jürgen@company.com')]],
    [
      'a host and those below it',
      [dns('company.com')],
      [],
      [dns('company.com'), dns('a.b.COMPANY.com'), dns('*.company.com')],
    ],
    ['any host', [dns('')], [], [dns('example.org')]],
    ['a host beside an excluded one', [], [dns('bad.company.com')], [dns('notbad.company.com')]],
    ['a URI by its host alone', [uri('company.com')], [], [uri('https://user@company.com:443/path?x=y#z')]],
    ['an address in a network', [ip(10, 1, 0, 0, 255, 255, 0, 0)], [], [ip(10, 1, 2, 3)]],
    [
      'names of forms that nobody constrains',
      [mail('company.com')],
      [],
      [dns('example.org'), registered('1.2.3'), principal],
    ],
    ['a name within two lists', [directory(organisation('Company'))], [directory(person)], []],
  ])('let pass %s', (_, permitted, excluded, names) => {
    const subject = permitted.some(base => base[0] === 0xa4) ? organisation('COMPANY') : undefined;
    expect(judge(constraints(permitted, excluded), names, subject)).toBe('valid');
  });

  it.each<[string, Bases, Bases, Bases]>([
    ['another host', [mail('company.com')], [], [mail('john@mail.company.com')]],
    ['the domain, where only what is below it may be', [mail('.company.com')], [], [mail('john@company.com')]],
    ['another spelling of a local part', [mail('john@company.com')], [], [mail('John@company.com')]],
    ['a mailbox in UTF-8 elsewhere', [mail('company.com')], [], [utf8Mail('jürgen@example.org')]],
    ['no mailbox at all', [mail('company.com')], [], [mail('company.com')]],
    ['an excluded mailbox', [], [mail('company.com')], [mail('x@company.com')]],
    ['what may be an excluded mailbox', [], [mail('company.com')], [mail('x@company.com.')]],
    ['a host that only ends alike', [dns('company.com')], [], [dns('notcompany.com')]],
    ['the domain itself, where there is a leading dot', [dns('.company.com')], [], [dns('company.com')]],
    ['one bad name among good ones', [dns('company.com')], [], [dns('company.com'), dns('example.org')]],
    ['an excluded host below', [], [dns('company.com')], [dns('x.company.com')]],
    ['a wildcard that covers an excluded host', [], [dns('secret.company.com')], [dns('*.company.com')]],
    ['a host with a dot at its end', [dns('company.com')], [], [dns('company.com.')]],
    ['a NUL in a host', [dns('company.com')], [], [dns('example.org\0.company.com')]],
    ['a URI elsewhere', [uri('company.com')], [], [uri('https://www.company.com/')]],
    ['a URI whose user looks like a host', [uri('company.com')], [], [uri('https://company.com@example.org/')]],
    ['a URI without a host', [uri('company.com')], [], [uri('urn:isbn:123')]],
    ['a URI with an address', [], [uri('company.com')], [uri('https://10.0.0.1/')]],
    ['an address elsewhere', [ip(10, 1, 0, 0, 255, 255, 0, 0)], [], [ip(10, 2, 2, 3)]],
    ['an address of the other version', [ip(10, 0, 0, 0, 255, 0, 0, 0)], [], [ip(...new Array<number>(16).fill(0))]],
    ['an address of an odd length', [], [ip(10, 0, 0, 0, 255, 0, 0, 0)], [ip(11, 0, 0)]],
    ['a constrained form that cannot be judged', [registered('1.2')], [], [registered('1.2.3')]],
    ['an excluded form that cannot be judged', [], [principal], [principal]],
  ])('stop %s', (_, permitted, excluded, names) => {
    expect(judge(constraints(permitted, excluded), names)).toBe('name-constraints');
  });

  it('hold for the subject, whatever its alternative names say', () => {
    const only = (dn: Uint8Array) => constraints([directory(dn)], []);
    expect(judge(only(organisation('Company')), [], person)).toBe('valid');
    expect(judge(only(organisation('company ')), [mail('x@example.org')], person)).toBe('valid');
    expect(judge(only(organisation('Companies')), [], person)).toBe('name-constraints');
    expect(judge(only(organisation('Company')), [directory(organisation('Others'))], person)).toBe('name-constraints');
    expect(judge(only(organisation('Company')), [mail('x@company.com')], der.sequence())).toBe('valid');
    expect(judge(constraints([], [directory(organisation('COMPANY'))]), [], person)).toBe('name-constraints');
  });

  it('on mailboxes hold for the one in the subject', () => {
    expect(judge(constraints([mail('company.com')], []), [], withEmail('x@company.com'))).toBe('valid');
    expect(judge(constraints([mail('company.com')], []), [], withEmail('x@example.org'))).toBe('name-constraints');
    const names = [mail('x@company.com')];
    expect(judge(constraints([mail('company.com')], []), names, withEmail('x@example.org'))).toBe('name-constraints');
  });

  it('of the caller and of the anchor hold, too', () => {
    const end = certificate({ subject: person, issuer: name('root'), key: key(1), signer: key(0) });
    const outside = {
      kind: 'directory',
      name: { der: new Uint8Array(), rdns: ['other'], types: new Set<string>(), mailboxes: [] },
    } as const;
    const common = { certificate: end, candidates: [], time: NOW, revocation: null };
    const names = { permitted: [[outside]], excluded: [] };
    expect(validatePath({ ...common, anchors: [ROOT], parameters: { names } })).toMatchObject({
      rule: 'name-constraints',
    });
    const extensions = [...CA, constraints([], [directory(organisation('Company'))])];
    const strict = certificate({
      subject: name('root'),
      issuer: name('root'),
      key: key(0),
      signer: key(0),
      extensions,
    });
    expect(validatePath({ ...common, anchors: [strict] })).toMatchObject({ rule: 'name-constraints' });
    expect(validatePath({ ...common, anchors: [strict], parameters: { anchorRules: false } })).toMatchObject({
      valid: true,
    });
  });

  it.each<[string, Uint8Array]>([
    [
      'a minimum',
      der.sequence(der.constructed(0, der.sequence(mail('company.com'), der.primitive(0, Uint8Array.of(1))))),
    ],
    [
      'a maximum',
      der.sequence(der.constructed(0, der.sequence(mail('company.com'), der.primitive(1, Uint8Array.of(1))))),
    ],
    ['nothing', der.sequence()],
    ['an empty list', der.sequence(der.constructed(0))],
    ['a mask with a hole', der.sequence(...subtrees(0, [ip(10, 0, 0, 0, 255, 0, 255, 0)]))],
    ['an address without a mask', der.sequence(...subtrees(0, [ip(10, 0, 0, 0)]))],
    ['bytes after them', Buffer.concat([der.sequence(...subtrees(0, [mail('x')])), der.null])],
  ])('with %s make the authority unusable', (_, value) => {
    expect(judge(extension('2.5.29.30', value, true), [])).toBe('no-path');
  });

  it('by the thousand against names by the thousand end soon', () => {
    const many = Array.from({ length: 2000 }, (_, i) => dns(`${i}.company.com`));
    expect(judge(constraints(many, []), many)).toBe('name-constraints');
  });
});
