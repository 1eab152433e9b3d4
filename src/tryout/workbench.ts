/** A company on a workbench: its keys, its document engine and a person's device in this process; no mail, no network. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { certificationRequest } from '../client/csr.ts';
import { createInstallation } from '../config/installation.ts';
import type { Person } from '../directory/directory.ts';
import type { CertifiedMark } from '../documents/documents.ts';
import type { LayoutPlan } from '../documents/layout.ts';
import { type Core, openCore } from '../gateway/core.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';

export interface SoftwareDevice {
  readonly person: Person;
  readonly key: KeyObject;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER ECDSA-Sig-Value over SHA-256. */
  sign(data: Uint8Array): Uint8Array;
}

export interface Workbench {
  readonly core: Core;
  readonly device: SoftwareDevice;
  readonly plan: (level: 'advanced' | 'seal') => LayoutPlan;
  readonly mark: () => CertifiedMark;
  close(): Promise<void>;
}

const SIGN_DOMAIN = 'sign.company.com';

export async function openWorkbench(keys: SignatureAlgorithm = 'ecdsa-p256-sha256'): Promise<Workbench> {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-workbench-'));
  try {
    const company = { name: 'Example Company S.A.', vat: 'LU12345678', country: 'LU' };
    const { config } = await createInstallation(
      join(folder, 'gateway'),
      {
        company,
        publicUrl: 'http://localhost:8893',
        signDomain: SIGN_DOMAIN,
        mailDomains: ['company.com'],
        ports: { milter: 8891, lmtp: 8892, http: 8893, smtp: 25 },
      },
      keys,
    );
    const core = await openCore(config, { logger: pino({ level: 'silent' }) });
    const device = await softwareDevice(core);
    return {
      core,
      device,
      plan: level => ({
        company,
        requestId: '0123456789AB',
        signatories:
          level === 'seal' ? [] : [{ name: device.person.name, title: device.person.title, level: 'advanced' }],
        marks: { signaturePage: level === 'advanced', paraphs: false, watermark: false },
        language: 'en',
        date: new Date(),
      }),
      mark: () => ({
        index: 0,
        name: device.person.name,
        company: company.name,
        level: 'advanced',
        signature: null,
        paraph: null,
        place: null,
        device: 'Workbench',
        signingTime: new Date(),
        utcOffset: 0,
        certificate: device.certificate,
      }),
      async close() {
        await core.close();
        rmSync(folder, { recursive: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

async function softwareDevice(core: Core): Promise<SoftwareDevice> {
  const person: Person = {
    id: 'mary.smith',
    name: 'Mary Smith',
    givenName: 'Mary',
    surname: 'Smith',
    mail: 'mary.smith@company.com',
    addresses: ['mary.smith@company.com'],
    language: 'en',
    title: 'Chief Financial Officer',
    groups: [],
    delegates: [],
    mobile: null,
  };
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { certificate } = await core.pki.ca.issueForPerson(await certificationRequest(keys), person, 'workbench');
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  return { person, key, certificate, sign: data => sign('sha256', data, key) };
}
