/**
 * Who people are. One interface, one file per implementation (a YAML file now, LDAP later);
 * test/unit/directory/contract.ts is the contract test that each of them passes.
 */

export const LANGUAGES = ['en', 'fr', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A person of the company, as the directory knows them. Never built from a mail header. */
export interface Person {
  /** Stable identifier, unique in the directory; never shown to other parties. */
  readonly id: string;
  /** Name as shown in mails, documents and certificates (commonName). */
  readonly name: string;
  readonly givenName: string | null;
  readonly surname: string | null;
  /** Primary address, lower case; the only one that mail is ever sent to. */
  readonly mail: string;
  /** Every address of the person, lower case, the primary one first. */
  readonly addresses: readonly string[];
  readonly language: Language;
  readonly title: string | null;
  readonly groups: readonly string[];
}

/** The directory did not answer. Callers reply temporarily (SMTP 451), never "unknown user". */
export class DirectoryUnavailable extends Error {
  override readonly name = 'DirectoryUnavailable';
}

export interface Directory {
  /** The person who owns this address (case-insensitive, aliases included), or null. @throws DirectoryUnavailable */
  findByMail(address: string): Promise<Person | null>;
  /** The person behind a SASL login: a login name or an address of theirs, or null. @throws DirectoryUnavailable */
  findByLogin(login: string): Promise<Person | null>;
  /** The person with this id, or null. @throws DirectoryUnavailable */
  findById(id: string): Promise<Person | null>;
  /** Up to three people whose address is close to this one (edit distance), for "did you mean" in refusals. */
  suggest(address: string): Promise<readonly Person[]>;
}
