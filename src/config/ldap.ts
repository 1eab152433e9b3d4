/**
 * Settings of an LDAP directory: how to reach the servers, and which attribute says what. A layout fills in everything;
 * each attribute and filter can be written otherwise.
 */
import { type Filter, FilterParser } from 'ldapts';
import { z } from 'zod';
import { isLoopback } from './loopback.ts';

/** RFC 4512 §2.5: an attribute description. */
const attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9-]*(;binary)?$/, 'write the name of an attribute');
/** One attribute, or several that are looked at in this order; none where the directory has no such thing. */
const attributes = z.union(
  [attribute.transform(name => [name]), z.array(attribute), z.null().transform((): string[] => [])],
  'write the name of an attribute, or several: [displayName, cn]',
);

/** RFC 4515; only admins write such, in the configuration. */
const filter = z.string().transform((text, context): Filter => {
  try {
    return FilterParser.parseString(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'write an LDAP filter such as (objectClass=inetOrgPerson)' });
    return z.NEVER;
  }
});

const server = z.string().refine(
  text => {
    const url = URL.canParse(text) ? new URL(text) : null;
    return url !== null && /^ldaps?:$/.test(url.protocol) && url.hostname !== '' && /^\/?$/.test(url.pathname);
  },
  { message: 'write ldaps://HOST, ldaps://HOST:PORT or ldap://HOST (which is used with StartTLS)' },
);

const people = z.strictObject({
  /** Where people are; the domain's base when absent. */
  base: z.string().min(1).optional(),
  /** Which entries are people. */
  filter: filter.optional(),
  /** A value that never changes and is never given to somebody else. */
  id: attribute.optional(),
  name: attributes.optional(),
  givenName: attributes.optional(),
  surname: attributes.optional(),
  /** The address that mail is sent to. */
  mail: attributes.optional(),
  /** Further addresses; of proxyAddresses those with smtp: in front. */
  aliases: attributes.optional(),
  /** Login names beside the addresses. */
  logins: attributes.optional(),
  language: attributes.optional(),
  title: attributes.optional(),
  mobile: attributes.optional(),
  /** DNs or addresses of those who may send in this person's name. */
  delegates: attributes.optional(),
});

const groups = z.strictObject({
  base: z.string().min(1).optional(),
  filter: filter.optional(),
  /** The name that policy and seal.allowed use. */
  name: attribute.optional(),
  mail: attributes.optional(),
  /** Holds the members' DNs. */
  member: attribute.optional(),
  /** How groups in groups are followed: step by step, or by the server (Active Directory's matching rule). */
  nested: z.enum(['walk', 'in-chain']).optional(),
});

/** What a layout says of each setting. */
type Layout = {
  readonly people: Required<Omit<z.infer<typeof people>, 'base'>>;
  readonly groups: Required<Omit<z.infer<typeof groups>, 'base'>>;
};

const LAYOUTS: Readonly<Record<'openldap' | 'active-directory', Layout>> = {
  openldap: {
    people: {
      filter: FilterParser.parseString('(objectClass=inetOrgPerson)'),
      id: 'entryUUID',
      name: ['displayName', 'cn'],
      givenName: ['givenName'],
      surname: ['sn'],
      mail: ['mail'],
      aliases: ['mailLocalAddress', 'mailAlternateAddress'],
      logins: ['uid'],
      language: ['preferredLanguage'],
      title: ['title'],
      mobile: ['mobile'],
      delegates: [],
    },
    groups: {
      filter: FilterParser.parseString('(objectClass=groupOfNames)'),
      name: 'cn',
      mail: ['mail', 'mailLocalAddress', 'mailAlternateAddress'],
      member: 'member',
      nested: 'walk',
    },
  },
  'active-directory': {
    people: {
      filter: FilterParser.parseString('(&(objectCategory=person)(objectClass=user))'),
      id: 'objectGUID',
      name: ['displayName', 'cn'],
      givenName: ['givenName'],
      surname: ['sn'],
      mail: ['mail'],
      aliases: ['proxyAddresses'],
      logins: ['sAMAccountName', 'userPrincipalName'],
      language: ['preferredLanguage'],
      title: ['title'],
      mobile: ['mobile'],
      delegates: ['publicDelegates'],
    },
    groups: {
      filter: FilterParser.parseString('(objectClass=group)'),
      name: 'cn',
      mail: ['mail', 'proxyAddresses'],
      member: 'member',
      nested: 'in-chain',
    },
  },
};

/** RFC 4523 section 2.1 wants ;binary; Active Directory goes without. */
const CERTIFICATE = { openldap: 'userCertificate;binary', 'active-directory': 'userCertificate' } as const;

/** Whether passwords may cross the wire to this server as the settings have it. */
function isProtected(url: string, startTls: boolean): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'ldaps:' || startTls || isLoopback(hostname);
}

/** @param milliseconds parses a duration */
export function ldapSchema(milliseconds: z.ZodType<number, string>) {
  return z
    .strictObject({
      /** For the log and for `signpost check`. */
      name: z.string().min(1).max(60),
      /** Tried in this order; one that doesn't answer is left alone for half a minute. */
      servers: z.array(server).min(1).max(10),
      /** Of ldap:// servers. Without it only loopback is allowed. */
      startTls: z.boolean().default(true),
      /** PEM file with the authorities that may vouch for the servers; null: those of the system. */
      ca: z.string().nullable().default(null),
      layout: z.enum(['openldap', 'active-directory']),
      base: z.string().min(1),
      /** The mail domains whose people are here; null: every one. */
      mailDomains: z.array(z.string().toLowerCase()).min(1).nullable().default(null),
      /** The account that reads. Its password stands in a file of mode 0600, or is the systemd credential of that name. */
      bind: z.strictObject({ dn: z.string().min(1), passwordFile: z.string().min(1) }),
      /** How long wrong passwords lock an account, where the directory unlocks it by time; null: until an admin does. */
      lockout: milliseconds.nullable().default(null),
      /** Whether a person's new certificate is written to their entry, and under which attribute. */
      userCertificate: z.union([z.boolean(), attribute]).default(false),
      /** Of one question to one server. */
      timeout: milliseconds.prefault('5 seconds'),
      people: people.prefault({}),
      groups: groups.prefault({}),
    })
    .superRefine(({ servers, startTls }, context) => {
      for (const [index, url] of servers.entries()) {
        if (!isProtected(url, startTls))
          context.addIssue({
            code: 'custom',
            path: ['servers', index],
            message: 'would carry passwords unprotected: use ldaps://, or startTls: true',
          });
      }
    })
    .transform(({ people, groups, layout, userCertificate, ...settings }) => ({
      ...settings,
      layout,
      userCertificate:
        typeof userCertificate === 'string' ? userCertificate : userCertificate ? CERTIFICATE[layout] : null,
      people: { base: settings.base, ...LAYOUTS[layout].people, ...defined(people) },
      groups: { base: settings.base, ...LAYOUTS[layout].groups, ...defined(groups) },
    }));
}

/** Without the settings that aren't there, so that they don't hide the layout's. */
function defined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}

/** One domain of the directory, with everything that its layout filled in. */
export type LdapSettings = z.infer<ReturnType<typeof ldapSchema>>;
