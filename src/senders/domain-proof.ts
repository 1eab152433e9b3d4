/**
 * Proof that the domain in From sent a mail whose client did not log in: DMARC (RFC 9989) with a signature of that very
 * domain (DKIM, RFC 6376), where configured by the client's address alone (SPF, RFC 7208), or the word of a configured
 * forwarder (ARC, RFC 8617). mailauth checks signatures and records; what they must cover is decided here.
 *
 * In two steps, so that a stranger's body is never even kept: `screen` reads the header fields, `prove` has the whole mail.
 */
import { isIP } from 'node:net';
import { dkimVerify, dmarc, spf } from 'mailauth';
import type { Config } from '../config/schema.ts';
import { type Dns, DnsUnavailable } from '../dns/resolver.ts';
import { type Address, addressesOf, parseAddress } from '../intake/addresses.ts';
import { isMailDomain } from '../intake/parties.ts';
import { fieldsOf, type RawMessage, splitMessage } from '../intake/raw-message.ts';
import { refusals } from '../intake/refusals.ts';
import { provenByArc, screenArc } from './arc.ts';
import { type Freshness, weaknessOf } from './coverage.ts';
import { inSlices } from './in-slices.ts';
import { MailauthDns } from './mailauth-dns.ts';
import { domainOf, normalDomain, tagsOf } from './tag-list.ts';

export interface ProofRules {
  readonly domains: Config['domains'];
  /** Longest age of a signature, milliseconds. */
  readonly maxAge: number;
  /** Mail domains whose SPF record alone is proof enough. */
  readonly spfAlone: readonly string[];
  /** Signing domains of forwarders whose ARC seal is believed. */
  readonly arcSealers: readonly string[];
}

/** The SMTP client and what it said. */
export interface Connection {
  /** IP address; '' when it has none. */
  readonly address: string;
  readonly helo: string;
  /** MAIL FROM, not empty. */
  readonly sender: string;
}

/** What the header fields give hope for. */
export interface Claim {
  readonly from: Address;
  /** Numbers of the DKIM-Signature fields that would prove it if they verify. */
  readonly signatures: readonly number[];
  readonly spf: boolean;
  readonly arc: boolean;
  /** What was wrong with the rest, in words. */
  readonly faults: readonly string[];
}

export interface Proof {
  readonly method: 'dmarc' | 'arc';
  /** For Authentication-Results (RFC 8601 §2.2), without our id. */
  readonly results: readonly string[];
}

/** Each can make the whole body be hashed once more. */
const MAX_SIGNATURES = 10;
/** RFC 8301 §3.2. */
export const MIN_KEY_BITS = 1024;
const SPF_TIMEOUT = 20_000;

/**
 * What the header fields of a mail could prove about its From.
 *
 * @param message whose header has passed the gate: no field stands there twice
 * @throws Refusal when they can prove nothing
 */
export function screen(message: RawMessage, connection: Connection, rules: ProofRules, now: Date): Claim {
  const [from, ...more] = addressesOf(message, 'from');
  if (!from || more.length > 0) {
    throw refusals.badAddressField('From', 'it names several people, and one has to ask');
  }
  if (!isMailDomain(from.domain, rules.domains)) throw refusals.notOurDomain(from.address);
  const asked = addressesOf(message, 'to').some(({ domain }) => rules.domains.some(({ sign }) => sign === domain));
  if (!asked) throw refusals.noSignatory();

  const freshness: Freshness = { now, maxAge: rules.maxAge };
  const faults: string[] = [];
  const signatures: number[] = [];
  const fields = fieldsOf(message, 'dkim-signature');
  if (fields.length > MAX_SIGNATURES) throw refusals.malformed(`it has more than ${MAX_SIGNATURES} DKIM signatures`);
  for (const [index, { value }] of fields.entries()) {
    const tags = tagsOf(value);
    if (domainOf(tags) !== from.domain) continue;
    const weakness = weaknessOf(message, tags, freshness);
    if (weakness === null) signatures.push(index);
    else faults.push(`its DKIM signature of ${from.domain} ${weakness}`);
  }
  if (signatures.length + faults.length === 0) faults.push(`it has no DKIM signature of ${from.domain}`);
  const spfCounts =
    rules.spfAlone.includes(from.domain) &&
    parseAddress(connection.sender)?.domain === from.domain &&
    isIP(connection.address) !== 0;
  const arc = screenArc(message, rules.arcSealers, freshness);
  if (arc.fault !== null) faults.push(arc.fault);
  if (signatures.length === 0 && !spfCounts && !arc.promising) throw refusals.notProven(from.domain, faults);
  return { from, signatures, spf: spfCounts, arc: arc.promising, faults };
}

