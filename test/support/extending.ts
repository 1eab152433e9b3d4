/** A company whose clock moves, and whose timestamp authority gets a new certificate when a test says so. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import type { ExtenderParts } from '../../src/documents/extend.ts';
import { createDocuments } from '../../src/documents/pipeline.ts';
import { certificatePath, createPki, keyPath } from '../../src/pki/create.ts';
import { generateKey, loadKeyFile, signingKey, writeKeyFile, writeNewFile } from '../../src/pki/key-file.ts';
import { type LoadedPki, loadPki } from '../../src/pki/load.ts';
import type { SigningKey, TimestampAuthority } from '../../src/pki/pki.ts';
import { timestampProfile } from '../../src/pki/profiles.ts';
import { EmbeddedTimestampAuthority } from '../../src/pki/tsa.ts';
import { fromPem, parseCertificate, signCertificate, toPem } from '../../src/pki/x509.ts';
import { SqliteCertificateStore } from '../../src/store/certificates.ts';
import { openDatabase } from '../../src/store/database.ts';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { SqliteTimestampStore } from '../../src/store/timestamps.ts';
import { COMPANY, completeFor, makeSignatory, markOf, planFor, smallWorker } from './pades.ts';

export const DAY = 86_400_000;

/** An authority with a key and certificate of its own, by the company's CA. */
export async function shortLivedTimestamper(
  { ca }: Pick<LoadedPki, 'ca'>,
  caKey: SigningKey,
  clock: { readonly now: () => Date; readonly monotonic: () => number },
  validity: number,
): Promise<{ readonly authority: TimestampAuthority; readonly certificate: Uint8Array }> {
  const key = signingKey(await generateKey('ecdsa-p256-sha256'));
  const root = parseCertificate(ca.chain[0]!);
  const issuer = { certificate: root, publicUrl: 'http://127.0.0.1:8080' };
  const profile = timestampProfile(COMPANY, key.publicKey, issuer, clock.now());
  const notAfter = new Date(clock.now().getTime() + validity);
  const certificate = await signCertificate({ ...profile, notAfter }, caKey);
  await ca.register(parseCertificate(certificate));
  const authority = new EmbeddedTimestampAuthority({
    identity: { key, certificate, issuers: [root.der] },
    store: new SqliteTimestampStore(openDatabase(':memory:', MIGRATIONS)),
    ...clock,
    logger: pino({ level: 'silent' }),
  });
  return { authority, certificate };
}

export interface TimedPki {
  readonly parts: ExtenderParts['pki'] & LoadedPki;
  readonly start: Date;
  now(): Date;
  moveTo(time: Date): void;
  /** The certificate of the authority that stamps now, DER. */
  timestamper(): Uint8Array;
  /** @param validity milliseconds from now */
  renewTimestamper(validity: number): Promise<void>;
  /** Serial number of whom `finished` made last. */
  lastPerson(): string;
  notePerson(serial: string): void;
}

/** Starts now; its first timestamp certificate ends after 400 days. */
export async function makeTimedPki(): Promise<TimedPki> {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-pki-'));
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  let time = start;
  let person = '';
  const now = () => time;
  const clock = { now, monotonic: () => time.getTime() };
  const publicUrl = 'http://127.0.0.1:8080';
  const passphrase = 'a test';
  await createPki(folder, { company: COMPANY, publicUrl, passphrase, algorithm: 'ecdsa-p256-sha256', now });
  const caKey = await loadKeyFile(keyPath(folder, 'ca'), passphrase);
  const database = openDatabase(':memory:', MIGRATIONS);
  const pki = await loadPki({
    config: {
      folder,
      company: COMPANY,
      publicUrl,
      certificates: { validity: 30 * DAY },
      timestamps: { authorities: ['embedded'] },
    },
    passphrase,
    certificates: new SqliteCertificateStore(database),
    timestamps: new SqliteTimestampStore(database),
    ...clock,
    logger: pino({ level: 'silent' }),
  });
  rmSync(folder, { recursive: true });
  let stamping = await shortLivedTimestamper(pki, caKey, clock, 400 * DAY);
  return {
    parts: { ...pki, timestamps: { stamp: digest => stamping.authority.stamp(digest) } },
    start,
    now,
    moveTo(to) {
      time = to;
    },
    timestamper: () => stamping.certificate,
    async renewTimestamper(validity) {
      stamping = await shortLivedTimestamper(pki, caKey, clock, validity);
    },
    lastPerson: () => person,
    notePerson(serial) {
      person = serial;
    },
  };
}

/** A document that one person signed with a device's key, closed. */
export async function finished(pki: TimedPki): Promise<Uint8Array> {
  const documents = createDocuments({ worker: smallWorker, pki: pki.parts, company: COMPANY });
  const { bytes, layout } = await documents.prepare(new Uint8Array(), { ...planFor(['Jeanne Doé']), date: pki.now() });
  const signatory = await makeSignatory(pki.parts, 'Jeanne Doé');
  pki.notePerson(parseCertificate(signatory.certificate).serial);
  const mark = { ...markOf(signatory, 0), signingTime: pki.now() };
  const prepared = await documents.prepareSignature(bytes, layout, mark);
  return documents.close(await completeFor(documents, pki.parts, prepared, signatory), layout, pki.now());
}

/** What an admin does when an installation's timestamp certificate nears its end: another key, another certificate. */
export async function replaceTimestamper(
  { folder, company, publicUrl }: Pick<Config, 'folder' | 'company' | 'publicUrl'>,
  validity: number,
): Promise<void> {
  const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim();
  const caKey = await loadKeyFile(keyPath(folder, 'ca'), passphrase);
  const [root] = fromPem(readFileSync(certificatePath(folder, 'ca'), 'utf8'));
  const key = await generateKey('ecdsa-p256-sha256');
  const issuer = { certificate: parseCertificate(root!), publicUrl };
  const profile = timestampProfile(company, signingKey(key).publicKey, issuer, new Date());
  const certificate = await signCertificate({ ...profile, notAfter: new Date(Date.now() + validity) }, caKey);
  for (const path of [keyPath(folder, 'tsa'), certificatePath(folder, 'tsa')]) rmSync(path);
  await writeKeyFile(keyPath(folder, 'tsa'), key, passphrase);
  await writeNewFile(certificatePath(folder, 'tsa'), toPem(certificate), 0o644);
}
