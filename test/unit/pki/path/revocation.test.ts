import { afterAll, describe, expect, it } from 'vitest';
import { concat, der } from '../../../../src/pki/der.ts';
import { basicConstraints, extension, KEY_USAGE, keyUsage } from '../../../../src/pki/extensions.ts';
import { OID } from '../../../../src/pki/oids.ts';
import { crlStatement } from '../../../../src/pki/path/crl-statement.ts';
import { validatePath } from '../../../../src/pki/path/path.ts';
import { has } from '../../../support/tools.ts';
import { pem, Workspace } from '../support.ts';
import { CA, type CrlShape, certificate, crl, days, key, keyIdentifiers, type Made, NOW, name } from './support.ts';

const [ROOT_KEY, CA_KEY, END_KEY, OTHER_KEY, SIGNER_KEY] = [key(0), key(1), key(2), key(3), key(4)];
const SERIAL = 7;

// --- extensions ----------------------------------------------------------------------------------------------------

const uri = (text: string) => der.primitive(6, Buffer.from(text, 'latin1'));
const directory = (dn: Uint8Array) => der.constructed(4, dn);
const full = (...names: readonly Uint8Array[]) => der.constructed(0, der.constructed(0, ...names));
const relative = (commonName: string) =>
  der.constructed(0, der.constructed(1, der.sequence(der.oid(OID.commonName), der.utf8String(commonName))));
/** ReasonFlags under [1] or [3]. */
const reasons = (n: number, ...bits: readonly number[]) => der.retag(0x80 | n, der.flags(...bits));
const crlIssuer = (dn: Uint8Array) => der.constructed(2, directory(dn));

const points = (...list: readonly (readonly Uint8Array[])[]) =>
  extension(OID.crlDistributionPoints, der.sequence(...list.map(fields => der.sequence(...fields))));
const freshest = extension('2.5.29.46', der.sequence(der.sequence(full(uri('http://delta')))));
const scope = (...fields: readonly Uint8Array[]) => extension('2.5.29.28', der.sequence(...fields), true);
const flag = (n: number) => der.primitive(n, Uint8Array.of(0xff));
const [ONLY_USERS, ONLY_CAS, INDIRECT, ONLY_ATTRIBUTES] = [flag(1), flag(2), flag(4), flag(5)];
const delta = (base: number) => extension('2.5.29.27', der.integer(base), true);
const ownedBy = (dn: Uint8Array) => extension('2.5.29.29', der.sequence(directory(dn)), true);

// --- a chain, and what may be said about it -----------------------------------------------------------------------------

const ROOT = certificate({
  subject: name('root'),
  issuer: name('root'),
  key: ROOT_KEY,
  signer: ROOT_KEY,
  extensions: [...CA, ...keyIdentifiers(ROOT_KEY, ROOT_KEY)],
});
const issuedByRoot = (subject: string, serial: number, own = CA_KEY, extensions: readonly Uint8Array[] = CA) =>
  certificate({
    subject: name(subject),
    issuer: name('root'),
    key: own,
    signer: ROOT_KEY,
    serial,
    extensions: [...extensions, ...keyIdentifiers(own, ROOT_KEY)],
  });
const AUTHORITY = issuedByRoot('ca', 2);
const SIGNS_CRLS = [basicConstraints(null), keyUsage(KEY_USAGE.cRLSign)];
const end = (...extensions: readonly Uint8Array[]) =>
  certificate({
    subject: name('end'),
    issuer: name('ca'),
    key: END_KEY,
    signer: CA_KEY,
    serial: SERIAL,
    extensions: [...extensions, ...keyIdentifiers(END_KEY, CA_KEY)],
  });

const ofRoot = (shape: Partial<CrlShape> = {}) => crl({ issuer: name('root'), signer: ROOT_KEY, ...shape });
const ofCa = (shape: Partial<CrlShape> = {}) => crl({ issuer: name('ca'), signer: CA_KEY, ...shape });
const of = (issuer: string, signer = SIGNER_KEY, shape: Partial<CrlShape> = {}) =>
  crl({ issuer: name(issuer), signer, ...shape });
