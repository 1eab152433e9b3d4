/**
 * A private, real Postfix for the demo and the tests: its own queue and ports on 127.0.0.1, started and stopped by us.
 * Needs root (Postfix's processes change user) and Debian's postfix package.
 */
import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { postfixSnippet } from '../config/template.ts';
import { freePort } from './ports.ts';

const execute = promisify(execFile);

export interface PrivatePostfixOptions {
  /** An empty folder whose parents user postfix can search. */
  readonly folder: string;
  readonly signDomains: readonly string[];
  /** Where our milter listens, in Postfix's notation: inet:127.0.0.1:PORT. Null: no milter. */
  readonly milter: string | null;
  /** Where our LMTP listens: inet:127.0.0.1:PORT. */
  readonly lmtp: string;
  /** SMTP port that takes everything else. */
  readonly sinkPort: number;
  /** Clients from these networks count as authenticated relays for Postfix's own relay rules. */
  readonly messageSizeLimit?: number;
  /** More main.cf lines. */
  readonly extra?: readonly string[];
}

export interface PrivatePostfix {
  readonly port: number;
  readonly configFolder: string;
  stop(): Promise<void>;
  /** Tries the whole queue now. */
  flush(): Promise<void>;
  /** Queued messages, as `postqueue -j` prints them. */
  queue(): Promise<readonly Record<string, unknown>[]>;
  log(): string;
}

/** True where a private Postfix can run: root, and the package is installed. */
export function canRunPostfix(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/sbin/postfix');
}

const SERVICES = `
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`;

export async function startPrivatePostfix(options: PrivatePostfixOptions): Promise<PrivatePostfix> {
  const { folder } = options;
  const etc = join(folder, 'etc');
  const port = await freePort();
  for (const name of ['etc', 'queue', 'data']) mkdirSync(join(folder, name), { recursive: true });
  chmodSync(folder, 0o755);
  const uid = Number(readFileSync('/etc/passwd', 'utf8').match(/^postfix:[^:]*:(\d+):/m)?.[1]);
  chownSync(join(folder, 'data'), uid, 0);
  const log = join(folder, 'log');
  const main = [
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/queue`,
    `data_directory = ${folder}/data`,
    'command_directory = /usr/sbin',
    'daemon_directory = /usr/lib/postfix/sbin',
    'mail_owner = postfix',
    'setgid_group = postdrop',
    `myhostname = mx.${options.signDomains[0]}`,
    'mydestination =',
    'alias_maps =',
    'mynetworks = 127.0.0.0/8',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    `default_transport = smtp:[127.0.0.1]:${options.sinkPort}`,
    `relay_transport = smtp:[127.0.0.1]:${options.sinkPort}`,
    'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination',
    // The lines that admins get: what the tests show holds for them.
    postfixSnippet({
      signDomains: options.signDomains,
      milter: options.milter ?? '',
      lmtp: options.lmtp,
      messageSizeLimit: options.messageSizeLimit ?? 52_428_800,
    }),
    'queue_run_delay = 1s',
    'minimal_backoff_time = 1s',
    'maximal_backoff_time = 2s',
    // One failed delivery must not make the whole destination wait: tests kill the gateway on purpose.
    'default_destination_concurrency_failed_cohort_limit = 100',
    `maillog_file = ${log}`,
    `maillog_file_prefixes = /${folder.split('/')[1]}`,
    ...(options.extra ?? []),
  ];
  writeFileSync(join(etc, 'main.cf'), `${main.join('\n')}\n`);
  writeFileSync(join(etc, 'master.cf'), `127.0.0.1:${port} inet n - n - 50 smtpd${SERVICES}`);
  try {
    await execute('/usr/sbin/postfix', ['-c', etc, 'start']);
  } catch (error) {
    // Postfix says nothing itself: what is wrong stands in its log.
    throw new Error(
      `postfix did not start: ${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : 'it has no log'}`,
      { cause: error },
    );
  }
  return {
    port,
    configFolder: etc,
    async stop() {
      await execute('/usr/sbin/postfix', ['-c', etc, 'stop']);
    },
    async flush() {
      await execute('/usr/sbin/postqueue', ['-c', etc, '-f']);
    },
    async queue() {
      const { stdout } = await execute('/usr/sbin/postqueue', ['-c', etc, '-j']);
      return stdout
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>);
    },
    log() {
      return existsSync(log) ? readFileSync(log, 'utf8') : '';
    },
  };
}
