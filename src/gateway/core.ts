/**
 * The gateway without its listeners and workers: what the command line works with beside a running gateway, and what
 * `startGateway` builds on.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ConfigError, pathIn } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { openDirectory } from '../directory/open.ts';
import type { Documents } from '../documents/documents.ts';
import { createExtender, type Extender } from '../documents/extend.ts';
import { createDocuments } from '../documents/pipeline.ts';
import { DocumentWorker } from '../documents/worker.ts';
import type { HeadParts } from '../evidence/head.ts';
import { createComposer } from '../outbound/composer.ts';
import { openMailSigner } from '../outbound/dkim-key.ts';
import { forgetSettledMails } from '../outbound/sender.ts';
import { KeyFileError, readPassphrase, writeNewFile } from '../pki/key-file.ts';
import { type LoadedPki, loadPki } from '../pki/load.ts';
import { OutsideRevocation } from '../pki/outside/revocation.ts';
import { readSecret, SECRET_NAMES, type SecretName, Secrets, secretPath } from '../pki/secrets.ts';
import type { Deps } from '../requests/deps.ts';
import { createDevices } from '../requests/devices.ts';
import { createRequests } from '../requests/engine.ts';
import type { Devices, Requests } from '../requests/requests.ts';
import { createFileSignatures } from '../signatures/file-signatures.ts';
import { sealDetached } from '../signatures/seal.ts';
import { outsideAnchors } from '../signatures/verify/gateway-trust.ts';
import { statementsAbout } from '../signatures/verify/statements.ts';
import { FileBlobs } from '../store/blobs.ts';
import { SqliteCertificateStore } from '../store/certificates.ts';
import { openDatabase } from '../store/database.ts';
import { MIGRATIONS } from '../store/migrations.ts';
import { otherOwner } from '../store/owner.ts';
import { SqliteStore } from '../store/sqlite.ts';
import { SqliteTimestampStore } from '../store/timestamps.ts';

export interface CoreOptions {
  readonly logger: Logger;
  readonly now?: () => Date;
}

export interface Core {
  readonly config: Config;
  readonly store: SqliteStore;
  readonly directory: Directory;
  readonly pki: LoadedPki;
  readonly documents: Documents;
  /** Keeps signed files provable. */
  readonly extender: Extender;
  /** Reads hostile files, for those who need more than `documents`. */
  readonly worker: DocumentWorker;
  readonly requests: Requests;
  /** The keys of links and verdicts. */
  readonly secrets: Readonly<Record<SecretName, Secrets>>;
  /** Takes keys and certificates that have changed into use. @throws Error in words; what doesn't fit isn't used */
  reloadKeys(): Promise<void>;
  /** For timestamps of the evidence log. */
  readonly heads: HeadParts;
  readonly devices: Devices;
  /** What the workers of src/requests take. */
  readonly deps: Deps;
  /** What is called after a commit that made work; the gateway sets it to wake its workers. */
  onWork: () => void;
  /** Gives back what a killed gateway held and tidies what it left. Only with the state lock, before workers start. */
  takeOver(): Promise<void>;
  close(): Promise<void>;
}

/** An admin's command may come before the gateway's first start: then the folder is for whom the keys are. */
function makeStateFolder(state: string, folder: string): void {
  const made = mkdirSync(state, { recursive: true, mode: 0o700 });
  const keys = join(folder, 'keys');
  const owner = made !== undefined && existsSync(keys) ? otherOwner(keys) : null;
  if (owner) chownSync(state, owner.uid, owner.gid);
}

