/**
 * A small world around the engine: the real store in a temporary folder, real device keys and certificates, a clock
 * that tests move, and plain stand-ins for the parts whose own tests are elsewhere (documents that append text, mails
 * that are one line).
 */
import { createHash, generateKeyPairSync, type KeyObject, sign, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Integer, PrintableString } from 'asn1js';
import { pino } from 'pino';
import { AttributeTypeAndValue, Certificate } from 'pkijs';
import type { Directory, Person } from '../../../src/directory/directory.ts';
import type { Documents } from '../../../src/documents/documents.ts';
import type { Extender } from '../../../src/documents/extend.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import type { MailComposer } from '../../../src/outbound/mail.ts';
import type { CertificateAuthority, CertificateRecord } from '../../../src/pki/pki.ts';
import type { Deps } from '../../../src/requests/deps.ts';
import { createDevices } from '../../../src/requests/devices.ts';
import { createRequests } from '../../../src/requests/engine.ts';
import { WORK } from '../../../src/requests/jobs.ts';
import type { Device, Request, Session, Submission } from '../../../src/requests/model.ts';
import { FileBlobs } from '../../../src/store/blobs.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { MIGRATIONS } from '../../../src/store/migrations.ts';
import { SqliteStore } from '../../../src/store/sqlite.ts';

export const T0 = new Date('2026-05-04T10:00:00.000Z');
export const DAY = 86_400_000;

export function person(id: string, changes: Partial<Person> = {}): Person {
  return {
    id,
    name: id[0]!.toUpperCase() + id.slice(1),
    givenName: null,
    surname: null,
    mail: `${id}@company.test`,
    addresses: [`${id}@company.test`],
    language: 'en',
    title: null,
    groups: [],
    delegates: [],
    mobile: null,
    ...changes,
  };
}

export const PEOPLE = ['mary', 'john', 'jane', 'carl'].map(id => person(id, id === 'john' ? { title: 'Buyer' } : {}));
const [mary, john, jane, carl] = PEOPLE as [Person, Person, Person, Person];

export function submission(changes: Partial<Submission> = {}): Submission {
  return {
    sender: mary,
    signatories: [john, jane],
    copies: [carl],
    level: 'advanced',
    levelIsDefault: true,
    mode: 'parallel',
    expiresAt: null,
    documents: [{ name: 'contract.pdf', bytes: Buffer.from('PDF') }],
    passedOver: [],
    subject: 'Contract',
    text: 'Please sign.',
    messageId: '<1@company.test>',
    references: [],
    key: 'a'.repeat(64),
    queueId: '4XyZ',
    ...changes,
  };
}

/** Looks like a document's way: each revision is the one before and something after it. */
export const documents: Documents = {
  inspect: async () => ({ pages: 3, attachments: [], formFields: 0 }),
  prepare: async (pdf, plan) => ({
    bytes: Buffer.from(
      `${text(pdf)}\nfirst ${plan.signatories[0]?.level ?? 'seal'} ${plan.signatories.map(({ name }) => name).join()}`,
    ),
    layout: { signatories: plan.signatories } as unknown as DocumentLayout,
  }),
  async prepareSignature(head, _layout, mark) {
    const line = `${mark.index} ${mark.name} ${mark.signingTime.toISOString()} ${mark.utcOffset}`;
    const bytes = Buffer.from(`${text(head)}\nsigned ${line} ${'0'.repeat(160)}`);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const gap = bytes.length - 160;
    return { bytes, byteRange: [0, gap, bytes.length, 0], signedAttributes: Buffer.from(`attributes ${digest}`) };
  },
  approve: async (head, _layout, { name }) => Buffer.from(`${text(head)}\napproved ${name}`),
  async completeSignature(prepared, { signature }) {
    const hex = Buffer.from(signature).toString('hex').padEnd(160, '0');
    return Buffer.from(text(prepared.bytes).slice(0, prepared.byteRange[1]) + hex);
  },
  close: async head => Buffer.from(`${text(head)}\nclosed`),
};

/** When the timestamp of a document ends stands in it; a new one lasts a year longer. */
export const extender: Extender = {
  timestampEnd: async file => new Date(/.*until (\S+)$/s.exec(text(file))?.[1] ?? T0.getTime() + 365 * DAY),
  async extend(file) {
    const end = await this.timestampEnd(file);
    return Buffer.from(`${text(file)}\nuntil ${new Date((end ?? T0).getTime() + 365 * DAY).toISOString()}`);
  },
};

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

const composer: MailComposer = {
  async compose(mail, to, rowId, date) {
    const files = mail.kind === 'finished' ? mail.files.map(({ bytes }) => text(bytes)).join('|') : '';
    const link = mail.kind === 'please-sign' ? mail.link : '';
    const code = mail.kind === 'enrolment-code' ? mail.code : '';
    const reason = mail.kind === 'failed' ? mail.reason : '';
    return {
      bytes: Buffer.from(JSON.stringify({ kind: mail.kind, rowId, date, files, link, code, reason })),
      messageId: `<${rowId}@sign.company.test>`,
      envelope: { from: `bounce+${rowId}@sign.company.test`, to: to.mail },
    };
  },
};

