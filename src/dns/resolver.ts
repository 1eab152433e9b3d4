/**
 * DNS as the rest of the gateway asks it: what is there, nothing, or "could not be found out" as an error. A fault is
 * never "nothing": whoever decides something by a missing record would decide it by a dead name server (RFC 2308 §7).
 */
import { Resolver } from 'node:dns/promises';

export interface MailExchange {
  readonly exchange: string;
  readonly priority: number;
}

/** What a look-up of each type answers. */
export interface DnsRecords {
  readonly A: string;
  readonly AAAA: string;
  readonly CNAME: string;
  readonly MX: MailExchange;
  readonly NS: string;
  readonly PTR: string;
  /** The record's character strings (RFC 1035 §3.3.14): joined they are the text. */
  readonly TXT: readonly string[];
}
export type DnsType = keyof DnsRecords;

/** No answer, or one that says nothing: timeout, SERVFAIL, REFUSED, garbage. Callers reply temporarily. */
export class DnsUnavailable extends Error {
  override readonly name = 'DnsUnavailable';
  /** c-ares' code: ETIMEOUT, ESERVFAIL, … */
  readonly code: string;
  constructor(name: string, type: DnsType, code: string) {
    super(`no DNS answer for ${name} ${type} (${code})`);
    this.code = code;
  }
}

export interface Dns {
  /** The records of that name and type; [] where there are none (NXDOMAIN, NODATA). @throws DnsUnavailable */
  lookUp<T extends DnsType>(name: string, type: T): Promise<readonly DnsRecords[T][]>;
}

/** NXDOMAIN, NODATA, and names that no server can have. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);
const TRIES = 2;

/**
 * @param servers IP addresses, with a port where it isn't 53 ("127.0.0.1:5353"); none: those of the system
 * @param timeout milliseconds a server gets for an answer, each of two times
 * @throws Error when a server is no IP address
 */
export function createDns({
  servers,
  timeout,
}: {
  readonly servers: readonly string[];
  readonly timeout: number;
}): Dns {
  const resolver = new Resolver({ timeout, tries: TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  const ask: { readonly [T in DnsType]: (name: string) => Promise<readonly DnsRecords[T][]> } = {
    A: name => resolver.resolve4(name),
    AAAA: name => resolver.resolve6(name),
    CNAME: name => resolver.resolveCname(name),
    MX: name => resolver.resolveMx(name),
    NS: name => resolver.resolveNs(name),
    PTR: name => resolver.resolvePtr(name),
    TXT: name => resolver.resolveTxt(name),
  };
  return {
    async lookUp(name, type) {
      try {
        return await ask[type](name);
      } catch (error) {
        const { code = 'EUNKNOWN' } = error as NodeJS.ErrnoException;
        if (NOTHING.has(code)) return [];
        throw new DnsUnavailable(name, type, code);
      }
    },
  };
}
