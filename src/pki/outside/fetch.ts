/**
 * Fetching from addresses that a certificate names (THREATS.md "SSRF"): http and https, five seconds, one megabyte, never
 * a machine of the inner network unless that is allowed, and never on to another host.
 */
import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

export interface FetchOptions {
  /** Sent with POST; without it GET. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array };
  /** Whether loopback, private and link-local addresses may be asked. */
  readonly allowPrivate: boolean;
  /** Milliseconds for the whole. */
  readonly timeout?: number;
  /** Bytes of the answer. */
  readonly maxSize?: number;
}

/** Nothing was fetched; `message` says why. */
export class NotFetched extends Error {
  override readonly name = 'NotFetched';
}

const TIMEOUT = 5000;
const MAX_SIZE = 1_048_576;
const MAX_REDIRECTS = 3;

/** IANA's special-purpose registries (RFC 6890): not on the public internet. */
const INNER = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  INNER.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INNER.addSubnet(network, bits, 'ipv6');

/** Whether an IP address is on the public internet. IPv4 addresses written as IPv6 ones count as IPv4. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  // BlockList looks through ::ffff:a.b.c.d by itself.
  return family !== 0 && !INNER.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** Resolves a name to public addresses alone: what is connected to is what was looked at. */
const publicLookup: LookupFunction = (host, options, callback) => {
  systemLookup(host, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, []);
    const inner = found.find(({ address }) => !isPublic(address));
    if (inner) return callback(new NotFetched(`${host} is ${inner.address}, which is not a public address`), []);
    if (options.all) callback(null, found);
    else callback(null, found[0]!.address, found[0]!.family);
  });
};

/** The body of the answer, when its status is 200. @throws NotFetched */
export async function fetchOutside(url: string, options: FetchOptions): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(options.timeout ?? TIMEOUT);
  let next = asUrl(url);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await ask(next, options, signal);
    if (answer instanceof Uint8Array) return answer;
    const target = asUrl(answer.location, next);
    if (target.host !== next.host) throw new NotFetched(`${next.host} sends on to another host, ${target.host}`);
    next = target;
  }
  throw new NotFetched(`${next.host} sends on again and again`);
}

function asUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new NotFetched(`no web address: ${text}`);
  return url;
}

function ask(url: URL, options: FetchOptions, signal: AbortSignal): Promise<Uint8Array | { location: string }> {
  const { body, allowPrivate, maxSize = MAX_SIZE } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Names are judged when they are resolved; an address is never resolved.
  if (!allowPrivate && isIP(host) !== 0 && !isPublic(host)) throw new NotFetched(`${host} is not a public address`);
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const fail = (error: Error): void =>
      reject(error instanceof NotFetched ? error : new NotFetched(`${url.host}: ${error.message}`));
    const request = send(
      url,
      {
        method: body ? 'POST' : 'GET',
        signal,
        agent: false,
        ...(body && { headers: { 'content-type': body.type, 'content-length': body.bytes.length } }),
        ...(!allowPrivate && { lookup: publicLookup }),
      },
      response => {
        const { statusCode = 0, headers } = response;
        const { location } = headers;
        if (statusCode >= 300 && statusCode < 400 && location !== undefined && !body) {
          response.destroy();
          resolve({ location });
          return;
        }
        if (statusCode !== 200) {
          response.destroy();
          fail(new Error(`answered with status ${statusCode}`));
          return;
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > maxSize) response.destroy(new Error(`the answer is over ${maxSize} bytes`));
        });
        response.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
        response.on('error', fail);
      },
    );
    request.on('error', fail);
    request.end(body?.bytes);
  });
}
