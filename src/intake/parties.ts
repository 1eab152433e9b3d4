/**
 * Whom a message asks (EXPERIENCE.md section 1): sign domain → mail domains → directory person. The list comes from the
 * To and Cc fields, because mail servers split a message by recipient. All or nothing, and nobody is ever guessed.
 */
import type { Config } from '../config/schema.ts';
import { type Directory, DirectoryAmbiguous, type Person } from '../directory/directory.ts';
import { parseOwnAddress } from '../outbound/addresses.ts';
import type { Level } from '../requests/model.ts';
import { type Address, addressesOf } from './addresses.ts';
import type { RawMessage } from './raw-message.ts';
import type { Refusal } from './refusal.ts';
import { refusals } from './refusals.ts';
import { ambiguousLine, unknownLine } from './texts/en.ts';

export type Domains = Config['domains'];

/** Unknown names of one mail for which others are suggested: the refusal has room for them. */
const MOST_SUGGESTED = 20;

export interface PartiesContext {
  readonly directory: Directory;
  readonly domains: Domains;
  /** Local part of our own From address on the sign domains. */
  readonly serviceLocal: string;
  /** More people than this no group's address stands for. */
  readonly maxGroupMembers: number;
  /** False: of an unknown name is not said who may have been meant. */
  readonly suggesting?: boolean;
}

export interface Parties {
  /** Empty where the document is only sealed. */
  readonly signatories: readonly Person[];
  readonly copies: readonly Person[];
  /** Every address in To and Cc, and the id of everybody of the company who is named there. */
  readonly named: { readonly addresses: ReadonlySet<string>; readonly persons: ReadonlySet<string> };
}

export type Resolution =
  | { readonly kind: 'person'; readonly person: Person }
  /** Each of the members is asked. */
  | { readonly kind: 'group'; readonly members: readonly Person[] }
  | { readonly kind: 'unknown'; readonly suggestions: readonly string[] }
  | { readonly kind: 'ambiguous' }
  /** An address of ours that nobody can ask to sign. */
  | { readonly kind: 'own'; readonly refusal: Refusal };

/** The sign domain's entry, or null when the address is elsewhere. */
export function signDomain(domain: string, domains: Domains): Domains[number] | null {
  return domains.find(entry => entry.sign === domain) ?? null;
}

/** Addresses that mean the sender, whoever else has such a name: to sign oneself, to have the company seal it. */
const SELF = 'self';
const SEAL = 'seal';

/** Whether To holds seal@ a sign domain. @throws Refusal */
export function asksForSeal(message: RawMessage, domains: Domains): boolean {
  return addressesOf(message, 'to').some(({ local, domain }) => local === SEAL && signDomain(domain, domains) !== null);
}

/** True for the company's own mail domains. */
export function isMailDomain(domain: string, domains: Domains): boolean {
  return domains.some(entry => entry.mail.includes(domain));
}

/**
 * The person or the group behind local@sign-domain: local@ each of its mail domains. `self` and `seal` are always the
 * sender.
 *
 * @throws Refusal of a group that can't be asked; DirectoryUnavailable
 */
export async function resolveOnSignDomain(
  address: Address,
  entry: Domains[number],
  sender: Person,
  context: PartiesContext,
): Promise<Resolution> {
  if (address.local === SELF || address.local === SEAL) return { kind: 'person', person: sender };
  const own = parseOwnAddress(address.local);
  if (own)
    return { kind: 'own', refusal: own.kind === 'request' ? refusals.requestAddress() : refusals.bounceAddress() };
  if (address.local === context.serviceLocal.toLowerCase()) return { kind: 'own', refusal: refusals.serviceAddress() };
  const addresses = entry.mail.map(domain => `${address.local}@${domain}`);
  const known = await lookUp(address, addresses, context);
  if (known) return known;
  if (context.suggesting === false) return { kind: 'unknown', suggestions: [] };
  const suggestions = new Set<string>();
  for (const domain of entry.mail) {
    for (const candidate of await context.directory.suggest(`${address.local}@${domain}`)) {
      const at = candidate.mail.lastIndexOf('@');
      // Only who can be reached under that name; somebody of another mail domain can't.
      if (entry.mail.includes(candidate.mail.slice(at + 1)))
        suggestions.add(`${candidate.mail.slice(0, at)}@${entry.sign}`);
    }
  }
  return { kind: 'unknown', suggestions: [...suggestions].slice(0, 3) };
}

