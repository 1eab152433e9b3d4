/** A small real name server for tests (RFC 1035, UDP and TCP) on loopback: a zone in memory that may be changed any time. */
import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import packet, { type Answer, type DecodedPacket, type RecordType } from 'dns-packet';

/** What a name has: records by type, or how the server fails for it. */
export type ZoneEntry = ZoneRecords | 'SERVFAIL' | 'REFUSED' | 'silent' | 'garbage';
export interface ZoneRecords {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly CNAME?: string;
  readonly MX?: readonly { readonly exchange: string; readonly preference: number }[];
  readonly NS?: readonly string[];
  readonly PTR?: readonly string[];
  readonly TXT?: readonly string[];
}

export interface DnsServer {
  /** For the configuration: 127.0.0.1:PORT. */
  readonly address: string;
  /** Names in lower case. */
  readonly zone: Map<string, ZoneEntry>;
  /** Every question, as "TXT example.com". */
  readonly asked: string[];
  stop(): Promise<void>;
}

const RCODE = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const MAX_UDP = 512;

export async function startDns(entries: Readonly<Record<string, ZoneEntry>> = {}): Promise<DnsServer> {
  const zone = new Map(Object.entries(entries));
  const asked: string[] = [];
  const udp = createSocket('udp4');
  const sockets = new Set<Socket>();
  const tcp = createServer(socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let buffer: Buffer = Buffer.alloc(0);
    socket.on('data', chunk => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 2 && buffer.length >= 2 + buffer.readUInt16BE(0)) {
        const end = 2 + buffer.readUInt16BE(0);
        const reply = answer(buffer.subarray(2, end), zone, asked);
        buffer = buffer.subarray(end);
        if (reply === null) continue;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
    });
  });
  udp.on('message', (message, from) => {
    const reply = answer(message, zone, asked);
    if (reply === null) return;
    // Too long for UDP: truncated, and the client asks again over TCP (RFC 1035 §4.2.1).
    udp.send(reply.length <= MAX_UDP ? reply : truncated(message), from.port, from.address);
  });
  await new Promise<void>(resolve => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as { port: number };
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${port}`,
    zone,
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>(resolve => udp.close(resolve));
      await new Promise(resolve => tcp.close(resolve));
    },
  };
}

function answer(message: Buffer, zone: ReadonlyMap<string, ZoneEntry>, asked: string[]): Buffer | null {
  const query = packet.decode(message);
  const question = query.questions?.[0];
  if (!question) return null;
  const name = question.name.toLowerCase();
  asked.push(`${question.type} ${name}`);
  const entry = zone.get(name);
  if (entry === 'silent') return null;
  if (entry === 'garbage') return Buffer.from('not a DNS packet');
  if (entry === 'SERVFAIL' || entry === 'REFUSED') return reply(query, RCODE[entry], []);
  // A name with names below it exists (RFC 8020 §2).
  const exists = entry !== undefined || [...zone.keys()].some(other => other.endsWith(`.${name}`));
  return reply(query, exists ? RCODE.NOERROR : RCODE.NXDOMAIN, records(question.name, question.type, zone));
}

function records(name: string, type: RecordType, zone: ReadonlyMap<string, ZoneEntry>): Answer[] {
  const entry = zone.get(name.toLowerCase());
  if (entry === undefined || typeof entry === 'string') return [];
  if (entry.CNAME !== undefined) {
    const alias: Answer = { type: 'CNAME', name, ttl: 0, data: entry.CNAME };
    return [alias, ...(type === 'CNAME' ? [] : records(entry.CNAME, type, zone))];
  }
  switch (type) {
    case 'A':
    case 'AAAA':
    case 'NS':
    case 'PTR':
      return (entry[type] ?? []).map(data => ({ type, name, ttl: 0, data }) as Answer);
    case 'MX':
      return (entry.MX ?? []).map(data => ({ type: 'MX', name, ttl: 0, data }));
    case 'TXT':
      // Strings of at most 255 bytes each.
      return (entry.TXT ?? []).map(text => ({ type: 'TXT', name, ttl: 0, data: text.match(/[\s\S]{1,255}/g) ?? [''] }));
    default:
      return [];
  }
}

const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION = 0x0180;

function reply({ id, questions }: DecodedPacket, rcode: number, answers: Answer[]): Buffer {
  return packet.encode({
    type: 'response',
    ...(id === undefined ? {} : { id }),
    flags: AUTHORITATIVE | RECURSION | rcode,
    questions: questions ?? [],
    answers,
  });
}

function truncated(message: Buffer): Buffer {
  const { id, questions } = packet.decode(message);
  return packet.encode({
    type: 'response',
    ...(id === undefined ? {} : { id }),
    flags: AUTHORITATIVE | TRUNCATED | RECURSION,
    questions: questions ?? [],
  });
}