export const directory: Directory = {
  findByMail: async address => PEOPLE.find(({ addresses }) => addresses.includes(address.toLowerCase())) ?? null,
  findByLogin: async login => PEOPLE.find(({ id }) => id === login) ?? null,
  findById: async id => PEOPLE.find(one => one.id === id) ?? null,
  suggest: async () => [],
  findGroup: async () => null,
  checkPassword: async () => 'unsupported',
  publishCertificate: async () => {},
  close: async () => {},
};

/** Keeps what it is given; issuing is the PKI's own business. */
class Registry implements CertificateAuthority {
  readonly chain = [];
  readonly records = new Map<string, CertificateRecord>();
  async find(serial: string) {
    return this.records.get(serial) ?? null;
  }
  async listForDevice(deviceId: string) {
    return [...this.records.values()].filter(record => record.deviceId === deviceId);
  }
  async revoke(serial: string, reason: CertificateRecord['reason']) {
    const record = this.records.get(serial);
    if (record?.revokedAt === null) this.records.set(serial, { ...record, revokedAt: new Date(), reason });
  }
  issuersOf() {
    return [];
  }
  issueForPerson(): never {
    throw new Error('not in this world');
  }
  crl(): never {
    throw new Error('not in this world');
  }
  crls(): never {
    throw new Error('not in this world');
  }
  crlNamed(): never {
    throw new Error('not in this world');
  }
  certificateNamed(): never {
    throw new Error('not in this world');
  }
  ocsp(): never {
    throw new Error('not in this world');
  }
}

/** A device with its keys and one certificate. */
export interface Phone {
  readonly device: Device;
  readonly serial: string;
  readonly key: KeyObject;
}

async function notHere(): Promise<never> {
  throw new Error('not in this world');
}

export class World {
  readonly registry = new Registry();
  readonly log: string[] = [];
  now = T0;
  readonly folder: string;
  readonly store: SqliteStore;
  readonly deps: Deps;
  readonly requests: ReturnType<typeof createRequests>;
  readonly devices: ReturnType<typeof createDevices>;
  wakes = 0;

  private constructor(folder: string, store: SqliteStore, adapt: (deps: Deps) => Deps) {
    this.folder = folder;
    this.store = store;
    this.deps = adapt({
      store,
      documents,
      extender,
      files: { add: notHere, close: notHere },
      pki: { ca: this.registry },
      composer,
      directory,
      config: {
        company: { name: 'Company', vat: null, country: 'DE' },
        requests: {
          expiry: 7 * DAY,
          maxExpiry: 30 * DAY,
          maxPendingPerSender: 100,
          maxPendingPerPair: 50,
          maxPerDay: 500,
          maxGroupMembers: 50,
          mode: 'parallel',
          rejectionComment: 'optional',
        },
        enrolment: {
          mailedCode: true,
          codeLifetime: 15 * 60_000,
          codesPerDay: 5,
          proofs: null,
          passwordTries: 4,
          passkeys: { standard: 'off', advanced: 'off' },
        },
        publicUrl: 'https://sign.company.test',
        documents: { signaturePage: true, cades: 'embedded' },
        archive: { extendBefore: 90 * DAY },
      },
      linkKeys: { all: () => [Buffer.alloc(32, 'l')], reload: () => {} },
      tokenSecret: Buffer.alloc(32, 't'),
      sealEvidence: async (evidence, at) => Buffer.from(`sealed ${at.toISOString()} ${text(evidence)}`),
      linkUrl: token => `https://sign.company.test/s/${token}`,
      now: () => this.now,
      randomBytes: count => webcrypto.getRandomValues(new Uint8Array(count)),
      logger: pino({ level: 'debug' }, { write: line => void this.log.push(line) }),
      wake: () => {
        this.wakes++;
      },
    });
    this.requests = createRequests(this.deps);
    this.devices = createDevices(this.deps);
  }

