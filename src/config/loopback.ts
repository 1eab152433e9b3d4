/**
 * True for localhost and the loopback ranges.
 * @param host as in a URL or a listener: name, IPv4, IPv6 with or without brackets
 */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
