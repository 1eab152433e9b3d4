/** One LDAP domain: what is asked of its servers, with filters made of objects, so that a name is never read as a filter. */
import {
  AndFilter,
  Attribute,
  Change,
  EqualityFilter,
  type Filter,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  OrFilter,
} from 'ldapts';
import type { LdapSettings } from '../../config/ldap.ts';
import type { Language, Person } from '../directory.ts';
import type { LdapConnection, Search } from './connection.ts';
import { addressesOf, attributesOf, type Found, folded, foundIn, idValue, isOctets, type LdapEntry } from './entry.ts';
import { groupsAround, isUnder, peopleIn } from './groups.ts';
import type { Servers } from './servers.ts';

export interface DomainDeps {
  readonly settings: LdapSettings;
  readonly servers: Servers;
  /** Of people whose own isn't known. */
  readonly language: Language;
  readonly now: () => Date;
}

/** A group that has the address. */
export interface FoundGroup {
  readonly dn: string;
  readonly name: string;
}

export class LdapDomain {
  readonly name: string;
  readonly #deps: DomainDeps;

  constructor(deps: DomainDeps) {
    this.name = deps.settings.name;
    this.#deps = deps;
  }

  /** Whether people of this mail domain can be here. */
  serves(address: string): boolean {
    const { mailDomains } = this.#deps.settings;
    const at = address.lastIndexOf('@');
    return at > 0 && (mailDomains === null || mailDomains.includes(address.slice(at + 1)));
  }

  /** Everybody who has this address, folded. The server's idea of equal is wider than ours. @throws DirectoryUnavailable */
  async byMail(address: string): Promise<Found[]> {
    if (!this.serves(address)) return [];
    const { mail, aliases } = this.#deps.settings.people;
    const found = await this.#people(hasAddress([...mail, ...aliases], address));
    return found.filter(({ person }) => person.addresses.includes(address));
  }

  /** @throws DirectoryUnavailable */
  async byLogin(login: string): Promise<Found[]> {
    if (login === '') return [];
    const { logins, mail, aliases } = this.#deps.settings.people;
    const names = logins.map(attribute => new EqualityFilter({ attribute, value: login }));
    const found = await this.#people(new OrFilter({ filters: [...names, hasAddress([...mail, ...aliases], login)] }));
    return found.filter(one => one.logins.includes(login) || one.person.addresses.includes(login));
  }

  /** @throws DirectoryUnavailable */
  async byId(id: string): Promise<Found[]> {
    const attribute = this.#deps.settings.people.id;
    const value = idValue(id, attribute);
    if (value === null) return [];
    const found = await this.#people(new EqualityFilter({ attribute, value }));
    return found.filter(({ person }) => person.id === id);
  }

  /** Everybody, with nothing but what names them. @throws DirectoryUnavailable */
  everybody(): Promise<Found[]> {
    return this.#people(null);
  }

