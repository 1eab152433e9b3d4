/** A gateway without mail: the real requests, devices, documents, PKI, store and web server on a loopback port. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PDFDocument, StandardFonts } from '@cantoo/pdf-lib';
import { pino } from 'pino';
import { type DeviceOptions, SignpostDevice } from '../../../src/client/device.ts';
import type { DeviceMemory, DeviceStore } from '../../../src/client/keys.ts';
import { parseConfig } from '../../../src/config/load.ts';
import type { Directory, Person } from '../../../src/directory/directory.ts';
import { createExtender } from '../../../src/documents/extend.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import { DocumentWorker } from '../../../src/documents/worker.ts';
import { startHttp } from '../../../src/http/server.ts';
import { createComposer } from '../../../src/outbound/composer.ts';
import { createPki } from '../../../src/pki/create.ts';
import { loadPki } from '../../../src/pki/load.ts';
import { createDevices } from '../../../src/requests/devices.ts';
import { createRequests } from '../../../src/requests/engine.ts';
import { startJobs } from '../../../src/requests/jobs.ts';
import type { Level, Mode, Request, Submission } from '../../../src/requests/model.ts';
import type { Grant, Question, Requests } from '../../../src/requests/requests.ts';
import { createFileSignatures } from '../../../src/signatures/file-signatures.ts';
import { sealDetached } from '../../../src/signatures/seal.ts';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { SqliteCertificateStore } from '../../../src/store/certificates.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';
import { SqliteTimestampStore } from '../../../src/store/timestamps.ts';
import { freePort } from '../../../src/tryout/ports.ts';

const PASSPHRASE = 'only for this test';

export function person(id: string, name: string): Person {
  const mail = `${id}@company.com`;
  return {
    id,
    name,
    givenName: name.split(' ')[0]!,
    surname: name.split(' ')[1]!,
    mail,
    addresses: [mail],
    language: 'en',
    title: null,
    groups: [],
    delegates: [],
    mobile: null,
  };
}

export const JOHN = person('john.doe', 'John Doe');
export const MARY = person('mary.smith', 'Mary Smith');
export const PAUL = person('paul.archer', 'Paul Archer');
const PEOPLE = [JOHN, MARY, PAUL];

const directory: Directory = {
  findByMail: async address => PEOPLE.find(({ addresses }) => addresses.includes(address.toLowerCase())) ?? null,
  findByLogin: async login => PEOPLE.find(({ id }) => id === login) ?? null,
  findById: async id => PEOPLE.find(one => one.id === id) ?? null,
  suggest: async () => [],
  findGroup: async () => null,
  checkPassword: async () => 'unsupported',
  publishCertificate: async () => {},
  close: async () => {},
};

export async function samplePdf(text: string): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const page = document.addPage([595, 842]);
  page.drawText(text, { x: 60, y: 760, size: 14, font: await document.embedFont(StandardFonts.Helvetica) });
  return document.save();
}

export interface GatewayOptions {
  readonly http?: Record<string, unknown>;
  readonly publicUrl?: (port: number) => string;
  readonly rejectionComment?: 'optional' | 'required';
  readonly now?: () => Date;
  /** A hostile gateway: changes what devices are asked to sign. */
  readonly tamper?: (grant: Grant) => Grant;
  /** The same for what they are asked to approve. */
  readonly tamperQuestion?: (question: Question) => Question;
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

