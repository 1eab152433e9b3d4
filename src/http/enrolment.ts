/** Setting up a device. Nothing here tells whether a person, an address or a link exists. */
import type { FastifyInstance } from 'fastify';
import { decode, type Enrolled, encode, type PublicKey, parseCodeAsk, parseEnrolmentAsk } from '../client/protocol.ts';
import type { Directory } from '../directory/directory.ts';
import { cleanLine } from '../outbound/clean.ts';
import type { Device } from '../requests/model.ts';
import { type Devices, EnrolmentRefused } from '../requests/requests.ts';
import type { OnceStore } from '../store/store.ts';
import { type Authentication, bodyOf } from './authentication.ts';
import { HttpProblem } from './problems.ts';

const MINUTE = 60_000;
/**
 * Against load, per network address, so that nobody can lock out another: a whole office may set up its phones behind
 * one. Guessing is stopped by the codes themselves: five tries each.
 */
const TRIES_PER_CLIENT = { count: 300, window: 60 * MINUTE };
const TRIES_PER_CLIENT_AND_ADDRESS = { count: 30, window: 15 * MINUTE };

export interface EnrolmentDeps {
  readonly authentication: Authentication;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly once: OnceStore;
  readonly company: string;
  readonly gatewayKey: PublicKey;
  readonly now: () => Date;
}

/** An IPv6 customer has a whole /64. */
export function network(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  if (tail !== undefined) while (groups.length + after.length < 8) groups.push('0');
  return [...groups, ...after]
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':');
}

export function enrolmentRoutes(api: FastifyInstance, deps: EnrolmentDeps): void {
  const { authentication, devices, directory, once, now } = deps;

  async function limit(
    kind: string,
    subject: string,
    { count, window }: { count: number; window: number },
  ): Promise<void> {
    const time = now();
    const since = new Date(time.getTime() - window);
    if ((await once.count(kind, subject, time, since)) > count) throw new HttpProblem('too-many-tries');
  }

  async function limitTries(ip: string, address: string): Promise<void> {
    const client = network(ip);
    await limit('enrolment-client', client, TRIES_PER_CLIENT);
    await limit('enrolment-try', `${client} ${address}`, TRIES_PER_CLIENT_AND_ADDRESS);
  }

  /** What a browser still remembers may have ended long ago, or be another person's: then it replaces nothing. */
  async function replaced(deviceId: string | null, address: string): Promise<string | null> {
    if (deviceId === null) return null;
    const device = await devices.find(deviceId);
    const person = await directory.findByMail(address);
    return device?.state === 'active' && device.personId === person?.id ? deviceId : null;
  }

  async function enrolled(device: Device): Promise<Enrolled> {
    const person = await directory.findById(device.personId);
    if (!person) throw new EnrolmentRefused('the person has left the directory');
    const { name, mail } = person;
    return { deviceId: device.id, person: { name, mail }, company: deps.company, gatewayKey: deps.gatewayKey };
  }

  api.post('/enrolment/code', async (request, reply) => {
    const ask = decode(bodyOf(request), parseCodeAsk);
    const address = ask.address.trim().toLowerCase();
    const deviceId = await authentication.newKey(request, ask.key);
    await limitTries(request.ip, address);
    await devices.sendCode({ address, link: ask.link, deviceId });
    return reply.code(202).send(encode({}));
  });

  api.post('/enrolment', async (request, reply) => {
    const ask = decode(bodyOf(request), parseEnrolmentAsk);
    const address = ask.address.trim().toLowerCase();
    const deviceId = await authentication.newKey(request, ask.key);
    await limitTries(request.ip, address);
    const device = await devices.enrol({
      address,
      code: ask.code,
      link: ask.link,
      device: { id: deviceId, key: ask.key, name: cleanLine(ask.name, 60) || 'Device', kind: ask.kind },
      replaces: await replaced(ask.replaces, address),
    });
    return reply.send(encode(await enrolled(device)));
  });
}