  /** Groups that have this address, folded. @throws DirectoryUnavailable */
  async groupsByMail(address: string): Promise<FoundGroup[]> {
    const { groups } = this.#deps.settings;
    if (!this.serves(address) || groups.mail.length === 0) return [];
    const entries = await this.#search({
      base: groups.base,
      scope: 'sub',
      filter: new AndFilter({ filters: [groups.filter, hasAddress(groups.mail, address)] }),
      attributes: [groups.name, ...groups.mail],
    });
    return entries
      .filter(entry => addressesOf(entry, groups.mail).includes(address))
      .map(entry => ({ dn: entry.dn, name: entry.texts(groups.name)[0] ?? entry.dn }));
  }

  /** Who is in the group, through other groups, too; more than `most` means too many. @throws DirectoryUnavailable */
  membersOf(group: FoundGroup, most: number): Promise<Found[]> {
    return this.#deps.servers.ask(connection =>
      peopleIn(group.dn, most, this.#deps.settings, search => missingIsEmpty(connection, search), this.#parse),
    );
  }

  /** Adds what takes more questions. @throws DirectoryUnavailable */
  async complete(found: Found): Promise<Person> {
    const { servers, settings } = this.#deps;
    const [groups, delegates] = await Promise.all([
      servers.ask(connection => groupsAround(found.dn, settings, search => missingIsEmpty(connection, search))),
      this.#delegates(found.delegates),
    ]);
    return { ...found.person, groups, delegates };
  }

  /** Whether the password opens the entry: one login attempt, at one server. @throws DirectoryUnavailable, ServerDown, ResultCodeError */
  async tryPassword({ dn }: Found, password: string): Promise<void> {
    const connection = await this.#deps.servers.connect();
    try {
      await connection.bind(dn, password);
    } finally {
      connection.close();
    }
  }

  /** Adds a certificate (DER) to the person's entry; one that is there already stays. @throws DirectoryUnavailable */
  async addCertificate({ dn }: Found, certificate: Uint8Array): Promise<void> {
    const type = this.#deps.settings.userCertificate;
    if (type === null) return;
    const value = Buffer.from(certificate);
    await this.#deps.servers.ask(async connection => {
      const [entry] = await missingIsEmpty(connection, {
        base: dn,
        scope: 'base',
        filter: this.#deps.settings.people.filter,
        attributes: [type],
        binary: [type],
      });
      if (!entry || entry.octets(type).some(one => one.equals(value))) return;
      const modification = new Attribute({ type, values: [value] });
      await connection.modify(dn, [new Change({ operation: 'add', modification })]);
    });
  }

  get writesCertificates(): boolean {
    return this.#deps.settings.userCertificate !== null;
  }

  readonly #parse = (entry: LdapEntry): Found | null => {
    const { settings, language, now } = this.#deps;
    return foundIn(entry, settings, language, now());
  };

  #search(search: Search): Promise<LdapEntry[]> {
    return this.#deps.servers.ask(connection => connection.search(search));
  }

  async #people(filter: Filter | null): Promise<Found[]> {
    const { settings } = this.#deps;
    const { people } = settings;
    const entries = await this.#search({
      base: people.base,
      scope: 'sub',
      filter: filter === null ? people.filter : new AndFilter({ filters: [people.filter, filter] }),
      attributes: attributesOf(settings),
      binary: isOctets(people.id) ? [people.id] : [],
      paged: filter === null,
    });
    return entries.map(this.#parse).filter(found => found !== null);
  }

  /** Ids of those who are people here at the moment. */
  async #delegates(names: readonly string[]): Promise<string[]> {
    const { settings, servers } = this.#deps;
    const { people } = settings;
    const found = await Promise.all(
      names.slice(0, MOST_DELEGATES).map(async name => {
        if (!name.includes('=')) return this.byMail(folded(name));
        // Of an entry elsewhere a server may say so in a way that looks like trouble: a referral (RFC 4511 §4.1.10).
        if (!isUnder(name, people.base)) return [];
        const entries = await servers.ask(connection =>
          missingIsEmpty(connection, {
            base: name,
            scope: 'base',
            filter: people.filter,
            attributes: attributesOf(settings),
            binary: isOctets(people.id) ? [people.id] : [],
          }),
        );
        return entries.map(this.#parse).filter(one => one !== null);
      }),
    );
    const active = found.filter(list => list.length === 1).flatMap(([one]) => (one!.state === 'active' ? [one!] : []));
    return [...new Set(active.map(({ person }) => person.id))];
  }
}

const MOST_DELEGATES = 50;

/** An entry that a DN led to may be gone, and the DN be none; of a base that is there for a search it would be a fault. */
async function missingIsEmpty(connection: LdapConnection, search: Search): Promise<LdapEntry[]> {
  try {
    return await connection.search(search);
  } catch (error) {
    const nothingThere = error instanceof NoSuchObjectError || error instanceof InvalidDNSyntaxError;
    if (nothingThere && search.scope === 'base') return [];
    throw error;
  }
}

function hasAddress(attributes: readonly string[], address: string): Filter {
  const filters = attributes.map(
    attribute =>
      new EqualityFilter({
        attribute,
        value: attribute.toLowerCase() === 'proxyaddresses' ? `smtp:${address}` : address,
      }),
  );
  return new OrFilter({ filters });
}