/**
 * @param raw the whole mail with the header that was screened
 * @throws Refusal; DnsUnavailable when nothing proved it and something could not be looked up
 */
export async function prove(
  raw: Buffer,
  { from, signatures, spf: spfCounts, arc, faults: known }: Claim,
  connection: Connection,
  rules: ProofRules,
  dns: Dns,
  now: Date,
): Promise<Proof> {
  const { domain } = from;
  const keyOwners = [domain, ...(arc ? rules.arcSealers : [])];
  const names = new MailauthDns(
    dns,
    name =>
      keyOwners.some(owner => name.endsWith(`._domainkey.${owner}`)) ||
      (name.startsWith('_dmarc.') && `.${domain}`.endsWith(`.${name.slice('_dmarc.'.length)}`)),
  );
  const faults = [...known];
  const results: string[] = [];
  const options = { resolver: names.resolve, minBitLength: MIN_KEY_BITS, strict: true, curTime: now };
  const verified = signatures.length > 0 || arc ? await dkimVerify(inSlices(raw), options) : null;

  const dkimDomains: { domain: string }[] = [];
  for (const index of verified ? signatures : []) {
    // In strict mode there is one result for each field, in their order.
    const { status, signingDomain, selector, canonBodyLengthLimited } = verified!.results[index]!;
    // What was screened is asked once more of what was verified: nobody may see another signature than the other does.
    const same = normalDomain(signingDomain ?? '') === domain && canonBodyLengthLimited !== true;
    if (status.result === 'pass' && status.testing !== true && same) {
      dkimDomains.push({ domain });
      results.push(`dkim=pass header.d=${domain} header.s=${selector}`);
    } else faults.push(`its DKIM signature of ${domain} does not hold (${reasonOf(status)})`);
  }

  const spfDomains: string[] = [];
  if (spfCounts && dkimDomains.length === 0) {
    const all = new MailauthDns(dns, () => true);
    const { status } = await spf({
      sender: parseAddress(connection.sender)!.address,
      ip: connection.address,
      helo: connection.helo,
      mta: 'signpost',
      resolver: all.resolve,
      strict: true,
      maxElapsedTime: SPF_TIMEOUT,
    });
    names.fault ??= all.fault;
    if (status.result === 'pass') {
      spfDomains.push(domain);
      results.push(`spf=pass smtp.mailfrom=${domain}`);
    } else if (status.result === 'temperror') names.fault ??= new DnsUnavailable(domain, 'TXT', 'ETIMEOUT');
    else faults.push(`the SPF record of ${domain} does not name the server that delivers it (${status.result})`);
  }

  if (dkimDomains.length + spfDomains.length > 0) {
    const verdict = await dmarc({
      headerFrom: domain,
      dkimDomains,
      spfDomains,
      resolver: names.resolve,
      strict: true,
    });
    const result = verdict === false ? 'none' : verdict.status.result;
    if (result === 'pass') return { method: 'dmarc', results: [...results, `dmarc=pass header.from=${domain}`] };
    faults.push(
      result === 'none' ? `${domain} has no DMARC record` : `its sender does not fit the DMARC record of ${domain}`,
    );
  }
  if (arc && verified) {
    const fault = await provenByArc(
      splitMessage(raw),
      verified,
      domain,
      { spfAlone: rules.spfAlone, minKeyBits: MIN_KEY_BITS },
      names,
    );
    if (fault === null) return { method: 'arc', results: ['arc=pass'] };
    faults.push(fault);
  }
  if (names.fault) throw names.fault;
  throw refusals.notProven(domain, faults);
}

/** Why a signature was not believed, in words. */
function reasonOf(status: {
  readonly result: string;
  readonly comment?: string;
  readonly testing?: boolean;
  readonly policy?: { readonly 'dkim-rules'?: string };
}): string {
  if (status.result === 'pass') return 'its key is marked as a test';
  return status.comment ?? status.policy?.['dkim-rules'] ?? status.result;
}
