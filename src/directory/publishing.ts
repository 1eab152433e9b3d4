/**
 * Writes the certificates of persons into their entries of the directory, where the configuration says so. Nobody waits
 * for it: what fails is logged and tried again with the next round.
 */
import type { Logger } from 'pino';
import type { CertificateRecord } from '../pki/pki.ts';
import type { Directory } from './directory.ts';

const EVERY = 60_000;
/** So many failures in a row end a round. */
const GIVE_UP = 3;

export interface PublishingDeps {
  readonly directory: Pick<Directory, 'publishCertificate'>;
  /** Every certificate that was issued. */
  readonly list: () => Promise<readonly CertificateRecord[]>;
  readonly now: () => Date;
  readonly log: Logger;
}

export interface Publishing {
  /** One round now: after a start every certificate that is valid, later what came since. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

export function startPublishing({ directory, list, now, log }: PublishingDeps): Publishing {
  const written = new Set<string>();
  const failures = new Map<string, number>();
  let running: Promise<void> | null = null;
  let stopped = false;

  async function work(): Promise<void> {
    const time = now();
    const valid = (await list()).filter(({ revokedAt, notAfter }) => revokedAt === null && notAfter > time);
    // What failed before comes last: one entry that refuses must not keep the others waiting.
    const tries = ({ serial }: CertificateRecord) => failures.get(serial) ?? 0;
    let inARow = 0;
    for (const { serial, personId, certificate } of valid.toSorted((a, b) => tries(a) - tries(b))) {
      // A directory that is away would fail each, after a time-out.
      if (stopped || inARow >= GIVE_UP) return;
      if (personId === null || written.has(serial)) continue;
      try {
        await directory.publishCertificate(personId, certificate);
        written.add(serial);
        inARow = 0;
        log.info({ serial, person: personId }, 'certificate stands in the directory');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ serial, person: personId, reason }, 'certificate not written to the directory; trying again');
        failures.set(serial, (failures.get(serial) ?? 0) + 1);
        inARow += 1;
      }
    }
  }
  const round = (): Promise<void> => {
    running ??= work()
      .catch((error: unknown) => log.error({ err: error }, 'certificates could not be listed'))
      .finally(() => {
        running = null;
      });
    return running;
  };
  const timer = setInterval(round, EVERY);
  void round();
  return {
    round,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
