/** Who sends: the first half of every admission. Facts come from the mail server's macros, never from the message. */
import { BlockList, isIP } from 'node:net';
import type { ClientInfo, Macros } from '../../milter/handler.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { refusals } from './refusal.ts';

export interface Authenticated {
  readonly person: Person;
  readonly method: 'sasl' | 'relay';
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
 * The SASL login's person, else, behind an authenticating relay, the envelope sender's; a login must be the envelope
 * sender's person, too. A relay may log in with an account of its own, which is nobody's.
 *
 * @throws Refusal, DirectoryUnavailable
 */
export async function authenticate(
  sender: string,
  client: ClientInfo | null,
  macros: Macros,
  directory: Directory,
  isRelay: (address: string) => boolean,
): Promise<Authenticated> {
  const login = macros.get('auth_authen') ?? '';
  const behindRelay = client !== null && isRelay(client.address);
  if (login === '' && !behindRelay) throw refusals.notAuthenticated();
  const person = login === '' ? null : await directory.findByLogin(login);
  if (!person && !behindRelay) throw refusals.unknownLogin();
  const owner = await directory.findByMail(sender);
  if (person) {
    if (owner?.id !== person.id) throw refusals.senderIsNotLogin(sender);
    return { person, method: 'sasl' };
  }
  if (!owner) throw refusals.unknownSender(sender);
  return { person: owner, method: 'relay' };
}
