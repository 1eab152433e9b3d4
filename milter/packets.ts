/**
 * Packets: a 4-byte length in network order, one command byte, data. The length counts the command byte.
 * No I/O here; a length is judged before anything is allocated for it.
 */

/** The other side broke the protocol. It ends that connection, nothing else. */
export class MilterProtocolError extends Error {
  override readonly name = 'MilterProtocolError';
}

export interface Packet {
  /** SMFIC_* or SMFIR_*: one character of one byte. */
  readonly code: string;
  readonly data: Buffer;
}

/** Cuts a byte stream into packets, however it is split. */
export class PacketReader {
  /** Most data bytes a packet may have, the command byte not counted; may change between packets. */
  maximum: number;
  readonly #head = Buffer.alloc(4);
  #headFill = 0;
  #body: Buffer | null = null;
  #bodyFill = 0;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /**
   * Takes the next bytes and yields each packet that they complete.
   * @throws MilterProtocolError on an empty packet or one over `maximum`; the reader is then of no further use.
   */
  *push(chunk: Buffer): Generator<Packet> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === null) {
        const taken = chunk.copy(this.#head, this.#headFill, at, at + 4 - this.#headFill);
        this.#headFill += taken;
        at += taken;
        if (this.#headFill < 4) return;
        const length = this.#head.readUInt32BE(0);
        if (length === 0) throw new MilterProtocolError('empty packet');
        if (length - 1 > this.maximum) {
          throw new MilterProtocolError(`packet of ${length} bytes; the limit is ${this.maximum + 1}`);
        }
        this.#headFill = 0;
        if (chunk.length - at >= length) {
          // The whole packet is here: a view will do.
          const body = chunk.subarray(at, at + length);
          at += length;
          yield toPacket(body);
          continue;
        }
        this.#body = Buffer.allocUnsafe(length);
        this.#bodyFill = 0;
      }
      const taken = chunk.copy(this.#body, this.#bodyFill, at);
      this.#bodyFill += taken;
      at += taken;
      if (this.#bodyFill < this.#body.length) return;
      const body = this.#body;
      this.#body = null;
      yield toPacket(body);
    }
  }
}

function toPacket(body: Buffer): Packet {
  return { code: String.fromCharCode(body[0]!), data: body.subarray(1) };
}

/** A packet's bytes; parts are bytes, or strings that get a terminating NUL. */
export function encodePacket(code: string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const data = parts.map(part => (typeof part === 'string' ? terminated(part) : part));
  const length = data.reduce((sum, part) => sum + part.length, 1);
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(length, 0);
  head.write(code, 4, 'latin1');
  return Buffer.concat([head, ...data]);
}

/** A string as the protocol has it: UTF-8, NUL at its end and only there. */
function terminated(text: string): Buffer {
  if (text.includes('\0')) throw new RangeError('a NUL inside a string cannot be sent');
  return Buffer.from(`${text}\0`, 'utf8');
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0, 0);
  return bytes;
}

/** Reads a packet's data from front to back; every shortage is a MilterProtocolError. */
export class Fields {
  readonly #packet: Packet;
  #at = 0;

  constructor(packet: Packet) {
    this.#packet = packet;
  }

  get empty(): boolean {
    return this.#at >= this.#packet.data.length;
  }

  uint16(): number {
    return this.take(2).readUInt16BE(0);
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#packet.data.length) throw this.malformed('too short');
    this.#at += length;
    return this.#packet.data.subarray(this.#at - length, this.#at);
  }

  rest(): Buffer {
    return this.take(this.#packet.data.length - this.#at);
  }

  /** Bytes up to a NUL, which is consumed. */
  bytes(): Buffer {
    const end = this.#packet.data.indexOf(0, this.#at);
    if (end < 0) throw this.malformed('a string without its NUL');
    const bytes = this.#packet.data.subarray(this.#at, end);
    this.#at = end + 1;
    return bytes;
  }

  /** As UTF-8; a byte that is not becomes U+FFFD, which no address, name or macro that we know has. */
  string(): string {
    return this.bytes().toString('utf8');
  }

  strings(): string[] {
    const all: string[] = [];
    while (!this.empty) all.push(this.string());
    return all;
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.empty) throw this.malformed('more data than it should have');
  }

  malformed(what: string): MilterProtocolError {
    return new MilterProtocolError(`packet ${JSON.stringify(this.#packet.code)}: ${what}`);
  }
}
