import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

const SLICE = 64 * 1024;

/** A mail for mailauth to read: hashing a large one takes a second, and others get their turn in between. */
export function inSlices(mail: Buffer): Readable {
  return Readable.from(slices(mail));
}

async function* slices(mail: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < mail.length; start += SLICE) {
    yield mail.subarray(start, start + SLICE);
    await setImmediate();
  }
}
