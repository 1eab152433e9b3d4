/** Where the gateway is reached, and from where: public URL, listener, trusted proxies. */
import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../config/loopback.ts';
import type { Config } from '../config/schema.ts';

/** The configuration can't be served safely; `message` says which setting and what to write. */
export class UnsafeAddress extends Error {
  override readonly name = 'UnsafeAddress';
}

/**
 * The origin that links carry and that signatures cover.
 * @throws UnsafeAddress: browsers give keys only to https pages and to loopback
 */
export function publicOrigin(publicUrl: string): string {
  const url = new URL(publicUrl);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
    throw new UnsafeAddress(
      `publicUrl is ${publicUrl}, but phones only keep keys for https pages: write publicUrl: https://${url.host}`,
    );
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new UnsafeAddress(`publicUrl has more than a host: write publicUrl: ${url.origin}`);
  return url.origin;
}

/** @throws UnsafeAddress when plain HTTP would be offered to other machines */
export function checkListener({ listen, tls }: Config['http']): void {
  if (!tls && 'host' in listen && !isLoopback(listen.host))
    throw new UnsafeAddress(
      `http.listen is ${listen.host}:${listen.port} without http.tls: give tls certificate and key files, ` +
        `or listen on 127.0.0.1:${listen.port} behind a proxy that speaks https`,
    );
}

/**
 * Whose X-Forwarded-For is believed (fastify's trustProxy). Whoever reaches a unix socket is the proxy.
 * @param proxies addresses or CIDR ranges
 * @throws UnsafeAddress when one is neither
 */
export function proxyTrust(
  proxies: readonly string[],
  onUnixSocket: boolean,
): (address: string, hop: number) => boolean {
  const trusted = new BlockList();
  for (const entry of proxies) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128))
      throw new UnsafeAddress(`http.trustedProxies has ${entry}: write an address or a range such as 10.0.0.0/8`);
    trusted.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address, hop) => {
    if (hop === 0 && onUnixSocket) return true;
    const family = isIP(address);
    return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}
