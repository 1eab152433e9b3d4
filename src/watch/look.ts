/** One look at everything that can end or break while nobody watches. Changes nothing but the authority's last stamp. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { pathIn } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { parseEntry, TIMESTAMPED, timestampOf } from '../evidence/entry.ts';
import type { EvidenceLog } from '../evidence/log.ts';
import type { AuthoritiesState } from '../pki/authorities.ts';
import { CERTIFICATE_NAMES, certificatePath } from '../pki/create.ts';
import { DerError } from '../pki/der.ts';
import type { LoadedPki } from '../pki/load.ts';
import { ocspRequest } from '../pki/ocsp.ts';
import { parseCrl } from '../pki/path/crl.ts';
import type { TimestampAuthority } from '../pki/pki.ts';
import { checkToken, parseToken, TokenInvalid } from '../pki/token.ts';
import { ClockInDoubt } from '../pki/tsa.ts';
import { type Certificate, fromPem, parseCertificate } from '../pki/x509.ts';
import { type RevocationSource, statementsAbout } from '../signatures/verify/statements.ts';
import { describeName } from '../signatures/verify/subject.ts';
import type { WatchStore } from '../store/store.ts';
import type { Ending, Fault, FaultKind, Findings, WatchedCertificate } from './matters.ts';

export interface LookParts {
  readonly config: Pick<Config, 'folder' | 'state' | 'http' | 'timestamps' | 'evidence' | 'watch'>;
  readonly pki: Pick<LoadedPki, 'ca' | 'seal' | 'tsa' | 'timestamps' | 'anchors'>;
  readonly watch: Pick<WatchStore, 'oldestWaitingMail'>;
  readonly evidence: Pick<EvidenceLog, 'newest' | 'newestTimestamp' | 'range'>;
  readonly now: () => Date;
}

/** How far a fresh stamp's time may be from ours, milliseconds. */
const CLOCK_TOLERANCE = 5 * 60_000;

export async function look(parts: LookParts): Promise<Findings> {
  const certificates = await certificatesInUse(parts);
  const stamps = await stampFaults(parts);
  return {
    endings: certificates.endings,
    faults: [
      ...certificates.faults,
      ...stamps,
      ...(await revocationFaults(parts)),
      ...(await guarded('disk', () => diskFault(parts))),
      ...(await guarded('outbox', () => outboxFault(parts))),
      ...(await guarded('evidence', () => evidenceFault(parts))),
    ],
  };
}

const fault = (kind: FaultKind, detail: string, about = ''): Fault => ({ kind, about, detail });

/** A look that itself fails has found a fault. */
async function guarded(kind: FaultKind, work: () => Promise<string | null>): Promise<Fault[]> {
  try {
    const detail = await work();
    return detail === null ? [] : [fault(kind, detail)];
  } catch (error) {
    return [fault(kind, (error as Error).message)];
  }
}

/** From the files, which are what counts at the next start. */
export async function certificatesInUse({
  config,
  pki,
  now,
}: Pick<LookParts, 'config' | 'pki' | 'now'>): Promise<Findings> {
  const endings: Ending[] = [];
  const faults: Fault[] = [];
  const read = (certificate: WatchedCertificate, path: string, all: boolean): void => {
    try {
      const pems = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
      if (pems === null) throw new Error('it holds no certificate');
      for (const pem of all ? pems : pems.slice(0, 1)) {
        const { serialNumber, validFrom, validTo } = new X509Certificate(pem);
        endings.push({
          certificate,
          name: path,
          serial: serialNumber.toLowerCase(),
          notBefore: new Date(validFrom),
          notAfter: new Date(validTo),
        });
      }
    } catch (error) {
      faults.push(fault('certificate-unreadable', `${path}: ${(error as Error).message}`, path));
    }
  };
  // Below an enterprise's CA its file holds the issuers, too.
  for (const name of CERTIFICATE_NAMES) read(name, certificatePath(config.folder, name), name === 'ca');
  if (config.http.tls) read('tls', pathIn(config, config.http.tls.certificate), false);
  for (const authority of config.timestamps.authorities) {
    if (authority !== 'embedded') read('tsa-trust', pathIn(config, authority.trust), true);
  }
  const responder = await pki.ca.responderCertificate().catch(() => null);
  if (responder) {
    const { serial, notBefore, notAfter } = parseCertificate(responder);
    endings.push({ certificate: 'ocsp', name: 'OCSP', serial, notBefore, notAfter });
  }
  const time = now();
  for (const { name, notAfter } of endings) {
    if (notAfter <= time) faults.push(fault('certificate-ended', `${name} ended on ${notAfter.toISOString()}`, name));
  }
  return { endings: endings.filter(({ notAfter }) => notAfter > time), faults };
}

