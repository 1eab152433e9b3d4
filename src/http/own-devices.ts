/** What a device may do for its person: see, name and end their devices, confirm new ones, show more, add a passkey. */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import {
  decode,
  encode,
  type Newcomer,
  type OwnDevice,
  type PasskeyOptions,
  parseNameAsk,
  parseNewcomerAsk,
  parseOwnCodeAsk,
  parsePasskeyAsk,
  parseProofAsk,
} from '../client/protocol.ts';
import type { Directory, Person } from '../directory/directory.ts';
import { cleanLine } from '../outbound/clean.ts';
import type { Device } from '../requests/model.ts';
import type { Devices } from '../requests/requests.ts';
import { relyingParty } from '../requests/webauthn.ts';
import { type Authentication, bodyOf } from './authentication.ts';
import type { Nonces } from './nonce.ts';
import { HttpProblem, notFound } from './problems.ts';
import { network } from './rate.ts';

const DAY = 86_400_000;
/** How long the end of a device is told to the others. */
const TOLD = 14 * DAY;

export interface OwnDevicesDeps {
  readonly authentication: Authentication;
  readonly nonces: Nonces;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly company: string;
  readonly publicUrl: string;
  readonly now: () => Date;
}

type IdRoute = { Params: { id: string } };

export function ownDevicesRoutes(api: FastifyInstance, deps: OwnDevicesDeps): void {
  const { authentication, nonces, devices, directory, now } = deps;

  async function personOf(device: Device): Promise<Person> {
    const person = await directory.findById(device.personId);
    if (!person) throw notFound();
    return person;
  }

  api.get('/device/all', async (request, reply) => {
    const device = await authentication.device(request);
    const since = now().getTime() - TOLD;
    const all = (await devices.listForPerson(device.personId)).filter(
      ({ endedAt }) => endedAt === null || endedAt.getTime() > since,
    );
    const answer = all.map(
      ({ id, name, kind, createdAt, endedAt }): OwnDevice => ({
        id,
        name,
        kind,
        createdAt,
        endedAt,
        own: id === device.id,
      }),
    );
    return reply.send(encode(answer));
  });

  api.delete<IdRoute>('/device/all/:id', async (request, reply) => {
    const device = await authentication.device(request);
    const other = await devices.find(request.params.id);
    if (other?.personId !== device.personId) throw notFound();
    await devices.end(other.id, other.id === device.id ? 'retired' : 'revoked');
    return reply.send(encode({}));
  });

  api.post('/device/name', async (request, reply) => {
    const device = await authentication.device(request);
    const name = cleanLine(decode(bodyOf(request), parseNameAsk).name, 60);
    if (name === '') throw new HttpProblem('bad-request');
    await devices.rename(device, name);
    return reply.send(encode({}));
  });

  api.get('/device/newcomers', async (request, reply) => {
    const device = await authentication.device(request);
    const own = await devices.listForPerson(device.personId);
    const answer = (await devices.waiting(device.personId)).map(
      ({ device: { id, name, kind }, matching, replaces }): Newcomer => ({
        id,
        name,
        kind,
        code: matching,
        replaces: own.find(other => other.id === replaces)?.name ?? null,
      }),
    );
    return reply.send(encode(answer));
  });

  api.post<IdRoute>('/device/newcomers/:id', async (request, reply) => {
    const device = await authentication.device(request);
    const { confirmed } = decode(bodyOf(request), parseNewcomerAsk);
    const { id } = request.params;
    if (!(await devices.answer(device, id, confirmed))) {
      // The answer to the first time may have been lost.
      const known = await devices.find(id);
      if (!(confirmed && known?.state === 'active' && known.confirmedBy === device.id)) throw notFound();
    }
    return reply.send(encode({}));
  });

  api.post('/device/code', async (request, reply) => {
    const device = await authentication.device(request);
    const { link } = decode(bodyOf(request), parseOwnCodeAsk);
    await devices.sendCode({ address: (await personOf(device)).mail, link, deviceId: device.id });
    return reply.code(202).send(encode({}));
  });

  api.post('/device/proofs', async (request, reply) => {
    const device = await authentication.device(request);
    await devices.prove(device, { ...decode(bodyOf(request), parseProofAsk), client: network(request.ip) });
    return reply.send(encode({}));
  });

  api.get('/device/passkey', async (request, reply) => {
    const device = await authentication.device(request);
    const { mail } = await personOf(device);
    const answer: PasskeyOptions = {
      challenge: Buffer.from(nonces.issue(passkeyScope(device))),
      rpId: relyingParty(deps.publicUrl).id,
      rpName: `${deps.company} (Signpost)`,
      // Not the person's id: authenticators show and keep it (Web Authentication §14.6.1).
      userId: createHash('sha256').update(device.id).digest(),
      userName: mail,
    };
    return reply.send(encode(answer));
  });

  api.post('/device/passkey', async (request, reply) => {
    const device = await authentication.device(request);
    const { clientData, authenticatorData } = decode(bodyOf(request), parsePasskeyAsk);
    const challenge = challengeIn(clientData);
    if (!(await nonces.use(challenge, passkeyScope(device)))) throw new HttpProblem('passkey-refused');
    await devices.addPasskey(device, { challenge: Buffer.from(challenge), clientData, authenticatorData });
    return reply.send(encode({}));
  });
}

function passkeyScope({ id }: Device): { deviceId: string; method: string; path: string } {
  return { deviceId: id, method: 'PASSKEY', path: '/' };
}

/** The nonce that the authenticator was given; empty when it can't be read. */
function challengeIn(clientData: Uint8Array): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientData).toString()) as { readonly challenge?: unknown };
    return typeof challenge === 'string' ? Buffer.from(challenge, 'base64url').toString() : '';
  } catch {
    return '';
  }
}
