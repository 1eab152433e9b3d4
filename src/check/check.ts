/** Everything that `signpost check` looks at, in the order in which things depend on each other. */
import type { Logger } from 'pino';
import { fullHostName } from '../config/host-name.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { openDirectory } from '../directory/open.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { relayMatcher } from '../intake/who.ts';
import { mebibytes } from '../watch/look.ts';
import { checkDns } from './dns.ts';
import { checkFiles, checkKeyFiles } from './files.ts';
import { type Line, ok, warning, wrong } from './line.ts';
import { checkListeners } from './listeners.ts';
import { checkPostfix } from './postfix.ts';
import { roundTrip } from './round-trip.ts';
import { checkWorkingParts } from './working-parts.ts';

export interface CheckOptions {
  /** Path of signpost.yaml. */
  readonly file: string;
  /** Folder of another Postfix instance's main.cf; null: the system's. */
  readonly postfix: string | null;
  /** Also sends a message through Postfix and back. */
  readonly mail: boolean;
  readonly logger: Logger;
}

/** One part after the other, each as soon as it is known. */
export async function* check({ file, postfix, mail, logger }: CheckOptions): AsyncGenerator<Line> {
  let config: Config;
  try {
    config = await soundConfig(file, logger);
  } catch (error) {
    // Nothing else can be looked at without it.
    yield wrong('configuration', (error as Error).message, `edit ${file}; every setting is explained in it`);
    return;
  }
  yield ok(
    'configuration',
    `${file}: ${config.domains.map(({ sign, mail }) => `${sign} for ${mail.join(', ')}`).join('; ')}`,
  );
  yield adminLine(config);
  yield limitsLine(config);
  yield* await checkFiles(config);
  yield* await checkKeyFiles(config);
  yield* await checkWorkingParts(config, logger);
  yield* await checkListeners(config);
  yield* await checkPostfix(config, postfix);
  yield* await checkDns(config, fullHostName() ?? '<name of this mail server>');
  if (mail) yield* mailLines(config, logger);
}

/** What check-config does. @throws Error in words */
async function soundConfig(file: string, logger: Logger): Promise<Config> {
  const config = loadConfig(file);
  relayMatcher(config.mail.authenticatingRelays);
  const directory = await openDirectory(config, { now: () => new Date(), log: logger });
  await directory.close();
  return config;
}

function adminLine({ admin, domains }: Config): Line {
  if (admin.length > 0) return ok('admin', `${admin.join(', ')} will be told of what ends soon or goes wrong`);
  const text = 'nobody is told when a certificate ends soon or something goes wrong';
  return warning('admin', text, `signpost.yaml: admin: [postmaster@${domains[0]!.mail[0]}]`);
}

/** For the admin who is asked why somebody was refused. */
function limitsLine({ requests, mail }: Config): Line {
  const { maxPendingPerSender, maxPendingPerPair, maxPerDay } = requests;
  const size = `${mebibytes(mail.maxMessageSize)} and ${mail.maxDocuments} documents a mail`;
  const open = `${maxPendingPerSender} open requests a sender, ${maxPendingPerPair} of them for one person, ${maxPerDay} new ones a day`;
  return ok('limits', `${size}; ${open}`);
}

async function* mailLines(config: Config, logger: Logger): AsyncGenerator<Line> {
  let core: Core;
  try {
    core = await openCore(config, { logger });
  } catch (error) {
    yield wrong('mail', (error as Error).message, 'mend what is said above first');
    return;
  }
  try {
    const { admissions, outbox } = core.store;
    const now = (): Date => new Date();
    yield* roundTrip({ config, verdictKey: core.secrets.verdict.newest, admissions, outbox, now });
  } finally {
    await core.close();
  }
}
