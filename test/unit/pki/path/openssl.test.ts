/** Random chains that openssl makes and judges, and our verdict on them: path lengths, policies, name constraints. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PathInput, validatePath } from '../../../../src/pki/path/path.ts';
import { fromPem } from '../../../../src/pki/x509.ts';
import { has } from '../../../support/tools.ts';
import { Workspace } from '../support.ts';

/** One certificate below the root. */
interface Link {
  /** Same name as its issuer, but a key of its own. */
  readonly selfIssued: boolean;
  /** Lines of an openssl configuration. */
  readonly extensions: readonly string[];
  /** More attributes of its subject. */
  readonly subject?: string;
}

interface Chain {
  readonly authorities: readonly Link[];
  readonly end: Link;
  /** Options of openssl verify, and what they are called here. */
  readonly policies: readonly string[];
  readonly explicit: boolean;
  readonly inhibitMapping: boolean;
  readonly inhibitAny: boolean;
}

const LENGTH = 4;
const ANY = '2.5.29.32.0';
const SECTIONS = `
[any]
[other]
O = Company
[inside]
O = Company
OU = Inside
[outside]
O = Elsewhere
`;

describe.skipIf(!has('openssl'))('openssl verify agrees', () => {
  const workspace = new Workspace();
  afterAll(() => workspace.remove());

  beforeAll(() => {
    for (let i = 0; i <= LENGTH; i++)
      workspace.must('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${i}.key`);
    make(0, 0, '/O=Company/CN=Root', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']);
  });

  function make(i: number, issuer: number, subject: string, extensions: readonly string[]): void {
    const identifiers = ['subjectKeyIdentifier=hash', ...(i > 0 ? ['authorityKeyIdentifier=keyid:always'] : [])];
    const config = [
      ...['[req]', 'distinguished_name=dn', '[dn]', '[ext]', ...identifiers, ...extensions, SECTIONS],
    ].join('\n');
    workspace.put('openssl.cnf', config);
    const signer = i === 0 ? [] : ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`];
    workspace.must(
      ...['req', '-x509', '-config', 'openssl.cnf', '-extensions', 'ext', '-key', `${i}.key`, '-subj', subject],
      ...['-days', '2', '-out', `${i}.pem`, ...signer],
    );
  }

  /** Whether openssl and we take the chain. */
  function judge({ authorities, end, policies, ...flags }: Chain): { openssl: string; ours: string } {
    let subject = '/O=Company/CN=Root';
    authorities.forEach(({ selfIssued, extensions, subject: more }, i) => {
      if (!selfIssued) subject = `${more ?? '/O=Company'}/CN=Authority ${i}`;
      make(i + 1, i, subject, ['keyUsage=critical,keyCertSign', ...extensions]);
    });
    const last = authorities.length + 1;
    const own = end.selfIssued ? subject : `${end.subject ?? '/O=Company'}/CN=The end`;
    make(last, last - 1, own, end.extensions);
    const files = authorities.map((_, i) => `${i + 1}.pem`);
    const { status, output } = workspace.openssl(
      ...['verify', '-x509_strict', '-policy_check', '-no-CApath', '-no-CAstore', '-CAfile', '0.pem'],
      ...files.flatMap(file => ['-untrusted', file]),
      // Without one, openssl doesn't take it as any policy.
      ...(policies.length > 0 ? policies : [ANY]).flatMap(oid => ['-policy', oid]),
      ...(flags.explicit ? ['-explicit_policy'] : []),
      ...(flags.inhibitMapping ? ['-inhibit_map'] : []),
      ...(flags.inhibitAny ? ['-inhibit_any'] : []),
      `${last}.pem`,
    );
    const read = (file: string) => ({ der: fromPem(readFileSync(workspace.path(file), 'utf8'))[0]! });
    const input: PathInput<{ der: Uint8Array }> = {
      certificate: read(`${last}.pem`),
      candidates: files.map(read),
      anchors: [read('0.pem')],
      time: new Date(),
      parameters: {
        initialPolicies: policies.length > 0 ? new Set(policies) : null,
        requireExplicitPolicy: flags.explicit,
        inhibitPolicyMapping: flags.inhibitMapping,
        inhibitAnyPolicy: flags.inhibitAny,
      },
      revocation: null,
    };
    const verdict = validatePath(input);
    const reason = /error \d+ at .*?lookup: *(.*)/.exec(output)?.[1] ?? output;
    return {
      openssl: status === 0 ? 'valid' : `invalid: ${reason}`,
      ours: verdict.valid ? 'valid' : `invalid: ${verdict.rule}`,
    };
  }

  /** Compares verdicts; both outcomes must occur, lest the chains prove nothing. */
  function compare(chains: readonly Chain[], rule: string): void {
    const outcomes = { valid: 0, invalid: 0 };
    for (const chain of chains) {
      const { openssl, ours } = judge(chain);
      const outcome = openssl.startsWith('valid') ? 'valid' : 'invalid';
      outcomes[outcome] += 1;
      expect(ours, JSON.stringify({ chain, openssl }, null, 1)).toBe(
        outcome === 'valid' ? 'valid' : `invalid: ${rule}`,
      );
    }
    expect(outcomes.valid).toBeGreaterThan(chains.length / 10);
    expect(outcomes.invalid).toBeGreaterThan(chains.length / 10);
  }

  const CHAINS = 60;
  const NO_POLICY = { policies: [], explicit: false, inhibitMapping: false, inhibitAny: false };
  const sample = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T[] => fc.sample(arbitrary, { numRuns: CHAINS, seed });

  it('on path lengths, self-issued certificates included', () => {
    const authority = fc.record({
      selfIssued: fc.boolean(),
      extensions: fc
        .option(fc.nat(2), { nil: null })
        .map(limit => [`basicConstraints=critical,CA:TRUE${limit === null ? '' : `,pathlen:${limit}`}`]),
    });
    const chain = fc.record({
      authorities: fc.array(authority, { minLength: 2, maxLength: LENGTH - 1 }),
      end: fc.constant({ selfIssued: false, extensions: ['basicConstraints=critical,CA:FALSE'] }),
    });
    compare(
      sample(chain, 1).map(one => ({ ...one, ...NO_POLICY })),
      'path-length',
    );
  });

  it('on policies, mappings and constraints', () => {
    const policy = fc.constantFrom('1.2.3.1', '1.2.3.2', '1.2.3.3');
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 2 });
    const skip = fc.nat(2);
    const common = {
      policies: fc.option(fc.uniqueArray(fc.oneof(policy, policy, fc.constant(ANY)), { minLength: 1, maxLength: 3 }), {
        nil: null,
        freq: 8,
      }),
      explicit: optional(skip),
    };
    const lines = (pairs: readonly (readonly [string, string | null])[]) =>
      pairs.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
    const authority = fc
      .record({
        ...common,
        selfIssued: fc.boolean(),
        mappings: optional(fc.uniqueArray(fc.tuple(policy, policy), { minLength: 1, maxLength: 2, selector: String })),
        inhibitMapping: optional(skip),
        inhibitAny: optional(skip),
      })
      .map(({ selfIssued, policies, mappings, explicit, inhibitMapping, inhibitAny }) => {
        const constraints = [
          ...(explicit === null ? [] : [`requireExplicitPolicy:${explicit}`]),
          ...(inhibitMapping === null ? [] : [`inhibitPolicyMapping:${inhibitMapping}`]),
        ];
        return {
          selfIssued,
          extensions: [
            'basicConstraints=critical,CA:TRUE',
            ...lines([
              // Beside mappings, openssl 3.0 takes anyPolicy even where it is inhibited (RFC 5280 §6.1.4 (b) doesn't).
              ['certificatePolicies', policies?.filter(one => !mappings || one !== ANY).join(',') || null],
              ['policyMappings', mappings?.map(pair => pair.join(':')).join(',') ?? null],
              ['policyConstraints', constraints.length > 0 ? `critical,${constraints.join(',')}` : null],
              ['inhibitAnyPolicy', inhibitAny === null ? null : `critical,${inhibitAny}`],
            ]),
          ],
        };
      });
    const end = fc.record(common).map(({ policies, explicit }) => ({
      selfIssued: false,
      extensions: lines([
        ['certificatePolicies', policies?.join(',') ?? null],
        ['policyConstraints', explicit === null ? null : `critical,requireExplicitPolicy:${explicit}`],
      ]),
    }));
    const chain = fc.record({
      authorities: fc.array(authority, { minLength: 1, maxLength: LENGTH - 1 }),
      end,
      policies: fc.uniqueArray(policy, { maxLength: 2 }),
      explicit: fc.boolean(),
      inhibitMapping: fc.boolean(),
      inhibitAny: fc.boolean(),
    });
    compare(sample(chain, 2), 'policy');
  });

  it('on name constraints of every form', () => {
    const bases = {
      email: ['company.com', '.company.com', 'john@company.com', 'elsewhere.org'],
      DNS: ['company.com', '.company.com', 'www.company.com', 'elsewhere.org'],
      URI: ['company.com', '.company.com', 'www.company.com'],
      IP: ['10.0.0.0/255.0.0.0', '10.1.0.0/255.255.0.0', 'fd00:0:0:0:0:0:0:0/ff00:0:0:0:0:0:0:0'],
      dirName: ['other', 'inside', 'outside'],
    };
    const names = {
      email: ['john@company.com', 'John@company.com', 'john@mail.company.com', 'x@elsewhere.org', 'john@COMPANY.com'],
      DNS: ['company.com', 'www.company.com', 'WWW.Company.com', 'notcompany.com', 'elsewhere.org'],
      URI: ['https://company.com/a', 'https://www.company.com:8443/', 'ldap://www.company.com/x?y', 'urn:isbn:1'],
      IP: ['10.1.2.3', '10.2.0.1', '192.168.1.1', 'fd00::1', '2001:db8::1'],
    };
    const of = (table: Readonly<Record<string, readonly string[]>>) =>
      fc.constantFrom(...Object.entries(table).flatMap(([form, list]) => list.map(text => `${form}:${text}`)));
    const constraint = fc
      .tuple(fc.constantFrom('permitted', 'permitted', 'excluded'), of(bases))
      .map(pair => pair.join(';'));
    const subject = fc.constantFrom('/O=Company', '/O=company /OU= INSIDE', '/O=Elsewhere');
    const authority = fc
      .record({
        selfIssued: fc.constantFrom(true, false, false),
        subject: fc.constantFrom('/O=Company', '/O=Company/OU=Inside'),
        constraints: fc.array(constraint, { maxLength: 2 }),
      })
      .map(({ constraints, ...link }) => ({
        ...link,
        extensions: [
          'basicConstraints=critical,CA:TRUE',
          ...(constraints.length > 0 ? [`nameConstraints=critical,${constraints.join(',')}`] : []),
        ],
      }));
    const end = fc
      .record({ subject, list: fc.uniqueArray(of(names), { minLength: 1, maxLength: 2 }) })
      .map(({ subject: own, list }) => ({
        selfIssued: false,
        subject: own,
        extensions: [`subjectAltName=${list.join(',')}`],
      }));
    const chain = fc.record({ authorities: fc.array(authority, { minLength: 1, maxLength: 2 }), end });
    compare(
      sample(chain, 3).map(one => ({ ...one, ...NO_POLICY })),
      'name-constraints',
    );
  });
});
