/** Mutated milter streams from a fixed seed. */

export type Random = () => number;

/** mulberry32: small, good enough, the same everywhere. Numbers from 0 to below 1. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** Cuts a valid stream into its packets, length included. */
export function packetsOf(stream: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + 4 + stream.readUInt32BE(at);
    packets.push(stream.subarray(at, end));
    at = end;
  }
  return packets;
}

type Mutation = (packets: Buffer[], random: Random) => void;

const LENGTHS = [0, 1, 2, 4_097, 65_536, 69_632, 69_633, 0x7fff_ffff, 0xffff_ffff];

const MUTATIONS: readonly Mutation[] = [
  function flipBits(packets, random) {
    const flips = 1 + below(random, 8);
    for (let flip = 0; flip < flips; flip += 1) {
      const packet = own(packets, random);
      packet[below(random, packet.length)]! ^= 1 << below(random, 8);
    }
  },
  function lieAboutLength(packets, random) {
    const packet = own(packets, random);
    const near = Math.max(0, packet.length - 4 + below(random, 7) - 3);
    packet.writeUInt32BE(random() < 0.5 ? near : LENGTHS[below(random, LENGTHS.length)]!, 0);
  },
  function changeCommand(packets, random) {
    own(packets, random)[4] = random() < 0.8 ? 'ABCDEHKLMNOQRTU'.charCodeAt(below(random, 15)) : below(random, 256);
  },
  function duplicate(packets, random) {
    const at = below(random, packets.length);
    packets.splice(at, 0, ...Array<Buffer>(1 + below(random, 5)).fill(packets[at]!));
  },
  function drop(packets, random) {
    if (packets.length > 1) packets.splice(below(random, packets.length), 1);
  },
  function swap(packets, random) {
    const [one, other] = [below(random, packets.length), below(random, packets.length)];
    [packets[one], packets[other]] = [packets[other]!, packets[one]!];
  },
  function shuffle(packets, random) {
    for (let at = packets.length - 1; at > 1; at -= 1) {
      const other = 1 + below(random, at);
      [packets[at], packets[other]] = [packets[other]!, packets[at]!];
    }
  },
  function insertNoise(packets, random) {
    const noise = Buffer.from(Array.from({ length: 4 + below(random, 40) }, () => below(random, 256)));
    packets.splice(below(random, packets.length + 1), 0, noise);
  },
  function shorten(packets, random) {
    const at = below(random, packets.length);
    packets[at] = packets[at]!.subarray(0, Math.max(4, below(random, packets[at]!.length)));
  },
  function resize(packets, random) {
    // An honest length around other data: reaches the parsers of the fields.
    const at = below(random, packets.length);
    const data = packets[at]!.subarray(4, 5 + below(random, packets[at]!.length - 4));
    const tail = Buffer.from(Array.from({ length: below(random, 6) }, () => (random() < 0.5 ? 0 : below(random, 256))));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length + tail.length, 0);
    packets[at] = Buffer.concat([length, data, tail]);
  },
];

/** A packet that may be written to. */
function own(packets: Buffer[], random: Random): Buffer {
  const at = below(random, packets.length);
  const copy = Buffer.from(packets[at]!);
  packets[at] = copy;
  return copy;
}

/** One to three mutations, in one stream of four the end cut off; then the stream in random pieces. */
export function mutated(packets: readonly Buffer[], random: Random): Buffer[] {
  const changed = [...packets];
  const count = 1 + below(random, 3);
  for (let turn = 0; turn < count; turn += 1) MUTATIONS[below(random, MUTATIONS.length)]!(changed, random);
  const whole = Buffer.concat(changed);
  return split(random() < 0.25 ? whole.subarray(0, below(random, whole.length)) : whole, random);
}

function split(stream: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  const most = [4, 64, 1_024, stream.length + 1][below(random, 4)]!;
  for (let at = 0; at < stream.length; ) {
    const end = at + 1 + below(random, most);
    pieces.push(stream.subarray(at, end));
    at = end;
  }
  return pieces;
}
