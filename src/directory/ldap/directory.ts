/**
 * The directory in LDAP: several domains as one. Who may do what is asked of the servers each time; only suggestions of
 * names are remembered, and also given while no server answers.
 */
import { InappropriateAuthError, InvalidCredentialsError, ResultCodeError, UnwillingToPerformError } from 'ldapts';
import type { Logger } from 'pino';
import { type Directory, DirectoryAmbiguous, DirectoryUnavailable, type Person } from '../directory.ts';
import { closest } from '../suggest.ts';
import { ServerDown } from './connection.ts';
import type { LdapDomain } from './domain.ts';
import { type Found, folded } from './entry.ts';
import type { Servers } from './servers.ts';

export interface LdapDirectoryDeps {
  readonly domains: readonly { readonly domain: LdapDomain; readonly servers: Servers }[];
  readonly now: () => Date;
  readonly log: Logger;
}

/** How long the list of names for suggestions counts as new. */
const LIST_FRESH = 10 * 60_000;

interface Claim {
  readonly domain: LdapDomain;
  readonly found: Found;
}

export function createLdapDirectory(deps: LdapDirectoryDeps): Directory {
  const domains = deps.domains.map(({ domain }) => domain);

  /** Everybody who claims it in any domain, each once. All must answer: who doesn't might hold a second one. */
  async function claims(ask: (domain: LdapDomain) => Promise<Found[]>): Promise<Claim[]> {
    const lists = await Promise.all(domains.map(async domain => (await ask(domain)).map(found => ({ domain, found }))));
    // Two domains may be configured with bases that hold the same entry. Equal ids alone are two people, mixed up.
    const entry = ({ found }: Claim): string => JSON.stringify([found.person.id, found.dn.toLowerCase()]);
    return [...new Map(lists.flat().map(claim => [entry(claim), claim])).values()];
  }

  /** @throws DirectoryAmbiguous when it is more than one's; whose account is disabled has left, and claims nothing */
  function only(all: readonly Claim[], what: string): Claim | null {
    const living = all.filter(({ found }) => found.state !== 'disabled');
    if (living.length > 1) {
      const dns = living.map(({ found }) => found.dn);
      deps.log.error(
        { what, dns },
        'two entries of the directory claim the same; it counts as nobody’s until one goes',
      );
      throw new DirectoryAmbiguous(`${what} belongs to ${living.length} entries of the directory`);
    }
    const [claim] = living;
    return claim?.found.state === 'active' ? claim : null;
  }

  /** Ids are never given twice, so the one domain that has it is enough; nobody has it only when all say so. */
  async function claimsOfId(id: string): Promise<Claim[]> {
    const answers = await Promise.allSettled(domains.map(async domain => ({ domain, found: await domain.byId(id) })));
    const some = answers
      .flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []))
      .flatMap(({ domain, found }) => found.map(one => ({ domain, found: one })));
    const silent = answers.find(answer => answer.status === 'rejected');
    if (some.length === 0 && silent) throw silent.reason;
    const dns = new Map(some.map(claim => [claim.found.dn.toLowerCase(), claim]));
    return [...dns.values()];
  }

  async function person(all: Promise<Claim[]>, what: string): Promise<Person | null> {
    const claim = only(await all, what);
    return claim === null ? null : claim.domain.complete(claim.found);
  }

  let list: { readonly people: readonly Person[]; readonly until: number } | null = null;
  let listing: Promise<void> | null = null;

  async function relist(): Promise<void> {
    try {
      const all = await claims(domain => domain.everybody());
      const active = all.filter(({ found }) => found.state === 'active');
      const people = active.map(({ found }) => ({ ...found.person, groups: [], delegates: [] }));
      list = { people, until: deps.now().getTime() + LIST_FRESH };
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      deps.log.warn(
        { reason: error.message },
        'the directory did not list its people; refusals suggest names as before',
      );
    }
  }

  return {
    findByMail: mail =>
      person(
        claims(domain => domain.byMail(folded(mail))),
        `the address ${folded(mail)}`,
      ),
    findByLogin: login =>
      person(
        claims(domain => domain.byLogin(folded(login))),
        `the login ${folded(login)}`,
      ),
    findById: id => person(claimsOfId(id), `the id ${id}`),

    async suggest(address) {
      if (list === null || list.until <= deps.now().getTime()) {
        listing ??= relist().finally(() => {
          listing = null;
        });
        await listing;
      }
      return closest(address, list?.people ?? []);
    },

    async findGroup(mail, most) {
      const address = folded(mail);
      const lists = await Promise.all(
        domains.map(async domain => (await domain.groupsByMail(address)).map(group => ({ domain, group }))),
      );
      const groups = [...new Map(lists.flat().map(one => [one.group.dn.toLowerCase(), one])).values()];
      if (groups.length > 1) throw new DirectoryAmbiguous(`the address ${address} belongs to ${groups.length} groups`);
      const [one] = groups;
      if (!one) return null;
      const members = await one.domain.membersOf(one.group, most);
      return Promise.all(members.map(found => one.domain.complete(found)));
    },

    async checkPassword({ id }, password) {
      if (password === '') return 'wrong';
      const claim = only(await claimsOfId(id), `the id ${id}`);
      if (!claim) return 'wrong';
      try {
        await claim.domain.tryPassword(claim.found, password);
        return 'right';
      } catch (error) {
        if (isRefusal(error)) return 'wrong';
        if (error instanceof ServerDown || error instanceof ResultCodeError)
          throw new DirectoryUnavailable(`directory ${claim.domain.name}: ${error.message}`);
        throw error;
      }
    },

    async publishCertificate(personId, certificate) {
      const writing = domains.filter(domain => domain.writesCertificates);
      for (const domain of writing) {
        for (const found of await domain.byId(personId)) await domain.addCertificate(found, certificate);
      }
    },

    async close() {
      for (const { servers } of deps.domains) servers.close();
    },
  };
}

/** What a server answers to a wrong password, a locked account, or one without a password. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof InvalidCredentialsError ||
    error instanceof InappropriateAuthError ||
    error instanceof UnwillingToPerformError
  );
}