/** @throws Error in words when a key, the directory or the database can't be used */
export async function openCore(config: Config, options: CoreOptions): Promise<Core> {
  const { logger } = options;
  const now = options.now ?? (() => new Date());
  const state = pathIn(config, config.state);
  makeStateFolder(state, config.folder);
  const directory = await openDirectory(config, { now, log: logger.child({ part: 'directory' }) });
  const database = openDatabase(join(state, 'signpost.db'), MIGRATIONS);
  const blobs = await FileBlobs.open(join(state, 'blobs'));
  const store = new SqliteStore(database, blobs, now);
  const pki = await loadPki({
    config,
    passphrase: await passphraseOf(config),
    certificates: new SqliteCertificateStore(database, now),
    timestamps: new SqliteTimestampStore(database),
    ...(config.timestamps.askOutside !== 'nobody' && {
      outside: new OutsideRevocation({
        about: (answer, certificate, issuer) =>
          statementsAbout(certificate, issuer, [{ ...answer, where: 'gateway' }])[0] ?? null,
        allowPrivate: config.timestamps.askOutside === 'anybody',
        now,
        logger,
      }),
    }),
    now,
    logger,
  });
  const signer = await openMailSigner(config.folder, config.domains[0]!.sign, await passphraseOf(config), logger);
  const worker = new DocumentWorker({ ...config.documents, log: logger });
  const documents = createDocuments({ worker, pki, company: config.company });
  const extender = createExtender({ worker, pki, timestampAnchors: outsideAnchors(config), now });
  const secrets = { link: new Secrets(config.folder, 'link'), verdict: new Secrets(config.folder, 'verdict') };
  const tokenSecret = await newerSecretKey(config, 'token');
  const inUse = { link: secrets.link.newest.id, verdict: secrets.verdict.newest.id };
  const nowUsed = async (key: string, certificate: string | null, id: string | null): Promise<void> => {
    logger.info({ key, certificate, id }, 'a new key or certificate is in use');
    const subjects = certificate === null ? {} : { certificate };
    await store.evidence.note({ kind: 'key.used', subjects, facts: { key, ...(id !== null && { id }) } });
  };
  let onWork = (): void => {};
  const deps: Deps = {
    store,
    documents,
    extender,
    files: createFileSignatures({ pki, readXml: xml => worker.xmlToSign(xml) }),
    pki,
    composer: createComposer({ config, publicUrl: config.publicUrl, signer }),
    directory,
    config,
    linkKeys: {
      all: () => {
        const [newest, ...older] = secrets.link.all();
        return [newest.secret, ...older.map(({ secret }) => secret)];
      },
      reload: () => secrets.link.reload(),
    },
    tokenSecret,
    sealEvidence: (evidence, at) => sealDetached(pki, evidence, at),
    linkUrl: token => `${config.publicUrl}/s/${token}`,
    now,
    randomBytes: size => randomBytes(size),
    logger,
    wake: () => onWork(),
  };
  return {
    config,
    store,
    directory,
    pki,
    documents,
    extender,
    worker,
    requests: createRequests(deps),
    secrets,
    async reloadKeys() {
      for (const name of SECRET_NAMES) {
        secrets[name].reload();
        const { id } = secrets[name].newest;
        if (id === inUse[name]) continue;
        inUse[name] = id;
        await nowUsed(name, null, id);
      }
      for (const { name, certificate } of await pki.reload()) await nowUsed(name, certificate.serial, null);
    },
    heads: { log: store.evidence, timestamps: pki.timestamps, folder: join(state, 'evidence') },
    devices: createDevices(deps),
    deps,
    get onWork() {
      return onWork;
    },
    set onWork(work) {
      onWork = work;
    },
    async takeOver() {
      store.forgetLeases();
      await blobs.clean(now());
      await forgetSettledMails(store.outbox, blobs, logger);
    },
    async close() {
      await worker.close();
      await directory.close();
      await store.close();
    },
  };
}

/** Under systemd the passphrase is a credential (systemd.exec(5)); else the file that the configuration names. */
export function passphraseOf(config: Config): Promise<string> {
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const path = credentials === undefined ? pathIn(config, config.passphrase) : join(credentials, 'passphrase');
  return readPassphrase(path, credentials);
}

/**
 * A key that installations made by an earlier version lack: made when it is first needed.
 * @throws ConfigError where keys/ can't be written to, as under systemd
 */
async function newerSecretKey(config: Config, name: string): Promise<Buffer> {
  const path = secretPath(config.folder, name);
  try {
    await writeNewFile(path, `${randomBytes(32).toString('hex')}\n`, 0o600);
  } catch (error) {
    if (!(error instanceof KeyFileError && error.fault === 'exists') && !existsSync(path))
      throw new ConfigError(
        `${path} is missing and can't be made (${(error as NodeJS.ErrnoException).code}). Make it once, as the service's user: ` +
          `umask 077; openssl rand -hex 32 > ${path}`,
      );
  }
  return secretKey(config, name);
}

/** A key of at least 32 bytes in hex, from keys/NAME.key. @throws ConfigError */
export function secretKey(config: Config, name: string): Buffer {
  return readSecret(secretPath(config.folder, name));
}