const LISTED = [{ serial: SERIAL }];

interface Scene {
  readonly end?: Made;
  /** Beside the authority. */
  readonly others?: readonly Made[];
  readonly crls: readonly Uint8Array[];
  /** CRLs of the root; one that lists nothing, where left out. */
  readonly above?: readonly Uint8Array[];
  readonly authority?: Made;
}

type Outcome = 'good' | 'revoked' | 'unknown';

function judge({ end: target = end(), others = [], crls, above = [ofRoot()], authority = AUTHORITY }: Scene) {
  return validatePath({
    certificate: target,
    candidates: [authority, ...others],
    anchors: [ROOT],
    time: NOW,
    revocation: { crls: [...above, ...crls] },
  });
}

function outcomeOf(scene: Scene): Outcome | string {
  const verdict = judge(scene);
  if (verdict.valid) return 'good';
  return { revoked: 'revoked', 'revocation-unknown': 'unknown' }[verdict.rule as string] ?? verdict.rule;
}

const BY_SIGNER = points([full(uri('http://crl')), crlIssuer(name('signer'))]);
const SIGNER = issuedByRoot('signer', 3, SIGNER_KEY, SIGNS_CRLS);
const LISTING = scope(full(uri('http://crl')), INDIRECT);
const KEY_COMPROMISE = 1;
const OTHERS = [2, 3, 4, 5, 6, 7, 8];
const OLD = { thisUpdate: days(-0.9), number: 1 };

