/**
 * The word of a forwarder (ARC, RFC 8617): it changed the mail, so that the company's own signature is broken, and says
 * under its seal that the mail had passed DMARC when it came in. Believed only when every seal is of a configured
 * forwarder: whoever seals can write what they like.
 */
import { domainToASCII } from 'node:url';
import { arc, type DKIMVerifyResult } from 'mailauth';
import { fieldsOf, type RawMessage, unfold } from '../intake/raw-message.ts';
import { type Freshness, weaknessOf } from './coverage.ts';
import type { MailauthDns } from './mailauth-dns.ts';
import { readArcResults } from './results.ts';
import { domainOf, type Tags, tagsOf } from './tag-list.ts';

/** What the ARC fields give hope for. Null fault: there are none, or nothing is wrong with them so far. */
export function screenArc(
  message: RawMessage,
  sealers: readonly string[],
  freshness: Freshness,
): { readonly promising: boolean; readonly fault: string | null } {
  const seals = fieldsOf(message, 'arc-seal').map(({ value }) => tagsOf(value));
  if (seals.length === 0 || sealers.length === 0) return { promising: false, fault: null };
  const signatures = fieldsOf(message, 'arc-message-signature').map(({ value }) => tagsOf(value));
  const stranger = [...seals, ...signatures].find(tags => !sealers.includes(domainOf(tags)));
  if (stranger) {
    return { promising: false, fault: 'it was forwarded by a server whose ARC seal is not trusted here' };
  }
  const instance = (tags: Tags): number => Number(tags.get('i') ?? 0);
  const [newest] = signatures.toSorted((one, other) => instance(other) - instance(one));
  const weakness = newest ? weaknessOf(message, newest, freshness) : 'is missing';
  return weakness === null
    ? { promising: true, fault: null }
    : { promising: false, fault: `the forwarder's ARC signature ${weakness}` };
}

/**
 * Null when the chain holds and its first forwarder saw DMARC pass for the domain; else what is wrong, in words. A
 * missing DNS answer is noted in `names`.
 *
 * @param verified the result for a message that `screenArc` found promising
 */
export async function provenByArc(
  message: RawMessage,
  verified: DKIMVerifyResult,
  domain: string,
  rules: { readonly spfAlone: readonly string[]; readonly minKeyBits: number },
  names: MailauthDns,
): Promise<string | null> {
  const { chain = false, lastEntry, error } = verified.arc ?? {};
  if (chain === false || error) return `the forwarder's ARC chain is broken${error ? ` (${error.message})` : ''}`;
  const { status } = await arc(
    { chain, ...(lastEntry ? { lastEntry } : {}) },
    { resolver: names.resolve, minBitLength: rules.minKeyBits, strict: true },
  );
  if (status.result !== 'pass') return `the forwarder's ARC chain does not hold (${status.comment ?? status.result})`;
  if (!sawDmarcPass(message, domain, rules.spfAlone)) {
    return `the forwarder did not see a mail that was signed by ${domain} and passed DMARC`;
  }
  return null;
}

/** What the first forwarder wrote, when the mail came straight from the company: later ones see its changes. */
function sawDmarcPass(message: RawMessage, domain: string, spfAlone: readonly string[]): boolean {
  const first = fieldsOf(message, 'arc-authentication-results')
    .map(({ value }) => readArcResults(unfold(value)))
    .filter(results => results?.instance === 1);
  const results = first.length === 1 ? first[0]!.results : [];
  const names = (text: string | undefined): boolean => domainToASCII((text ?? '').replace(/^.*@/, '')) === domain;
  const passed = (method: string, ...properties: string[]): boolean =>
    results.some(
      entry =>
        entry.method === method &&
        entry.result === 'pass' &&
        properties.some(property => names(entry.properties.get(property))),
    );
  const judged = results.filter(({ method }) => method === 'dmarc').length === 1 && passed('dmarc', 'header.from');
  const signed = passed('dkim', 'header.d', 'header.i');
  return judged && (signed || (spfAlone.includes(domain) && passed('spf', 'smtp.mailfrom')));
}
