/**
 * Who people are. One interface, one file per implementation (a YAML file, LDAP);
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
  /** Names of every group that the person is in, those reached through other groups included. */
  readonly groups: readonly string[];
  /** Ids of the persons who may send in this person's name. */
  readonly delegates: readonly string[];
  readonly mobile: string | null;
}

/** A person's own password: `unsupported` where the directory keeps none for them. */
export type PasswordCheck = 'right' | 'wrong' | 'unsupported';

/** The directory did not answer. Callers reply temporarily (SMTP 451), never "unknown user". */
export class DirectoryUnavailable extends Error {
  override readonly name = 'DirectoryUnavailable';
}

/**
 * Two entries of the directory claim one address, login or id, so it belongs to nobody until an administrator mends it.
 * A permanent refusal that says so, never either of the two.
 */
export class DirectoryAmbiguous extends Error {
  override readonly name = 'DirectoryAmbiguous';
}

export interface Directory {
  /** The person who owns this address (case-insensitive, aliases included), or null. @throws DirectoryUnavailable, DirectoryAmbiguous */
  findByMail(address: string): Promise<Person | null>;
  /** The person behind a SASL login: a login name or an address of theirs, or null. @throws DirectoryUnavailable, DirectoryAmbiguous */
  findByLogin(login: string): Promise<Person | null>;
  /** The person with this id, or null. @throws DirectoryUnavailable, DirectoryAmbiguous */
  findById(id: string): Promise<Person | null>;
  /** Up to three people whose address is close to this one (edit distance), for "did you mean" in refusals. */
  suggest(address: string): Promise<readonly Person[]>;
  /**
   * The members of the group with this address, through other groups, too, each once, in the directory's order;
   * null when no group has it. Disabled and locked people are none.
   *
   * @param most how many the caller can use: of a larger group more than these are returned, but not all
   * @throws DirectoryUnavailable, DirectoryAmbiguous
   */
  findGroup(address: string, most: number): Promise<readonly Person[] | null>;
  /**
   * Whether this is the person's password; the empty one never is. With LDAP each call is one login attempt at the
   * directory, which may lock the account after several: callers limit them. A locked or disabled account's is `wrong`.
   *
   * @throws DirectoryUnavailable
   */
  checkPassword(person: Person, password: string): Promise<PasswordCheck>;
  /**
   * Writes a certificate (DER) that was issued to the person into their entry, where the directory keeps such; safe to
   * repeat. @throws DirectoryUnavailable
   */
  publishCertificate(personId: string, certificate: Uint8Array): Promise<void>;
  /** Ends connections; nothing is asked afterwards. */
  close(): Promise<void>;
}

/**
 * The address's person, where one that two entries have is simply nobody's: for those who must not tell who exists.
 * @throws DirectoryUnavailable
 */
export async function ownerOf(directory: Pick<Directory, 'findByMail'>, address: string): Promise<Person | null> {
  try {
    return await directory.findByMail(address);
  } catch (error) {
    if (error instanceof DirectoryAmbiguous) return null;
    throw error;
  }
}