/** What openssl finds too: CRLs of every scope. */
const SCENES: readonly (readonly [string, Outcome, Scene])[] = [
  ['a list without it', 'good', { crls: [ofCa()] }],
  ['a list with it', 'revoked', { crls: [ofCa({ entries: LISTED })] }],
  ['no list', 'unknown', { crls: [] }],
  ['an overdue list', 'unknown', { crls: [ofCa({ nextUpdate: days(-0.1) })] }],
  ['a list of the future', 'unknown', { crls: [ofCa({ thisUpdate: days(0.1) })] }],
  ['a list signed by another key', 'unknown', { crls: [ofCa({ signer: OTHER_KEY })] }],
  ['a list of another issuer', 'unknown', { crls: [of('root', ROOT_KEY)] }],
  [
    'an issuer that may not sign lists',
    'unknown',
    {
      authority: issuedByRoot('ca', 2, CA_KEY, [basicConstraints(0), keyUsage(KEY_USAGE.keyCertSign)]),
      crls: [ofCa()],
    },
  ],
  ['a revoked issuer', 'revoked', { above: [ofRoot({ entries: [{ serial: 2 }] })], crls: [ofCa()] }],
  ['no list about the issuer', 'unknown', { above: [], crls: [ofCa()] }],
  ['an unknown critical extension', 'unknown', { crls: [ofCa({ extensions: [extension('1.2.3', der.null, true)] })] }],
  [
    'an unknown critical extension of another entry',
    'unknown',
    { crls: [ofCa({ entries: [{ serial: 99, extensions: [extension('1.2.3', der.null, true)] }] })] },
  ],
  ['a list about users alone', 'good', { crls: [ofCa({ extensions: [scope(ONLY_USERS)] })] }],
  ['a list about CAs alone', 'unknown', { crls: [ofCa({ extensions: [scope(ONLY_CAS)] })] }],
  ['a list about attribute certificates', 'unknown', { crls: [ofCa({ extensions: [scope(ONLY_ATTRIBUTES)] })] }],
  ['a list about CAs, for a CA', 'good', { above: [ofRoot({ extensions: [scope(ONLY_CAS)] })], crls: [ofCa()] }],
  ['a list about users, for a CA', 'unknown', { above: [ofRoot({ extensions: [scope(ONLY_USERS)] })], crls: [ofCa()] }],
  [
    'a list for its point',
    'revoked',
    {
      end: end(points([full(uri('http://x'), uri('http://crl'))])),
      crls: [ofCa({ entries: LISTED, extensions: [scope(full(uri('http://crl')))] })],
    },
  ],
  [
    'a list for another point',
    'unknown',
    { end: end(points([full(uri('http://x'))])), crls: [ofCa({ extensions: [scope(full(uri('http://crl')))] })] },
  ],
  [
    'a list for a point with a relative name',
    'good',
    {
      end: end(points([relative('part')])),
      crls: [ofCa({ extensions: [scope(full(directory(name('ca', 'PART'))))] })],
    },
  ],
  [
    'two lists for all reasons together',
    'good',
    {
      crls: [
        ofCa({ extensions: [scope(reasons(3, KEY_COMPROMISE))] }),
        ofCa({ extensions: [scope(reasons(3, ...OTHERS))] }),
      ],
    },
  ],
  [
    'two lists, the second with it',
    'revoked',
    {
      crls: [
        ofCa({ extensions: [scope(reasons(3, KEY_COMPROMISE))] }),
        ofCa({ entries: LISTED, extensions: [scope(reasons(3, ...OTHERS))] }),
      ],
    },
  ],
  ['a list for one reason', 'unknown', { crls: [ofCa({ extensions: [scope(reasons(3, KEY_COMPROMISE))] })] }],
  [
    'a list by whom its point names, about its issuer',
    'revoked',
    {
      end: end(BY_SIGNER),
      others: [SIGNER],
      crls: [
        of('signer', SIGNER_KEY, {
          entries: [{ serial: SERIAL, extensions: [ownedBy(name('ca'))] }],
          extensions: [LISTING],
        }),
      ],
    },
  ],
  [
    'a list by whom its point names, about others of the same number',
    'good',
    {
      end: end(BY_SIGNER),
      others: [SIGNER],
      crls: [
        of('signer', SIGNER_KEY, {
          entries: [
            { serial: SERIAL },
            { serial: 9, extensions: [ownedBy(name('ca'))] },
            { serial: SERIAL, extensions: [ownedBy(name('root'))] },
          ],
          extensions: [LISTING],
        }),
      ],
    },
  ],
  [
    'a list whose entries go on with one issuer',
    'revoked',
    {
      end: end(BY_SIGNER),
      others: [SIGNER],
      crls: [
        of('signer', SIGNER_KEY, {
          entries: [{ serial: 9, extensions: [ownedBy(name('ca'))] }, { serial: SERIAL }],
          extensions: [LISTING],
        }),
      ],
    },
  ],
  [
    'a list by whom its point names, that says it is only about its own',
    'unknown',
    {
      end: end(BY_SIGNER),
      others: [SIGNER],
      crls: [of('signer', SIGNER_KEY, { extensions: [scope(full(uri('http://crl')))] })],
    },
  ],
  [
    'a list by somebody whom nobody named',
    'unknown',
    { others: [SIGNER], crls: [of('signer', SIGNER_KEY, { extensions: [scope(INDIRECT)] })] },
  ],
  [
    'a delta list with it',
    'revoked',
    {
      end: end(freshest),
      crls: [ofCa(), ofCa({ number: 3, entries: LISTED, extensions: [delta(1)] })],
    },
  ],
  [
    'a delta list that ends a hold',
    'good',
    {
      end: end(freshest),
      crls: [
        ofCa({ entries: [{ serial: SERIAL, reason: 6 }] }),
        ofCa({ number: 3, entries: [{ serial: SERIAL, reason: 8 }], extensions: [delta(1)] }),
      ],
    },
  ],
  [
    'a delta list without it, a complete one with it',
    'revoked',
    { end: end(freshest), crls: [ofCa({ entries: LISTED }), ofCa({ number: 3, extensions: [delta(1)] })] },
  ],
  ['a delta list alone', 'unknown', { end: end(freshest), crls: [ofCa({ number: 3, extensions: [delta(1)] })] }],
  [
    'a delta list to a later complete one',
    'good',
    { end: end(freshest), crls: [ofCa({ number: 2 }), ofCa({ number: 9, entries: LISTED, extensions: [delta(5)] })] },
  ],
  [
    'a delta list of another scope',
    'good',
    {
      end: end(freshest),
      crls: [ofCa(), ofCa({ number: 3, entries: LISTED, extensions: [delta(1), scope(ONLY_USERS)] })],
    },
  ],
  [
    'an overdue list that a delta list renews',
    'good',
    {
      end: end(freshest),
      crls: [
        ofCa({ ...OLD, nextUpdate: days(-0.6), extensions: [freshest] }),
        ofCa({ number: 3, extensions: [delta(1)] }),
      ],
    },
  ],
  [
    'a newer list without it: the hold has ended',
    'good',
    { crls: [ofCa({ ...OLD, entries: [{ serial: SERIAL, reason: 6 }] }), ofCa({ number: 2 })] },
  ],
  ['an older list without it', 'revoked', { crls: [ofCa({ number: 2, entries: LISTED }), ofCa(OLD)] }],
];

