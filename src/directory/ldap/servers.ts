/** The servers of one domain: the first that answers is asked; one that doesn't is left alone for a while. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { InvalidCredentialsError, type ResultCodeError } from 'ldapts';
import type { Logger } from 'pino';
import type { LdapSettings } from '../../config/ldap.ts';
import { DirectoryUnavailable } from '../directory.ts';
import { connectLdap, type LdapConnection, ServerDown } from './connection.ts';
import { resultText } from './result-text.ts';

export interface ServersDeps {
  readonly settings: Pick<LdapSettings, 'name' | 'servers' | 'startTls' | 'timeout' | 'bind'>;
  /** Path of the PEM file, or null. */
  readonly ca: string | null;
  readonly password: () => Promise<string>;
  readonly now: () => Date;
  readonly log: Logger;
}

const LEFT_ALONE = 30_000;
/** A refused password isn't tried again soon: the directory might lock the account that reads for everybody. */
const AFTER_REFUSAL = 5 * 60_000;

interface State {
  readonly server: string;
  connection: Promise<LdapConnection> | null;
  deadUntil: number;
  /** Digest of a password that the server refused, and until when it isn't offered again. */
  refused: { readonly digest: string; readonly until: number } | null;
}

export class Servers {
  readonly #deps: ServersDeps;
  readonly #states: State[];

  constructor(deps: ServersDeps) {
    this.#deps = deps;
    this.#states = deps.settings.servers.map(server => ({
      server,
      connection: null,
      deadUntil: 0,
      refused: null,
    }));
  }

  /**
   * Does something that may be done twice, as the account that reads.
   *
   * @throws DirectoryUnavailable when no server answers, or with anything but success
   */
  async ask<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    return this.#firstAlive(async state => {
      const reused = state.connection !== null;
      try {
        return await this.#with(state, work);
      } catch (error) {
        // Servers close idle connections; that says nothing about the server.
        if (!reused || !(error instanceof ServerDown) || !/closed|Socket error/i.test(error.message)) throw error;
        return await this.#with(state, work);
      }
    });
  }

  /** A connection of its own, nobody bound yet; the caller closes it. @throws DirectoryUnavailable */
  async connect(): Promise<LdapConnection> {
    return this.#firstAlive(state => this.#open(state));
  }

  close(): void {
    for (const state of this.#states) {
      state.connection?.then(
        connection => connection.close(),
        () => {},
      );
      state.connection = null;
    }
  }

  async #firstAlive<T>(work: (state: State) => Promise<T>): Promise<T> {
    const { now, log, settings } = this.#deps;
    const time = now().getTime();
    const alive = this.#states.filter(({ deadUntil }) => deadUntil <= time);
    const reasons: string[] = [];
    // With none alive all are tried: somebody has to find out that they are back.
    for (const state of alive.length > 0 ? alive : this.#states) {
      try {
        const result = await work(state);
        state.deadUntil = 0;
        return result;
      } catch (error) {
        if (!(error instanceof ServerDown)) throw toUnavailable(error, settings.name);
        state.deadUntil = now().getTime() + LEFT_ALONE;
        reasons.push(error.message);
        log.warn({ directory: settings.name, server: state.server, reason: error.message }, 'directory server is down');
      }
    }
    throw new DirectoryUnavailable(`directory ${settings.name}: ${reasons.join('; ')}`);
  }

  async #with<T>(state: State, work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const before = state.connection;
    const current = await before?.catch(() => null);
    if (!current?.open && state.connection === before) state.connection = null;
    state.connection ??= this.#bound(state);
    const connection = state.connection;
    try {
      return await work(await connection);
    } catch (error) {
      if (error instanceof ServerDown && state.connection === connection) state.connection = null;
      throw error;
    }
  }

  async #bound(state: State): Promise<LdapConnection> {
    const { settings, password, now, log } = this.#deps;
    const secret = await password().catch((error: Error) => {
      throw new ServerDown(`the password of ${settings.bind.dn}: ${error.message}`);
    });
    const digest = createHash('sha256').update(secret).digest('hex');
    if (state.refused?.digest === digest && state.refused.until > now().getTime())
      throw new ServerDown(`${state.server}: the password of ${settings.bind.dn} was refused a short while ago`);
    const connection = await this.#open(state);
    try {
      await connection.bind(settings.bind.dn, secret);
      state.refused = null;
      return connection;
    } catch (error) {
      connection.close();
      if (error instanceof ServerDown) throw error;
      if (error instanceof InvalidCredentialsError) {
        state.refused = { digest, until: now().getTime() + AFTER_REFUSAL };
        log.error(
          { directory: settings.name, server: state.server, dn: settings.bind.dn },
          `the directory refuses the password in directory.ldap.bind.passwordFile; write the right one there`,
        );
      }
      const { code, message } = error as Partial<ResultCodeError> & Error;
      const why = typeof code === 'number' ? resultText(code, message) : message;
      throw new ServerDown(`${state.server}: bind as ${settings.bind.dn}: ${why}`);
    }
  }

  async #open({ server }: State): Promise<LdapConnection> {
    const { settings, ca } = this.#deps;
    const { startTls, timeout } = settings;
    let pem: string | null;
    try {
      pem = ca === null ? null : await readFile(ca, 'utf8');
    } catch (error) {
      throw new ServerDown(`${ca} can't be read (${(error as NodeJS.ErrnoException).code})`);
    }
    return connectLdap({ server, startTls, ca: pem, timeout });
  }
}

/** An answer other than success is trouble of the directory or its set-up, never "there is no such person". */
function toUnavailable(error: unknown, name: string): unknown {
  const code = (error as Partial<ResultCodeError>).code;
  return typeof code === 'number'
    ? new DirectoryUnavailable(`directory ${name} answers: ${resultText(code, (error as Error).message)}`)
    : error;
}
