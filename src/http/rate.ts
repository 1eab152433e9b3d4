/** How often somebody may ask. */

const MINUTE = 60_000;

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