/** What openssl 3.0 doesn't do. */
const OURS: readonly (readonly [string, Outcome, Scene])[] = [
  ['a list without an end', 'unknown', { crls: [ofCa({ nextUpdate: null })] }],
  ['an end of a hold outside a delta list', 'unknown', { crls: [ofCa({ entries: [{ serial: SERIAL, reason: 8 }] })] }],
  ['a reason that does not exist', 'unknown', { crls: [ofCa({ entries: [{ serial: 9, reason: 7 }] })] }],
  [
    'a list about users alone and CAs alone',
    'unknown',
    { crls: [ofCa({ extensions: [scope(ONLY_USERS, ONLY_CAS)] })] },
  ],
  [
    'an overdue list that a delta list could renew, but none is announced',
    'unknown',
    { crls: [ofCa({ ...OLD, nextUpdate: days(-0.6) }), ofCa({ number: 3, extensions: [delta(1)] })] },
  ],
  [
    'a delta list by another key',
    'good',
    { crls: [ofCa(), ofCa({ number: 3, signer: OTHER_KEY, entries: LISTED, extensions: [delta(1)] })] },
  ],
  [
    'a list by another key of its issuer',
    'revoked',
    {
      others: [issuedByRoot('ca', 5, OTHER_KEY, SIGNS_CRLS)],
      crls: [ofCa({ signer: OTHER_KEY, entries: LISTED })],
    },
  ],
  [
    'a list by another key of its issuer, which was revoked',
    'unknown',
    {
      above: [ofRoot({ entries: [{ serial: 5 }] })],
      others: [issuedByRoot('ca', 5, OTHER_KEY, SIGNS_CRLS)],
      crls: [ofCa({ signer: OTHER_KEY })],
    },
  ],
  [
    'lists by two keys of its issuer, one with it',
    'revoked',
    {
      others: [issuedByRoot('ca', 5, OTHER_KEY, SIGNS_CRLS)],
      crls: [ofCa(), ofCa({ ...OLD, signer: OTHER_KEY, entries: LISTED })],
    },
  ],
];

