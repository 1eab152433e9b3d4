/**
 * The configuration file as types: parsed once, at start. config/signpost.example.yaml explains each setting to admins.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { LANGUAGES } from '../directory/directory.ts';
import { LEVELS, PROOFS, type Proof } from '../requests/model.ts';
import { ldapSchema } from './ldap.ts';

const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;

/** "7 days", "90 seconds" → milliseconds. */
const duration = z.string().transform((text, context) => {
  const match = /^(\d+) ?(second|minute|hour|day)s?$/.exec(text.trim());
  if (!match) {
    context.addIssue({ code: 'custom', message: 'write a duration such as "7 days", "12 hours", "90 seconds"' });
    return z.NEVER;
  }
  return Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] * 1000;
});

/** "25 MiB" → bytes. */
const size = z.string().transform((text, context) => {
  const match = /^(\d+) ?(KiB|MiB)$/.exec(text.trim());
  if (!match) {
    context.addIssue({ code: 'custom', message: 'write a size such as "25 MiB" or "500 KiB"' });
    return z.NEVER;
  }
  return Number(match[1]) * (match[2] === 'MiB' ? 1024 * 1024 : 1024);
});

const domain = z.string().regex(/^(?=.{1,253}$)[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'write a domain in lower case, without @');

/** "password + mailed-code": what has to be shown together. */
const proofs = z.string().transform((text, context): readonly Proof[] => {
  const names = text.split('+').map(name => name.trim());
  const found = PROOFS.filter(proof => names.includes(proof));
  if (found.length !== names.length) {
    context.addIssue({ code: 'custom', message: `write ${PROOFS.join(', ')}, or several joined by +` });
    return z.NEVER;
  }
  return found;
});

/** Where a listener listens. */
export type Listen = { readonly path: string } | { readonly host: string; readonly port: number };

/** "127.0.0.1:8891" or "unix:/run/signpost/milter.sock" */
const listen = z.string().transform((text, context): Listen => {
  if (text.startsWith('unix:/')) return { path: text.slice(5) };
  const match = /^(.+):(\d+)$/.exec(text);
  if (!match || Number(match[2]) > 65_535) {
    context.addIssue({ code: 'custom', message: 'write HOST:PORT or unix:/absolute/path' });
    return z.NEVER;
  }
  return { host: match[1]!, port: Number(match[2]) };
});

/** An IP address or a range of them. */
const network = z.string().refine(text => {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128);
}, 'write an IP address or a range such as 192.0.2.0/24');

/** An IP address, with a port where it isn't 53: as node:dns takes it. */
const dnsServer = z.string().refine(text => {
  const [, v6, v4] = /^(?:\[(.+)\](?::\d+)?|([^:]+)(?::\d+)?)$/.exec(text) ?? [];
  return isIP(v6 ?? v4 ?? text) !== 0;
}, 'write an IP address, or IP:PORT ([IPv6]:PORT)');

/** Where a private key is: keys/NAME.p8, or under a label on a PKCS#11 token. */
const keyPlace = z
  .union(
    [
      z.literal('file'),
      z.strictObject({
        pkcs11: z.strictObject({
          /** Path of the vendor's library. */
          module: z.string(),
          /** The token's label. */
          token: z.string(),
          /** The key's label on it. */
          label: z.string(),
          /** File with the user PIN, mode 0600. */
          pinFile: z.string(),
        }),
      }),
    ],
    'write file, or { pkcs11: { module: …, token: …, label: …, pinFile: … } }',
  )
  .default('file');

export type KeyPlace = z.infer<typeof keyPlace>;

const passkeys = z.enum(['off', 'offered', 'required']).default('off');

function namesMailedCode(policy: { readonly [level: string]: readonly (readonly Proof[])[] }): boolean {
  return Object.values(policy).some(alternatives => alternatives.flat().includes('mailed-code'));
}

const oid = z
  .string()
  .regex(/^[0-2](\.(0|[1-9]\d*))+$/, 'write an object identifier, for example 1.3.6.1.4.1.99999.1.1');

/** A URL in certificates: plain http is right, for what is behind it is signed (RFC 5280 §8). */
const published = z.url({ protocol: /^https?$/, error: 'write a URL that begins with http:// or https://' });
const publishedByCa = published.refine(
  text => text.includes('{ca}'),
  'write {ca} where the name of the CA belongs: there are several after the first rotation',
);

/** Groups and person ids. */
const people = z.union(
  [z.literal('everyone'), z.array(z.string().min(1)).min(1)],
  'write everyone, or groups and ids of people: [board, mary.smith]',
);