export async function startGateway(options: GatewayOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-http-'));
  const port = await freePort();
  const config = parseConfig(
    {
      company: { name: 'Company Ltd', vat: 'LU12345678', country: 'LU' },
      publicUrl: options.publicUrl?.(port) ?? `http://127.0.0.1:${port}`,
      domains: [{ sign: 'sign.company.com', mail: ['company.com'] }],
      directory: {},
      mail: { milter: '127.0.0.1:1', lmtp: '127.0.0.1:2', smtp: { host: '127.0.0.1', port: 3 } },
      http: { listen: `127.0.0.1:${port}`, ...options.http },
      requests: { rejectionComment: options.rejectionComment ?? 'optional' },
      enrolment: { mailedCode: true, codesPerDay: 50 },
    },
    join(folder, 'signpost.yaml'),
  );
  const now = options.now ?? (() => new Date());
  const logLines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: line => void logLines.push(line) });

  await createPki(folder, {
    company: config.company,
    publicUrl: config.publicUrl,
    passphrase: PASSPHRASE,
    algorithm: 'ecdsa-p256-sha256',
    now,
  });
  const database = openDatabase(join(folder, 'signpost.db'), MIGRATIONS);
  const store = new SqliteStore(database, await FileBlobs.open(join(folder, 'blobs')), now);
  const pki = await loadPki({
    config,
    passphrase: PASSPHRASE,
    certificates: new SqliteCertificateStore(database),
    timestamps: new SqliteTimestampStore(database),
    now,
    logger,
  });
  const { memory, timeout, maxPages } = config.documents;
  const worker = new DocumentWorker({ memory, timeout, maxPages, log: logger, children: 1 });
  const linkKey = randomBytes(32);
  const deps = {
    store,
    documents: createDocuments({ worker, pki, company: config.company }),
    extender: createExtender({ worker, pki, timestampAnchors: [], now }),
    files: createFileSignatures({ pki, readXml: xml => worker.xmlToSign(xml) }),
    pki,
    composer: createComposer({ config, publicUrl: config.publicUrl, timeZone: 'UTC' }),
    directory,
    config,
    linkKeys: { all: () => [linkKey] as const, reload: () => {} },
    tokenSecret: randomBytes(32),
    sealEvidence: (evidence: Uint8Array, at: Date) => sealDetached(pki, evidence, at),
    linkUrl: (token: string) => `${config.publicUrl}/s/${token}`,
    now,
    randomBytes: (length: number) => randomBytes(length),
    logger,
    wake: () => jobs.wake(),
  };
  const jobs = startJobs(deps);
  const honest = createRequests(deps);
  const requests: Requests = {
    ...honest,
    grantTurn: async (...ask) => {
      const grant = await honest.grantTurn(...ask);
      return options.tamper?.(grant) ?? grant;
    },
    askApproval: async (...ask) => {
      const question = await honest.askApproval(...ask);
      return options.tamperQuestion?.(question) ?? question;
    },
  };
  const devices = createDevices(deps);

  const webRoot = join(folder, 'web');
  mkdirSync(join(webRoot, 'assets'), { recursive: true });
  writeFileSync(join(webRoot, 'index.html'), '<!doctype html><title>Signpost</title><div id=app></div>');
  writeFileSync(join(webRoot, 'assets', 'app-1a2b3c4d.js'), `console.log(${JSON.stringify('x'.repeat(5000))});`);
  const httpDeps = {
    config,
    requests,
    devices,
    directory,
    pki,
    tsa: pki.tsa,
    once: store.once,
    gatewayKey: pki.gatewayKey,
    nonceKey: randomBytes(32),
    webRoot,
    now,
    log: logger,
    tlsInterval: 100,
  };
  const http = await startHttp(httpDeps);

  /** Opens a request and waits until it is prepared. */
  async function submit(
    signatories: readonly Person[],
    more: {
      mode?: Mode;
      documents?: number;
      files?: Submission['documents'];
      copies?: readonly Person[];
      level?: Level;
    } = {},
  ): Promise<Request> {
    const documents = [...(more.files ?? [])];
    for (let index = 0; index < (more.documents ?? 1); index++)
      documents.push({ name: `Contract ${index + 1}.pdf`, bytes: await samplePdf(`Contract ${index + 1}`) });
    const { request } = await requests.open({
      sender: PAUL,
      signatories,
      copies: more.copies ?? [],
      level: more.level ?? 'advanced',
      levelIsDefault: true,
      mode: more.mode ?? 'parallel',
      expiresAt: null,
      documents,
      passedOver: [],
      subject: 'Please sign our contract',
      text: 'Hello,\nplease sign.',
      messageId: `<${randomBytes(8).toString('hex')}@company.com>`,
      references: [],
      key: randomBytes(32).toString('hex'),
      queueId: null,
    });
    return until(request.id, ({ state }) => state !== 'preparing');
  }

  /** Polls, because jobs run by themselves. */
  async function until(requestId: string, fits: (request: Request) => boolean): Promise<Request> {
    for (;;) {
      const request = await requests.find(requestId);
      if (request && fits(request)) return request;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  function tokenOf(request: Request, who: Person): string {
    const session = request.sessions.find(({ party }) => party.personId === who.id);
    if (!session) throw new Error(`${who.name} isn't asked`);
    return requests.linkToken(session);
  }

  /** A device of that person, enrolled with an admin's code. */
  async function deviceFor(who: Person, more: Partial<DeviceOptions> = {}): Promise<SignpostDevice> {
    const device = await SignpostDevice.open({ origin: config.publicUrl, store: memoryStore(), ...more });
    const { code } = await devices.createAdminCode(who.id);
    await device.enrol({ address: who.mail, code, link: null, name: 'Test device', kind: 'command-line' });
    return device;
  }

  /** The code that is mailed for the key that this device sets up. */
  async function codeFor(device: SignpostDevice, who: Person): Promise<string> {
    await device.requestCode(who.mail, null);
    const rows = await store.outbox.lease(1000, 0, now());
    const row = rows.findLast(({ kind, recipient }) => kind === 'enrolment-code' && recipient === who.mail);
    const mail = Buffer.from(await store.blobs.get(row!.blob)).toString();
    return /^\s*(\d{3}) ?(\d{3})\s*$/m.exec(mail)!.slice(1).join('');
  }

  /** Everything that the database holds. */
  function dump(): string {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    return JSON.stringify(
      tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${String(name)}" ORDER BY 1, 2`).all()]),
    );
  }

  return {
    folder,
    port,
    url: config.publicUrl,
    config,
    httpDeps,
    requests,
    devices,
    pki,
    store,
    jobs,
    logLines,
    submit,
    until,
    tokenOf,
    deviceFor,
    codeFor,
    dump,
    close: async () => {
      await http.close();
      await jobs.stop();
      await worker.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function memoryStore(): DeviceStore & { memory: DeviceMemory } {
  return {
    memory: { pending: null, device: null },
    extractable: true,
    async load() {
      return this.memory;
    },
    async save(memory) {
      this.memory = memory;
    },
  };
}