describe('revocation by CRLs (RFC 5280 §6.3)', () => {
  const workspace = new Workspace();
  afterAll(() => workspace.remove());

  it.each([...SCENES, ...OURS])('with %s is %s', (_, expected, scene) => {
    expect(outcomeOf(scene)).toBe(expected);
  });

  it.skipIf(!has('openssl')).each(SCENES)('openssl: with %s is %s', (_, expected, scene) => {
    const write = (file: string, list: readonly Uint8Array[], label: string) =>
      workspace.put(file, list.map(bytes => pem(bytes, label)).join(''));
    const authority = scene.authority ?? AUTHORITY;
    write('root.pem', [ROOT.der], 'CERTIFICATE');
    write('others.pem', [authority.der, ...(scene.others ?? []).map(other => other.der)], 'CERTIFICATE');
    write('end.pem', [(scene.end ?? end()).der], 'CERTIFICATE');
    // openssl wants one file for each CRL.
    const crls = [...(scene.above ?? [ofRoot()]), ...scene.crls].flatMap((bytes, i) => {
      write(`${i}.crl`, [bytes], 'X509 CRL');
      return ['-CRLfile', `${i}.crl`];
    });
    const { status, output } = workspace.openssl(
      ...['verify', '-crl_check_all', '-extended_crl', '-use_deltas', '-no-CApath', '-no-CAstore'],
      ...['-CAfile', 'root.pem', '-untrusted', 'others.pem', ...crls, 'end.pem'],
    );
    const outcome = status === 0 ? 'good' : /certificate revoked/.test(output) ? 'revoked' : 'unknown';
    expect(outcome, output).toBe(expected);
  });

  it('names the certificate, the time and the reason', () => {
    const verdict = judge({ crls: [ofCa({ entries: [{ serial: SERIAL, reason: KEY_COMPROMISE }] })] });
    expect(verdict).toMatchObject({ valid: false, rule: 'revoked', revocation: { reason: 1, at: days(-0.5) } });
    const above = judge({ above: [ofRoot({ entries: [{ serial: 2 }] })], crls: [ofCa()] });
    expect(above).toMatchObject({ rule: 'revoked', certificate: AUTHORITY, revocation: { reason: 0 } });
  });

  it('names the lists that it rests on', () => {
    const [root, useless, good] = [ofRoot(), ofCa({ extensions: [scope(ONLY_CAS)] }), ofCa()];
    expect(judge({ above: [root], crls: [useless, good] })).toMatchObject({ valid: true, crls: [root, good] });
  });

  it('may be asked for a later time than the path', () => {
    const input = { certificate: end(), candidates: [AUTHORITY], anchors: [ROOT], time: days(-0.8) };
    const crls = [ofRoot(), ofCa()];
    expect(validatePath({ ...input, revocation: { crls } })).toMatchObject({ rule: 'revocation-unknown' });
    expect(validatePath({ ...input, revocation: { crls, time: NOW } })).toMatchObject({ valid: true });
  });

  it('goes without delta lists where they are not wanted', () => {
    const crls = [ofRoot(), ofCa(), ofCa({ number: 3, entries: LISTED, extensions: [delta(1)] })];
    const input = { certificate: end(), candidates: [AUTHORITY], anchors: [ROOT], time: NOW };
    expect(validatePath({ ...input, revocation: { crls } })).toMatchObject({ rule: 'revoked' });
    expect(validatePath({ ...input, revocation: { crls, useDeltas: false } })).toMatchObject({ valid: true });
  });
});

