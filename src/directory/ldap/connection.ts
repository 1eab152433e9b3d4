/**
 * One connection to one LDAP server: TLS, certificate check, time limits. It never connects again by itself, because the
 * library would then go on in clear and anonymously, and an anonymous search finds nobody.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Change, Client, type Filter, ResultCodeError } from 'ldapts';
import { entryOf, type LdapEntry } from './entry.ts';
import { resultText } from './result-text.ts';

/** This server didn't answer, or not with LDAP: another one may. */
export class ServerDown extends Error {
  override readonly name = 'ServerDown';
}

export interface ConnectionSettings {
  /** ldap:// or ldaps:// */
  readonly server: string;
  readonly startTls: boolean;
  /** PEM of the authorities that may vouch for the server; null: the system's. */
  readonly ca: string | null;
  /** Milliseconds for each operation, connecting included. */
  readonly timeout: number;
}

export interface Search {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Attributes whose values are octets. */
  readonly binary?: readonly string[];
  /** For answers of any length. */
  readonly paged?: boolean;
}

export interface LdapConnection {
  /** Referrals in the answer are not followed. @throws ServerDown, ResultCodeError */
  search(search: Search): Promise<LdapEntry[]>;
  /** @throws ServerDown, ResultCodeError */
  bind(dn: string, password: string): Promise<void>;
  /** @throws ServerDown, ResultCodeError */
  modify(dn: string, changes: Change[]): Promise<void>;
  readonly open: boolean;
  close(): void;
}

const PAGE = 500;
/** Bytes of one answer; 10,000 short entries are 3 MB. */
const LONGEST_ANSWER = 64 << 20;

/** @throws ServerDown, also when the certificate isn't the server's */
export async function connectLdap(settings: ConnectionSettings): Promise<LdapConnection> {
  const { server, timeout } = settings;
  const url = new URL(server);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls: ConnectionOptions = {
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(settings.ca === null ? {} : { ca: settings.ca }),
    minVersion: 'TLSv1.2',
  };
  const port = Number(url.port) || (url.protocol === 'ldaps:' ? 636 : 389);
  const first = watched(
    url.protocol === 'ldaps:' ? connectTls({ ...tls, port }) : connectTcp({ port, host }),
    () => received,
  );
  const sockets: Socket[] = [first];
  let received = 0;
  await opened(first, url.protocol === 'ldaps:' ? 'secureConnect' : 'connect', timeout, server);

  let taken = false;
  const take = (): Socket => {
    if (taken || first.destroyed) throw new Error('the connection was closed');
    taken = true;
    return first;
  };
  const client = new Client({
    url: server,
    timeout,
    ...(url.protocol === 'ldaps:' ? { tlsOptions: tls } : {}),
    createConnection: take as typeof connectTcp,
    // With options alone it is StartTLS, over the first socket.
    createSecureConnection: ((...args: readonly unknown[]): Socket => {
      if (args.length > 1) return take();
      const upgraded = watched(connectTls(args[0] as ConnectionOptions), () => received);
      sockets.push(upgraded);
      return upgraded;
    }) as typeof connectTls,
  });
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  /** Everything but an answer of the server means that this server is down. */
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    received = sockets.at(-1)?.bytesRead ?? 0;
    try {
      return await work();
    } catch (error) {
      if (error instanceof ResultCodeError) throw error;
      close();
      throw new ServerDown(`${server}: ${error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error)}`);
    }
  };

  if (url.protocol === 'ldap:' && settings.startTls) {
    await guard(async () => {
      try {
        // The handshake has no time limit of its own.
        await inTime(client.startTLS(tls), 2 * timeout);
      } catch (error) {
        throw error instanceof ResultCodeError
          ? new Error(
              `StartTLS refused: ${resultText(error.code, error.message)}; a server on this machine itself can do without: startTls: false`,
            )
          : error;
      }
    });
  }
  return {
    search: ({ base, scope, filter, attributes, binary = [], paged = false }) =>
      guard(async () => {
        const { searchEntries } = await client.search(base, {
          scope,
          filter,
          attributes: [...attributes],
          // The server may spell them in its own way.
          explicitBufferAttributes: binary.flatMap(name => [name, name.toLowerCase()]),
          timeLimit: Math.ceil(timeout / 1000),
          paged: paged && { pageSize: PAGE },
        });
        return searchEntries.map(entryOf);
      }),
    bind: (dn, password) =>
      guard(async () => {
        // Either would be an anonymous bind, which proves nothing (RFC 4513 section 5.1.2).
        if (dn === '' || password === '') throw new Error('an empty name or password');
        await client.bind(dn, password);
      }),
    modify: (dn, changes) => guard(() => client.modify(dn, changes)),
    get open() {
      return sockets.every(({ destroyed }) => !destroyed);
    },
    close,
  };
}

/** What the library can't stomach ends the connection, not the gateway; so does an answer without end. */
function watched<S extends Socket>(socket: S, received: () => number): S {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = ((event: string | symbol, ...values: unknown[]): boolean => {
    if (event === 'data' && socket.bytesRead - received() > LONGEST_ANSWER) {
      socket.destroy(new Error('its answer has no end'));
      return true;
    }
    try {
      return emit(event, ...values);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }) as typeof socket.emit;
  return socket;
}

/** @throws ServerDown */
async function opened(socket: Socket, event: string, timeout: number, server: string): Promise<void> {
  try {
    await inTime(
      new Promise<void>((resolve, reject) => {
        // It stays: the library listens only from its first operation on.
        socket.on('error', reject);
        socket.once('close', () => reject(new Error('the connection was closed')));
        socket.once(event, resolve);
      }),
      timeout,
    );
  } catch (error) {
    socket.destroy();
    throw new ServerDown(`${server}: ${(error as Error).message}`);
  }
}

/** @throws Error when it takes longer */
async function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it takes too long')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