/**
 * Everybody whom To and Cc name.
 *
 * @param level for the company's seal alone, To names the sender and nobody else on the sign domain; at any other, To
 *   names those who sign
 * @throws Refusal with every name that doesn't resolve; DirectoryUnavailable
 */
export async function readParties(
  message: RawMessage,
  sender: Person,
  level: Level,
  context: PartiesContext,
): Promise<Parties> {
  const to = addressesOf(message, 'to');
  const cc = addressesOf(message, 'cc');
  const signatories = new Map<string, Person>();
  const copies = new Map<string, Person>();
  const persons = new Set<string>();
  const bad = new Map<string, string>();
  for (const [list, isTo] of [
    [to, true],
    [cc, false],
  ] as const) {
    for (const address of list) {
      const entry = signDomain(address.domain, context.domains);
      const company = isMailDomain(address.domain, context.domains);
      if (!entry && !company) continue;
      if (entry && !isTo && address.local === SEAL) throw refusals.sealInCc();
      // Of more the refusal names no more, and in a large company each takes a while to look for.
      const asking = { ...context, suggesting: bad.size < MOST_SUGGESTED };
      const resolution = entry
        ? await resolveOnSignDomain(address, entry, sender, asking)
        : await resolveCompany(address, asking);
      if (resolution.kind === 'own') throw resolution.refusal;
      if (resolution.kind === 'unknown') bad.set(address.address, unknownLine(address.address, resolution.suggestions));
      if (resolution.kind === 'ambiguous') bad.set(address.address, ambiguousLine(address.address));
      for (const person of peopleOf(resolution)) {
        persons.add(person.id);
        if (entry && isTo) signatories.set(person.id, person);
        else copies.set(person.id, person);
      }
    }
  }
  if (bad.size > 0) throw refusals.badRecipients([...bad.values()]);
  if (signatories.size === 0) throw refusals.noSignatory();
  if (level === 'seal') {
    const others = [...signatories.values()].filter(({ id }) => id !== sender.id);
    if (others.length > 0) throw refusals.sealHasNoSignatory(others.map(({ mail }) => mail));
    signatories.clear();
  }
  return {
    signatories: [...signatories.values()],
    // The sender is a party anyway, and so is who signs.
    copies: [...copies.values()].filter(person => person.id !== sender.id && !signatories.has(person.id)),
    named: { addresses: new Set([...to, ...cc].map(({ address }) => address)), persons },
  };
}

function peopleOf(resolution: Resolution): readonly Person[] {
  if (resolution.kind === 'person') return [resolution.person];
  return resolution.kind === 'group' ? resolution.members : [];
}

async function resolveCompany(address: Address, context: PartiesContext): Promise<Resolution> {
  const known = await lookUp(address, [address.address], context);
  if (known) return known;
  if (context.suggesting === false) return { kind: 'unknown', suggestions: [] };
  const suggestions = await context.directory.suggest(address.address);
  return { kind: 'unknown', suggestions: suggestions.map(candidate => candidate.mail) };
}

/** The one person who has one of these addresses, else the one group; null when nobody has. */
async function lookUp(
  written: Address,
  addresses: readonly string[],
  { directory, maxGroupMembers }: PartiesContext,
): Promise<Resolution | null> {
  try {
    const people = new Map<string, Person>();
    for (const address of addresses) {
      const person = await directory.findByMail(address);
      if (person) people.set(person.id, person);
    }
    const [person] = people.values();
    if (people.size > 1) return { kind: 'ambiguous' };
    if (person) return { kind: 'person', person };
    const groups = new Map<string, readonly Person[]>();
    for (const address of addresses) {
      const members = await directory.findGroup(address, maxGroupMembers);
      if (members) groups.set(address, members);
    }
    const [members] = groups.values();
    if (groups.size > 1) return { kind: 'ambiguous' };
    if (!members) return null;
    if (members.length > maxGroupMembers) throw refusals.groupTooLarge(written.address, maxGroupMembers);
    if (members.length === 0) throw refusals.emptyGroup(written.address);
    return { kind: 'group', members };
  } catch (error) {
    if (error instanceof DirectoryAmbiguous) return { kind: 'ambiguous' };
    throw error;
  }
}