/** A real stamp of our own authority, and where there are others, of whichever answers first. */
async function stampFaults({ config, pki, now }: LookParts): Promise<Fault[]> {
  const anchors = pki.anchors.map(parseCertificate);
  const outside = config.timestamps.authorities.filter(authority => authority !== 'embedded');
  for (const { trust } of outside) {
    try {
      anchors.push(...fromPem(readFileSync(pathIn(config, trust), 'utf8')).map(parseCertificate));
    } catch (error) {
      if (!(error instanceof DerError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
      // Told as a certificate that can't be read.
    }
  }
  const faults: Fault[] = [];
  if (pki.tsa !== null) faults.push(...(await stampFault(pki.tsa, anchors, now)));
  // Our own authority's fault matters to nobody while another one answers, but for the clock.
  if (outside.length === 0) return faults;
  return [...faults.filter(({ kind }) => kind === 'clock'), ...(await stampFault(pki.timestamps, anchors, now))];
}

/** A timestamp over something random, checked as a stranger would. */
export async function stampFault(
  authority: TimestampAuthority,
  anchors: readonly Certificate[],
  now: () => Date,
): Promise<Fault[]> {
  const sha256 = new Uint8Array(randomBytes(32));
  const from = now().getTime() - CLOCK_TOLERANCE;
  try {
    const { token } = await authority.stamp(sha256);
    // Outside authorities have been asked with a nonce, which their client has compared.
    const { nonce } = parseToken(token).info;
    checkToken(token, {
      sha256,
      nonce,
      anchors,
      notBefore: new Date(from),
      notAfter: new Date(now().getTime() + CLOCK_TOLERANCE),
    });
    return [];
  } catch (error) {
    if (error instanceof ClockInDoubt) return [fault('clock', error.message)];
    if (error instanceof TokenInvalid) return [fault('timestamps', `a timestamp that is not sound: ${error.message}`)];
    return [fault('timestamps', (error as Error).message)];
  }
}

/** The seal's certificate stands for all that the CA has issued. */
async function revocationFaults({ pki, now }: LookParts): Promise<Fault[]> {
  const seal = parseCertificate(pki.seal.certificate);
  // After a rotation of the CA it may be of the one before.
  const issuer = parseCertificate(pki.seal.issuers[0]!);
  const heard = (kind: RevocationSource['kind'], answers: readonly Uint8Array[]): string | null => {
    const time = now();
    const sources = answers.map(answer => ({ kind, der: answer, where: 'gateway' as const }));
    const said = statementsAbout(seal, issuer, sources);
    if (said.length === 0) return 'it is not authentic, or says nothing of the seal';
    const [{ thisUpdate, nextUpdate, revokedAt }] = said as [(typeof said)[0]];
    if (thisUpdate.getTime() > time.getTime() + CLOCK_TOLERANCE) return `it is of the future (${iso(thisUpdate)})`;
    if (nextUpdate === null || nextUpdate <= time)
      return `it was overdue on ${nextUpdate ? iso(nextUpdate) : 'arrival'}`;
    return revokedAt === null ? null : `it says that the seal was revoked on ${iso(revokedAt)}`;
  };
  return [
    ...(await guarded('crl', async () => {
      const lists = await pki.ca.crls();
      return heard('CRL', lists) ?? overdueList(lists, pki.ca.state, now()) ?? silentAuthority(pki.ca.state);
    })),
    ...(await guarded('ocsp', async () => {
      const record = await pki.ca.find(seal.serial);
      if (record === null) return `the database does not know the seal's certificate (${seal.serial})`;
      return heard('OCSP', [(await pki.ca.ocsp(ocspRequest(record, issuer))).der]);
    })),
  ];
}

/**
 * Lists of earlier CAs go on, and an enterprise's CA above the one in use has to bring a new one in time (signpost ca install
 * --crl).
 */
function overdueList(
  lists: readonly Uint8Array[],
  { earlierCrls }: Pick<AuthoritiesState, 'earlierCrls'>,
  time: Date,
): string | null {
  const overdue = lists
    .filter(list => !earlierCrls.some(({ der }) => Buffer.compare(der, list) === 0))
    .map(parseCrl)
    .find(({ nextUpdate }) => nextUpdate !== null && nextUpdate <= time);
  return overdue
    ? `the list of ${describeName(overdue.issuer.der).name} was overdue on ${iso(overdue.nextUpdate!)}`
    : null;
}

function silentAuthority({ silent: [path] }: Pick<AuthoritiesState, 'silent'>): string | null {
  return path === undefined
    ? null
    : `an earlier CA answers no more for what it issued: its key can't be opened (${path} says whose); put it back from the backup`;
}

const iso = (date: Date): string => date.toISOString();

async function diskFault({ config }: LookParts): Promise<string | null> {
  const folder = pathIn(config, config.state);
  const { free, total } = await roomIn(folder);
  if (free >= config.watch.freeSpace) return null;
  return `${mebibytes(free)} of ${mebibytes(total)} are free in ${folder}`;
}

/** Bytes, as far as somebody who isn't root may use them. */
export async function roomIn(folder: string): Promise<{ readonly free: number; readonly total: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, total: blocks * bsize };
}

export const mebibytes = (bytes: number): string => `${Math.floor(bytes / 1_048_576)} MiB`;

async function outboxFault({ config, watch, now }: LookParts): Promise<string | null> {
  const oldest = await watch.oldestWaitingMail();
  if (oldest === null || now().getTime() - oldest.getTime() <= config.watch.mailWaits) return null;
  return `a mail has been waiting since ${iso(oldest)}`;
}

async function evidenceFault({ config, evidence, now }: LookParts): Promise<string | null> {
  const oldest = oldestUnstamped(evidence);
  // A stamp comes at the next full interval; one that failed is tried again after another.
  if (oldest === null || now().getTime() - oldest.getTime() <= 2 * config.evidence.timestampEvery) return null;
  return `the entries since ${iso(oldest)} are under no timestamp`;
}

/** When the first entry was written that no timestamp covers; null where all are covered. */
function oldestUnstamped(evidence: LookParts['evidence']): Date | null {
  const newest = evidence.newest();
  if (newest === null) return null;
  const stamped = evidence.newestTimestamp();
  const covered = stamped === null ? 0 : (timestampOf(parseEntry(stamped.body))?.sequence ?? 0);
  // A timestamp's own entry comes under the next one, which is made when there is anything else.
  for (const { body } of evidence.range(covered + 1, Math.min(newest.sequence, covered + 2))) {
    const { kind, time } = parseEntry(body);
    if (kind !== TIMESTAMPED) return new Date(time);
  }
  return null;
}
