/** What has to be opened to be looked at: keys with certificates, revocation, timestamps, the directory, what waits. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { pathIn } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { DirectoryAmbiguous, DirectoryUnavailable } from '../directory/directory.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { WATCH_TEXTS } from '../outbound/texts/watch.ts';
import { OutsideTimestampAuthority } from '../pki/timestamp-client.ts';
import { fromPem, parseCertificate } from '../pki/x509.ts';
import { look, stampFault } from '../watch/look.ts';
import { daysLeft, dueWarning, type Ending, type Fault, type FaultKind } from '../watch/matters.ts';
import { openFaults } from '../watch/watch.ts';
import { type Line, ok, warning, wrong } from './line.ts';

const TEXTS = WATCH_TEXTS.en;
/** Faults of a look that have a line of their own, with what is said when there is none. */
const LOOKED_AT: readonly [FaultKind, string][] = [
  ['crl', 'current, and signed by the CA'],
  ['ocsp', 'answers, and what it says holds'],
  ['timestamps', 'a timestamp was made, and holds'],
  ['clock', 'agrees with the last timestamp'],
  ['outbox', 'no mail waits for long'],
  ['evidence', 'timestamped'],
];

export async function checkWorkingParts(config: Config, logger: Logger): Promise<Line[]> {
  let core: Core;
  try {
    core = await openCore(config, { logger });
  } catch (error) {
    return [
      wrong('gateway parts', (error as Error).message, 'mend what is said above and here; the gateway would not start'),
    ];
  }
  try {
    return [
      ...(await watchLines(core)),
      ...(await outsideLines(config)),
      ...(await synchronisationLines()),
      await directoryLine(core),
    ];
  } finally {
    await core.close();
  }
}

async function watchLines({ config, pki, store }: Core): Promise<Line[]> {
  const now = (): Date => new Date();
  const { endings, faults } = await look({ config, pki, watch: store.watch, evidence: store.evidence, now });
  const others = faults.filter(({ kind }) => kind.startsWith('certificate-'));
  const own = LOOKED_AT.map(([kind, fine]) => {
    const found = faults.find(fault => fault.kind === kind);
    return found ? faultLine(kind, found) : ok(kind, fine);
  });
  // What only the process that runs can know, as its clock's jumps; what was looked at here just now counts more.
  const told = openFaults(await store.watch.marks()).filter(
    ({ fault }) => fault.kind === 'clock' && !faults.some(({ kind }) => kind === fault.kind),
  );
  return [
    ...endings.map(endingLine),
    ...others.map(fault => faultLine(`certificate ${fault.about}`, fault)),
    ...own,
    ...told.map(({ fault, since }) =>
      wrong(
        fault.kind,
        `the running gateway says since ${since.toISOString()}: ${fault.detail}`,
        TEXTS.faults.clock.next,
      ),
    ),
  ];
}

const faultLine = (item: string, { kind, detail }: Fault): Line => wrong(item, detail, TEXTS.faults[kind].next);

function endingLine(ending: Ending): Line {
  const now = new Date();
  const item = `certificate ${ending.certificate}`;
  const text = `ends ${ending.notAfter.toISOString().slice(0, 10)}, in ${daysLeft(ending, now)} days (${ending.name})`;
  return dueWarning(ending, now) === null
    ? ok(item, text)
    : warning(item, text, TEXTS.certificates[ending.certificate].next);
}

/** Each outside authority by itself: one that is dead is normal while another one answers. */
async function outsideLines(config: Config): Promise<Line[]> {
  const lines: Line[] = [];
  for (const authority of config.timestamps.authorities) {
    if (authority === 'embedded') continue;
    const { url, trust } = authority;
    const anchors = fromPem(readFileSync(pathIn(config, trust), 'utf8')).map(parseCertificate);
    const now = (): Date => new Date();
    const [fault] = await stampFault(new OutsideTimestampAuthority({ url, anchors, now }), anchors, now);
    const item = `timestamps ${url}`;
    lines.push(
      fault === undefined
        ? ok(item, 'answers, and what it says holds')
        : warning(item, fault.detail, 'the next of timestamps.authorities is used meanwhile'),
    );
  }
  return lines;
}

/** Only systemd tells whether somebody keeps the clock right. */
async function synchronisationLines(): Promise<Line[]> {
  if (!existsSync('/run/systemd/system')) return [];
  const item = 'clock synchronised';
  try {
    const { stdout } = await promisify(execFile)('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
    return [
      stdout.trim() === 'yes'
        ? ok(item, 'by the network')
        : warning(item, 'nobody keeps it right', 'timedatectl set-ntp true'),
    ];
  } catch {
    return [warning(item, 'timedatectl does not say', null)];
  }
}

/** A look-up that finds nobody shows that the directory answers. */
async function directoryLine({ config, directory }: Core): Promise<Line> {
  const [domain] = config.domains[0]!.mail;
  const place = config.directory.file ?? (config.directory.ldap ?? []).flatMap(({ servers }) => servers).join(', ');
  try {
    await directory.findByMail(`signpost-check-${hostname().toLowerCase()}@${domain}`);
    return ok('directory', `${place} answers`);
  } catch (error) {
    if (!(error instanceof DirectoryUnavailable || error instanceof DirectoryAmbiguous)) throw error;
    return wrong(
      'directory',
      error.message,
      'mail is put off meanwhile: look at the directory section of signpost.yaml, and at the server',
    );
  }
}