  /** @param adapt exchanges parts */
  static async open(adapt: (deps: Deps) => Deps = deps => deps): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'signpost-requests-'));
    let world: World | null = null;
    const database = openDatabase(join(folder, 'signpost.db'), MIGRATIONS);
    // Unsynced: these tests kill no machine, and there are many of them.
    database.exec('PRAGMA synchronous = OFF');
    const store = new SqliteStore(database, await FileBlobs.open(join(folder, 'blobs')), () => world?.now ?? T0);
    world = new World(folder, store, adapt);
    return world;
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  pass(milliseconds: number): void {
    this.now = new Date(this.now.getTime() + milliseconds);
  }

  /** An enrolled device of this person, as enrolment leaves it. */
  async phone(personId: string, id = `device-of-${personId}`): Promise<Phone> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const serial = `1${createHash('sha256').update(id).digest('hex').slice(0, 15)}`;
    const notBefore = T0;
    const notAfter = new Date(T0.getTime() + 30 * DAY);
    const certificate = await selfSigned(serial, personId, { privateKey, publicKey }, notBefore, notAfter);
    this.registry.records.set(serial, {
      serial,
      certificate: certificate,
      personId,
      deviceId: id,
      notBefore,
      notAfter,
      revokedAt: null,
      reason: null,
      keyHash: '',
      issuer: '',
    });
    const device: Device = {
      id,
      personId,
      name: `Phone of ${personId}`,
      kind: 'browser',
      key: publicJwk(publicKey),
      state: 'active',
      createdAt: this.now,
      endedAt: null,
    };
    await this.store.requests.commit({ devices: [device] });
    return { device, serial, key: privateKey };
  }

  /** Everything that is due, until nothing is. */
  async runJobs(deps: Deps = this.deps): Promise<void> {
    for (;;) {
      const [job] = await this.store.jobs.lease(1, 60_000, this.now);
      if (!job) return;
      await WORK[job.kind](deps, job);
    }
  }

  /** A request that is ready to sign. */
  async opened(changes: Partial<Submission> = {}): Promise<Request> {
    const { request } = await this.requests.open(submission(changes));
    await this.runJobs();
    return this.fresh(request);
  }

  async fresh(request: Pick<Request, 'id'>): Promise<Request> {
    const found = await this.requests.find(request.id);
    if (!found) throw new Error('the request is gone');
    return found;
  }

  async grant(session: Session, phone: Phone, known: readonly number[] = [0]) {
    return this.requests.grantTurn(session.id, phone.device, {
      certificateSerial: phone.serial,
      known,
      utcOffset: 120,
    });
  }

  /** What a device does: asks for a turn, signs, hands in. */
  async sign(session: Session, phone: Phone): Promise<Session> {
    const grant = await this.grant(session, phone);
    return this.requests.completeTurn(session.id, phone.device, grant.turn, signatures(grant, phone));
  }

  /** "kind recipient" of every mail of a request, sorted. */
  async mails(request: Pick<Request, 'id'>): Promise<string[]> {
    const rows = await this.store.outbox.listForRequest(request.id);
    return rows.map(({ kind, recipient }) => `${kind} ${recipient.split('@')[0]}`).sort();
  }

  /** The newest mail of this kind, as the composer wrote it. */
  async mail(kind: string, to: string, requestId: string | null = null): Promise<Record<string, string> | null> {
    const rows =
      requestId === null
        ? await this.store.outbox.lease(1000, 0, this.now)
        : await this.store.outbox.listForRequest(requestId);
    const row = rows.findLast(one => one.kind === kind && one.recipient.startsWith(`${to}@`));
    return row ? (JSON.parse(text(await this.store.blobs.get(row.blob))) as Record<string, string>) : null;
  }
}

export function signatures(
  grant: { readonly documents: readonly { readonly signedAttributes: Uint8Array }[] },
  phone: Phone,
): Uint8Array[] {
  return grant.documents.map(({ signedAttributes }) => sign('sha256', signedAttributes, phone.key));
}

/** The key of a device that isn't enrolled yet, with the id that RFC 7638 gives it. */
export function newDevice(name = 'Firefox'): Pick<Device, 'id' | 'key' | 'name' | 'kind'> {
  const key = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
  const id = createHash('sha256')
    .update(`{"crv":"P-256","kty":"EC","x":"${key.x}","y":"${key.y}"}`)
    .digest('base64url');
  return { id, key, name, kind: 'browser' };
}

function publicJwk(key: KeyObject): Device['key'] {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return { kty: 'EC', crv: 'P-256', x, y };
}

async function selfSigned(
  serial: string,
  commonName: string,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
  notBefore: Date,
  notAfter: Date,
): Promise<Uint8Array> {
  const web = async (key: KeyObject, format: 'pkcs8' | 'spki', usage: 'sign' | 'verify') =>
    (await webcrypto.subtle.importKey(
      format,
      key.export({ format: 'der', type: format } as { format: 'der'; type: 'spki' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      [usage],
    )) as CryptoKey;
  const certificate = new Certificate();
  certificate.serialNumber = new Integer({ valueHex: Buffer.from(serial, 'hex') });
  for (const name of [certificate.subject, certificate.issuer]) {
    name.typesAndValues.push(
      new AttributeTypeAndValue({ type: '2.5.4.3', value: new PrintableString({ value: commonName }) }),
    );
  }
  certificate.notBefore.value = notBefore;
  certificate.notAfter.value = notAfter;
  await certificate.subjectPublicKeyInfo.importKey(await web(keys.publicKey, 'spki', 'verify'));
  await certificate.sign(await web(keys.privateKey, 'pkcs8', 'sign'), 'SHA-256');
  return new Uint8Array(certificate.toSchema(true).toBER());
}
