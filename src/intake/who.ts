/** Who sends: the first half of every admission. Facts come from the mail server's macros, never from the message. */
import { BlockList, isIP } from 'node:net';
import type { ClientInfo, Macros } from '../../milter/handler.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { refusals } from './refusal.ts';

export interface Authenticated {
  readonly person: Person;
  readonly method: 'sasl' | 'relay';
}

/** Answers whether an address belongs to a relay that the config names as authenticating its senders. */
export function relayMatcher(relays: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const relay of relays) {
    const [network, bits] = relay.split('/');
    const family = isIP(network ?? '') === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(network!, family);
    else list.addSubnet(network!, Number(bits), family);
  }
  return address => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/**
 * The SASL login's person, else, behind an authenticating relay, the envelope sender's; both must be the envelope
 * sender's person.
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
  if (login === '' && !(client && isRelay(client.address))) throw refusals.notAuthenticated();
  const owner = await directory.findByMail(sender);
  if (login === '') {
    if (!owner) throw refusals.unknownSender(sender);
    return { person: owner, method: 'relay' };
  }
  const person = await directory.findByLogin(login);
  if (!person) throw refusals.unknownLogin();
  if (owner?.id !== person.id) throw refusals.senderIsNotLogin(sender);
  return { person, method: 'sasl' };
}
