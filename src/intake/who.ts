/** Who sends, as far as the SMTP session tells: the first half of every admission. Facts come from macros only. */
import { BlockList, isIP } from 'node:net';
import type { ClientInfo, Macros } from '../../milter/handler.ts';
import type { Config } from '../config/schema.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { refusals } from './refusals.ts';

export interface Authenticated {
  /** Who sent it: in their own name, or as a delegate in another's. */
  readonly person: Person;
  readonly method: 'sasl' | 'relay' | 'dmarc' | 'arc';
  /** For Authentication-Results (RFC 8601 §2.2), without our id; none where no method of that registry was used. */
  readonly results: readonly string[];
}

/**
 * Answers whether an address belongs to a relay that the config names as authenticating its senders.
 *
 * @param relays IP addresses or ranges (192.0.2.0/24)
 * @throws Error in words when one is neither
 */
export function relayMatcher(relays: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const relay of relays) {
    const [network = '', bits] = relay.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    try {
      if (bits === undefined) list.addAddress(network, family);
      else list.addSubnet(network, Number(bits), family);
    } catch {
      throw new Error(`mail.authenticatingRelays: "${relay}" is no IP address or range such as 192.0.2.0/24`);
    }
  }
  return address => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/**
 * Whether the client is a relay with a configured TLS client certificate. Postfix gives {cert_subject} and
 * {cert_issuer} (the common names) only of a certificate that it verified (MILTER_README), and none without TLS.
 */
function hasRelayCertificate(macros: Macros, certificates: Config['mail']['relayCertificates']): boolean {
  const subject = macros.get('cert_subject') ?? '';
  const issuer = macros.get('cert_issuer') ?? '';
  if (subject === '' || issuer === '' || (macros.get('tls_version') ?? '') === '') return false;
  return certificates.some(known => known.subject === subject && known.issuer === issuer);
}

/**
 * The SASL login's person, else, behind an authenticating relay, the envelope sender's; a login must be the envelope
 * sender's person, or a delegate of theirs. A relay may log in with an account of its own, which is nobody's. Null: the
 * session proves nothing.
 *
 * @throws Refusal, DirectoryUnavailable
 */
export async function authenticate(
  sender: string,
  client: ClientInfo | null,
  macros: Macros,
  directory: Directory,
  isRelay: (address: string) => boolean,
  certificates: Config['mail']['relayCertificates'],
): Promise<Authenticated | null> {
  const login = macros.get('auth_authen') ?? '';
  const behindRelay = (client !== null && isRelay(client.address)) || hasRelayCertificate(macros, certificates);
  if (login === '' && !behindRelay) return null;
  const person = login === '' ? null : await directory.findByLogin(login);
  if (!person && !behindRelay) throw refusals.unknownLogin();
  const owner = await directory.findByMail(sender);
  if (person) {
    if (!owner || !maySendFor(person, owner)) throw refusals.senderIsNotLogin(sender);
    return { person, method: 'sasl', results: ['auth=pass'] };
  }
  if (!owner) throw refusals.unknownSender(sender);
  return { person: owner, method: 'relay', results: [] };
}

/** Whether this person may send in that one's name: it is the same, or the directory names them as a delegate. */
export function maySendFor(person: Person, author: Person): boolean {
  return author.id === person.id || author.delegates.includes(person.id);
}