describe('whoever signs a list', () => {
  it('may be named to list itself, and by nobody but its issuer', () => {
    const itself = issuedByRoot('signer', 3, SIGNER_KEY, [...SIGNS_CRLS, BY_SIGNER]);
    const list = of('signer', SIGNER_KEY, { extensions: [LISTING] });
    const scene: Scene = { end: end(BY_SIGNER), others: [itself], crls: [list] };
    // The root's own list doesn't cover the signer: it has a scope that leaves out users.
    const above = [ofRoot({ extensions: [scope(ONLY_CAS)] })];
    expect(outcomeOf({ ...scene, above })).toBe('good');
    expect(outcomeOf({ ...scene, above, others: [SIGNER] })).toBe('unknown');
    const listsItself = of('signer', SIGNER_KEY, {
      entries: [{ serial: 3, extensions: [ownedBy(name('root'))] }],
      extensions: [LISTING],
    });
    expect(outcomeOf({ ...scene, above, crls: [listsItself] })).toBe('unknown');
  });

  it("can't be made by the very authority that was revoked", () => {
    // A revoked CA issues a certificate with the root's name, and with it a list that doesn't mention the CA.
    const forged = certificate({
      subject: name('root'),
      issuer: name('ca'),
      key: OTHER_KEY,
      signer: CA_KEY,
      extensions: [...SIGNS_CRLS, ...keyIdentifiers(OTHER_KEY, CA_KEY)],
    });
    const pardon = crl({ issuer: name('root'), signer: OTHER_KEY, number: 99, thisUpdate: days(-0.01) });
    expect(outcomeOf({ others: [forged], above: [pardon], crls: [ofCa()] })).toBe('unknown');
    const honest = ofRoot({ entries: [{ serial: 2 }] });
    expect(outcomeOf({ others: [forged], above: [pardon, honest], crls: [ofCa()] })).toBe('revoked');
  });

  it('must lead to the same anchor', () => {
    const foreign = certificate({
      subject: name('elsewhere'),
      issuer: name('elsewhere'),
      key: OTHER_KEY,
      signer: OTHER_KEY,
      extensions: CA,
    });
    const signer = certificate({
      subject: name('signer'),
      issuer: name('elsewhere'),
      key: SIGNER_KEY,
      signer: OTHER_KEY,
      extensions: SIGNS_CRLS,
    });
    const crls = [ofRoot(), of('elsewhere', OTHER_KEY), of('signer', SIGNER_KEY, { extensions: [LISTING] })];
    const input = { certificate: end(BY_SIGNER), candidates: [AUTHORITY, signer], time: NOW, revocation: { crls } };
    expect(validatePath({ ...input, anchors: [ROOT, foreign] })).toMatchObject({ rule: 'revocation-unknown' });
    const known = { ...input, candidates: [AUTHORITY, SIGNER] };
    expect(validatePath({ ...known, anchors: [ROOT, foreign] })).toMatchObject({ valid: true });
  });

  it('is not believed in a circle', () => {
    // Two signers, each named to list the other.
    const by = (dn: string) => points([full(uri('http://crl')), crlIssuer(name(dn))]);
    const [a, b] = [
      issuedByRoot('a', 11, OTHER_KEY, [...SIGNS_CRLS, by('b')]),
      issuedByRoot('b', 12, SIGNER_KEY, [...SIGNS_CRLS, by('a')]),
    ];
    const crls = [of('a', OTHER_KEY, { extensions: [LISTING] }), of('b', SIGNER_KEY, { extensions: [LISTING] })];
    const above = [ofRoot({ extensions: [scope(ONLY_CAS)] })];
    expect(outcomeOf({ end: end(by('a')), others: [a, b], above, crls })).toBe('unknown');
  });
});

describe('one list about a certificate', () => {
  // Time, and the issuer's own revocation, are for the caller to judge.
  const timeless = SCENES.filter(
    ([text, , { crls, others, above, authority }]) =>
      crls.length === 1 && !others && !above && !authority && !/overdue|future/.test(text),
  );

  it.each(timeless)('with %s is %s', (_, expected, { end: target = end(), crls }) => {
    const statement = crlStatement(crls[0]!, target, AUTHORITY);
    expect(statement === null ? 'unknown' : statement.revokedAt ? 'revoked' : 'good').toBe(expected);
  });

  it('says when and why', () => {
    const list = ofCa({ entries: [{ serial: SERIAL, reason: 4 }] });
    expect(crlStatement(list, end(), AUTHORITY)).toEqual({
      thisUpdate: days(-0.5),
      nextUpdate: days(1),
      revokedAt: days(-0.5),
      reason: 4,
    });
    expect(crlStatement(concat(list, der.null), end(), AUTHORITY)).toBeNull();
    expect(crlStatement(list, end(), ROOT)).toBeNull();
  });
});
