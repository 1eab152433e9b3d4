/** How often somebody may ask. */

const MINUTE = 60_000;

/** What one customer of a network has: an IPv4 address, or a whole IPv6 /64. */
export function network(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push('0');
  return [...groups, ...after]
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** So many a minute for each, counted from the first of all. */
export class Rate {
  readonly #perMinute: number;
  readonly #now: () => Date;
  readonly #asked = new Map<string, number>();
  #since = 0;

  constructor(perMinute: number, now: () => Date) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  allows(client: string): boolean {
    const time = this.#now().getTime();
    // Also when the clock was set back.
    if (Math.abs(time - this.#since) >= MINUTE) {
      this.#since = time;
      this.#asked.clear();
    }
    const asked = (this.#asked.get(client) ?? 0) + 1;
    this.#asked.set(client, asked);
    return asked <= this.#perMinute;
  }
}
