/** Bytes that clients who have not said who they are may make us keep, all of them together. */
export class Budget {
  #left: number;

  /** @param size bytes */
  constructor(size: number) {
    this.#left = size;
  }

  /** False, and nothing is taken, when there is not enough left. */
  take(size: number): boolean {
    if (size > this.#left) return false;
    this.#left -= size;
    return true;
  }

  give(size: number): void {
    this.#left += size;
  }
}
