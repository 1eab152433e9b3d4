/** The device about itself: who it is, what waits for its person, its certificates, its end. */
import { createHash, createPublicKey } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { thumbprint } from '../client/keys.ts';
import {
  type Certificate,
  type DeviceInfo,
  decode,
  encode,
  parseCertificateAsk,
  parsePublicKey,
  parseTokenAsk,
  type Waiting,
} from '../client/protocol.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { provenPublicKey } from '../pki/csr.ts';
import { type CertificateAuthority, type CertificateRecord, CertificateRefused } from '../pki/pki.ts';
import type { Device } from '../requests/model.ts';
import type { Devices, Requests } from '../requests/requests.ts';
import type { OnceStore } from '../store/store.ts';
import { type Authentication, bodyOf } from './authentication.ts';
import { HttpProblem, notFound } from './problems.ts';

const DAY = 86_400_000;
/** A device needs one every 28 days. */
const CERTIFICATES_PER_DAY = 20;

export interface DeviceDeps {
  readonly authentication: Authentication;
  readonly requests: Requests;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly ca: CertificateAuthority;
  readonly once: OnceStore;
  readonly company: string;
  readonly now: () => Date;
}

function wireCertificate({ serial, certificate, notAfter }: CertificateRecord): Certificate {
  return { serial, certificate, notAfter };
}

export function deviceRoutes(api: FastifyInstance, deps: DeviceDeps): void {
  const { authentication, requests, devices, directory, ca, once, now } = deps;

  /** Whoever left the directory has no device any more. */
  async function personOf(device: Device): Promise<Person> {
    const person = await directory.findById(device.personId);
    if (!person) throw notFound();
    return person;
  }

  api.get('/device', async (request, reply) => {
    const device = await authentication.device(request);
    const { name, mail } = await personOf(device);
    const info: DeviceInfo = {
      id: device.id,
      name: device.name,
      kind: device.kind,
      createdAt: device.createdAt,
      person: { name, mail },
      company: deps.company,
    };
    return reply.send(encode(info));
  });

  api.delete('/device', async (request, reply) => {
    const device = await authentication.device(request);
    await devices.end(device.id, 'retired');
    return reply.send(encode({}));
  });

  api.post('/device/token', async (request, reply) => {
    const device = await authentication.device(request);
    await devices.setTokenKey(device.id, decode(bodyOf(request), parseTokenAsk).key);
    return reply.send(encode({}));
  });

  api.get('/device/sessions', async (request, reply) => {
    const device = await authentication.device(request);
    const waiting = await requests.waitingFor(device.personId);
    const answer = waiting.map(
      ({ request: asked, session }): Waiting => ({
        link: requests.linkToken(session),
        request: asked.id,
        subject: asked.subject,
        sender: { name: asked.sender.name, mail: asked.sender.mail },
        documents: asked.documents.length,
        expiresAt: asked.expiresAt,
      }),
    );
    return reply.send(encode(answer));
  });

  api.post('/certificates', async (request, reply) => {
    const device = await authentication.device(request);
    const { csr } = decode(bodyOf(request), parseCertificateAsk);
    const publicKeyInfo = provenPublicKey(csr);
    const before = await issuedBefore(ca, device, publicKeyInfo);
    if (before) return reply.send(encode(wireCertificate(before)));
    await refuseAuthenticationKey(device, publicKeyInfo);
    const time = now();
    if ((await once.count('certificate', device.id, time, new Date(time.getTime() - DAY))) > CERTIFICATES_PER_DAY)
      throw new HttpProblem('too-many-tries');
    const record = await ca.issueForPerson(csr, await personOf(device), device.id);
    return reply.send(encode(wireCertificate(record)));
  });
}

/** The certificate whose first answer was lost: the same key asks again. */
async function issuedBefore(
  ca: CertificateAuthority,
  device: Device,
  publicKeyInfo: Uint8Array,
): Promise<CertificateRecord | null> {
  const keyHash = createHash('sha256').update(publicKeyInfo).digest('hex');
  const records = await ca.listForDevice(device.id);
  return records.find(record => record.keyHash === keyHash && record.revokedAt === null) ?? null;
}

/** The key that looks at documents must never be the one that signs them (DESIGN.md decision 4). */
async function refuseAuthenticationKey(device: Device, publicKeyInfo: Uint8Array): Promise<void> {
  const key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  if ((await thumbprint(parsePublicKey(key.export({ format: 'jwk' })))) === device.id)
    throw new CertificateRefused('The signing key must be another one than the authentication key.');
}
