/**
 * The DNS that mailauth gets: ours, only for names that matter here, with every fault remembered. A stranger's mail names
 * name servers of the stranger's choice, which nobody needs to wait for.
 */
import type { DNSResolver } from 'mailauth';
import { type Dns, type DnsRecords, type DnsType, DnsUnavailable } from '../dns/resolver.ts';

export class MailauthDns {
  readonly #dns: Dns;
  readonly #matters: (name: string) => boolean;
  /** The first look-up without an answer: what mailauth says of what hangs on it proves nothing. */
  fault: DnsUnavailable | null = null;

  constructor(dns: Dns, matters: (name: string) => boolean) {
    this.#dns = dns;
    this.#matters = matters;
  }

  /** Like `dns.promises.resolve`, errors included. */
  readonly resolve: DNSResolver = async (name, type) => {
    if (!this.#matters(name.toLowerCase()) || !isType(type)) throw nothing('ENOTFOUND', name);
    try {
      const records = await this.#dns.lookUp(name, type);
      if (records.length === 0) throw nothing('ENODATA', name);
      // The declaration knows strings only; MX records come as node:dns has them.
      return [...records] as string[];
    } catch (error) {
      if (error instanceof DnsUnavailable) this.fault ??= error;
      throw error;
    }
  };
}

const TYPES: { readonly [T in DnsType]: DnsRecords[T] extends never ? never : true } = {
  A: true,
  AAAA: true,
  CNAME: true,
  MX: true,
  NS: true,
  PTR: true,
  TXT: true,
};

function isType(type: string): type is DnsType {
  return Object.hasOwn(TYPES, type);
}

function nothing(code: 'ENOTFOUND' | 'ENODATA', name: string): Error {
  return Object.assign(new Error(`${code} ${name}`), { code });
}