export const configSchema = z.strictObject({
  company: z.strictObject({
    name: z.string().min(1).max(64),
    vat: z.string().nullable().default(null),
    /** ISO 3166-1 alpha-2, for certificates. */
    country: z.string().regex(/^[A-Z]{2}$/),
  }),
  /** Where phones reach the gateway: https, or http on loopback. */
  publicUrl: z.url().transform(text => text.replace(/\/+$/, '')),
  /** Absolute, or relative to the config file. */
  state: z.string().default('state'),
  domains: z.array(z.strictObject({ sign: domain, mail: z.array(domain).min(1) })).min(1),
  /** Addresses that are told what ends soon or went wrong (src/watch). */
  admin: z.array(z.email().transform(address => address.toLowerCase())).default([]),
  /** Who people are: a file of people, or LDAP domains. */
  directory: z
    .strictObject({
      file: z.string().optional(),
      ldap: z.array(ldapSchema(duration)).min(1).max(10).optional(),
    })
    .transform(({ file, ldap }, context) => {
      if (ldap === undefined) return { file: file ?? 'people.yaml' };
      if (file === undefined) return { ldap };
      context.addIssue({ code: 'custom', message: 'people come from the file or from ldap, not from both' });
      return z.NEVER;
    }),
  mail: z.strictObject({
    milter: listen,
    lmtp: listen,
    /** The Postfix that takes our mail. */
    smtp: z.strictObject({ host: z.string(), port: z.number().int() }),
    /** Our address on the first sign domain. */
    from: z.string().default('signpost'),
    /** Addresses (or CIDR ranges) of relays that authenticate their senders and enforce that the envelope sender is the login. */
    authenticatingRelays: z.array(network).default([]),
    /** The same for relays that show a TLS client certificate which Postfix verified: common names of the certificate and its issuer. */
    relayCertificates: z.array(z.strictObject({ subject: z.string().min(1), issuer: z.string().min(1) })).default([]),
    maxMessageSize: size.prefault('25 MiB'),
    maxDocuments: z.number().int().min(1).default(10),
    /** How long a verdict is believed; outlives Postfix's maximal_queue_lifetime. */
    verdictLifetime: duration.prefault('10 days'),
  }),
  /** Mail of people who did not log in here: their mail domain has to prove that it comes from there. */
  senders: z
    .strictObject({
      /** Whether such mail is taken at all, when it passes DMARC. */
      dmarc: z.boolean().default(true),
      /** Longest age of its signature. */
      maxAge: duration.prefault('1 day'),
      /** Mail domains whose SPF record is proof enough, without a DKIM signature. */
      spfAlone: z.array(domain).default([]),
      /** Signing domains of forwarders whose word is taken (ARC). */
      arcSealers: z.array(domain).default([]),
    })
    .prefault({}),
  http: z.strictObject({
    listen,
    /** Without it plain HTTP, which only loopback listeners may use. Files are read again when they change. */
    tls: z.strictObject({ certificate: z.string(), key: z.string() }).nullable().default(null),
    /** Addresses of reverse proxies whose X-Forwarded-For is believed. */
    trustedProxies: z.array(z.string()).default([]),
  }),
  levels: z
    .strictObject({
      default: z.enum(LEVELS).default('advanced'),
      offered: z.array(z.enum(LEVELS)).min(1).default(['standard', 'advanced']),
    })
    .prefault({}),
  /** The company seal without a signatory: who may have a document sealed, by group or person id. */
  seal: z
    .strictObject({ allowed: z.union([z.literal('everyone'), z.array(z.string().min(1))]).default([]) })
    .prefault({}),
  /** Who may ask whom at which level (src/policy); null: everybody everybody, at each level that is offered. */
  policy: z
    .array(
      z.strictObject({
        /** Groups, ids, `self` for whoever asks themselves. The first entry that names a signatory decides. */
        signatories: people,
        allowed: z.array(
          z.strictObject({
            senders: people,
            /** Every one that is offered, when absent. */
            levels: z
              .array(z.enum(['standard', 'advanced', 'qualified']))
              .min(1)
              .optional(),
          }),
        ),
      }),
    )
    .min(1)
    .nullable()
    .default(null),
  language: z.enum(LANGUAGES).default('en'),
  requests: z
    .strictObject({
      expiry: duration.prefault('7 days'),
      maxExpiry: duration.prefault('30 days'),
      /** People whom a group's address may stand for. */
      maxGroupMembers: z.number().int().min(1).max(200).default(50),
      /** Of one sender: requests that wait; those of them that wait for one person; all within 24 hours. */
      maxPendingPerSender: z.number().int().min(1).default(100),
      maxPendingPerPair: z.number().int().min(1).default(50),
      maxPerDay: z.number().int().min(1).default(500),
      mode: z.enum(['parallel', 'ordered']).default('parallel'),
      rejectionComment: z.enum(['optional', 'required']).default('optional'),
    })
    .prefault({}),
  enrolment: z
    .strictObject({
      mailedCode: z.boolean().default(false),
      codeLifetime: duration.prefault('15 minutes'),
      codesPerDay: z.number().int().default(5),
      /** By level, what a device needs that signs at it: any one of the list (requests/proofs.ts). */
      proofs: z
        .strictObject({ standard: z.array(proofs).min(1), advanced: z.array(proofs).min(1) })
        .nullable()
        .default(null),
      /** Wrong passwords that reach the directory per person and hour; half of them only with a link of the person's own. */
      passwordTries: z.number().int().min(2).default(4),
      /** By level, whether a device adds a passkey (WebAuthn) to its signatures. */
      passkeys: z.strictObject({ standard: passkeys, advanced: passkeys }).prefault({}),
    })
    .refine(({ mailedCode, proofs: policy }) => !mailedCode || policy === null || namesMailedCode(policy), {
      message: 'is true, but no level names mailed-code in enrolment.proofs',
      path: ['mailedCode'],
    })
    .prefault({}),
  /** What stands in certificates. */
  certificates: z
    .strictObject({
      /** Of persons. */
      validity: duration.prefault('30 days'),
      /** Which CA issues persons' certificates: the company's own, or the one of pki.global. */
      scope: z.enum(['local', 'global']).default('local'),
      /** organizationName, where it isn't company.name. */
      organization: z.string().min(1).max(64).nullable().default(null),
      /** organizationIdentifier (ETSI EN 319 412-1 §5.1.4), where it isn't made of company.vat. */
      organizationIdentifier: z
        .string()
        .regex(/^[A-Z]{3}[A-Z]{2}-\S{1,58}$/, 'write it like VATLU-12345678 or NTRLU-B123456')
        .nullable()
        .default(null),
      /** Certificate policies (RFC 5280 §4.2.1.4) of each kind; without any, the certificate says "any policy". */
      policies: z
        .strictObject({
          person: z.array(oid).default([]),
          seal: z.array(oid).default([]),
          tsa: z.array(oid).default([]),
        })
        .prefault({}),
      /** Where validators find revocation lists, OCSP and CA certificates; under publicUrl where left out. */
      urls: z
        .strictObject({
          ocsp: published.nullable().default(null),
          crl: publishedByCa.nullable().default(null),
          ca: publishedByCa.nullable().default(null),
        })
        .prefault({}),
    })
    .prefault({}),
  pki: z
    .strictObject({
      keys: z.strictObject({ ca: keyPlace, seal: keyPlace, tsa: keyPlace }).prefault({}),
      /** A second CA, in the folder global/: for persons' certificates that others than the company trust. */
      global: z.strictObject({ key: keyPlace }).nullable().default(null),
    })
    .prefault({}),
  timestamps: z
    .strictObject({
      /** Tried in order; "embedded" is our own authority, anything else the URL of an RFC 3161 service. */
      authorities: z
        .array(z.union([z.literal('embedded'), z.strictObject({ url: z.url(), trust: z.string() })]))
        .min(1)
        .default(['embedded']),
      /**
       * Whom to ask whether others' certificates (of an outside TSA, of CAs above ours) are revoked, where these say that it can
       * be asked: machines of the public internet; of the inner network, too; or nobody.
       */
      askOutside: z.enum(['public', 'anybody', 'nobody']).default('public'),
      /** TSTInfo.policy of our own authority (RFC 3161 §2.4.2); ETSI's best practices policy. */
      policy: oid.default('0.4.0.2023.1.1'),
    })
    .prefault({}),
  documents: z
    .strictObject({
      maxPages: z.number().int().default(2000),
      memory: size.prefault('512 MiB'),
      timeout: duration.prefault('30 seconds'),
      /** Whether mail may bring other files than PDFs to be signed. */
      otherFiles: z.boolean().default(false),
      /** Their signatures: around the file (.p7m), or beside it (.p7s). */
      cades: z.enum(['embedded', 'detached']).default('embedded'),
      /** Whether documents get a signature page at the level Advanced; at the others they always do. */
      signaturePage: z.boolean().default(true),
    })
    .prefault({}),
  /** Finished documents that are kept. */
  archive: z
    .strictObject({
      /** How long before the timestamp's certificate ends a document gets fresh evidence and a new timestamp. */
      extendBefore: duration.prefault('90 days'),
    })
    .prefault({}),
  /** The log of everything that happened (src/evidence). */
  evidence: z
    .strictObject({
      /** How often its head is timestamped while there is something new. */
      timestampEvery: duration.prefault('1 hour'),
    })
    .prefault({}),
  /** What the gateway looks at by itself (src/watch). */
  watch: z
    .strictObject({
      /** How often it looks; each look asks for a timestamp. */
      every: duration.prefault('1 hour'),
      /** Less free space where the state is, is a fault. */
      freeSpace: size.prefault('500 MiB'),
      /** A mail of ours that waits for longer is a fault. */
      mailWaits: duration.prefault('4 hours'),
    })
    .prefault({}),
  /** File with the passphrase of the key files; a systemd credential in production. */
  passphrase: z.string().default('passphrase'),
  /** Name servers that are asked about senders' domains. */
  dns: z
    .strictObject({
      /** IP addresses, with a port where it isn't 53; none: the system's. */
      servers: z.array(dnsServer).default([]),
      /** How long one gets for an answer. */
      timeout: duration.prefault('5 seconds'),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

export type Config = z.infer<typeof configSchema> & {
  /** Absolute folder of the config file; keys/ and certs/ lie in it. */
  readonly folder: string;
};
