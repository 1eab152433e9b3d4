/** Setting up a device. Nothing here tells whether a person, an address or a link exists. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { verifyBase } from '../client/http-signature.ts';
import { importPublicKey } from '../client/keys.ts';
import {
  decode,
  type EnrolmentAnswer,
  type EnrolmentAsk,
  type EnrolmentOptions,
  encode,
  type PublicKey,
  parseCodeAsk,
  parseEnrolmentAsk,
  parseMoreAsk,
  replacementData,
} from '../client/protocol.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import { cleanLine } from '../outbound/clean.ts';
import { allAlternatives } from '../requests/proofs.ts';
import {
  type Devices,
  type EnrolmentOutcome,
  EnrolmentRefused,
  type Replacement,
  type Requests,
} from '../requests/requests.ts';
import type { OnceStore } from '../store/store.ts';
import { type Authentication, bodyOf } from './authentication.ts';
import { HttpProblem, notFound } from './problems.ts';
import { network } from './rate.ts';

const MINUTE = 60_000;
/**
 * Against load. A whole company may set up its phones on one morning behind one network address; and whoever else is
 * behind it can't lock them out, for who comes by the link in a mail is counted by that link. Guessing is stopped by
 * src/requests/showing.ts.
 */
const TRIES_PER_CLIENT = { count: 3000, window: 60 * MINUTE };
const TRIES_PER_CLIENT_AND_ADDRESS = { count: 60, window: 15 * MINUTE };
const TRIES_PER_LINK = { count: 60, window: 15 * MINUTE };

export interface EnrolmentDeps {
  readonly authentication: Authentication;
  readonly requests: Requests;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly once: OnceStore;
  readonly company: string;
  readonly enrolment: Config['enrolment'];
  readonly gatewayKey: PublicKey;
  readonly now: () => Date;
}

export function enrolmentRoutes(api: FastifyInstance, deps: EnrolmentDeps): void {
  const { authentication, requests, devices, directory, once, now } = deps;

  function take(kind: string, subject: string, { count, window }: { count: number; window: number }): Promise<boolean> {
    const time = now();
    return once.take(kind, subject, count, time, new Date(time.getTime() - window));
  }

  async function limitTries(ip: string, subject: string, link: string | null): Promise<void> {
    const linked = link === null ? null : await requests.findByLink(link);
    if (linked && (await take('enrolment-link', linked.session.id, TRIES_PER_LINK))) return;
    const client = network(ip);
    const allowed =
      (await take('enrolment-client', client, TRIES_PER_CLIENT)) &&
      (await take('enrolment-try', `${client} ${subject}`, TRIES_PER_CLIENT_AND_ADDRESS));
    if (!allowed) throw new HttpProblem('too-many-tries');
  }

  /** What a browser still remembers may have ended long ago, or be another person's: then it replaces nothing. */
  async function replacement(replaces: EnrolmentAsk['replaces'], newKeyId: string): Promise<Replacement | null> {
    const old = replaces && (await devices.find(replaces.device));
    if (!replaces || old?.state !== 'active') return null;
    const key = await importPublicKey(old.key);
    const held = await verifyBase(replacementData(newKeyId), replaces.signature, key);
    return held ? { deviceId: old.id, held } : null;
  }

  async function answerTo(outcome: EnrolmentOutcome): Promise<EnrolmentAnswer> {
    if (outcome.state === 'waiting') {
      const { pending, others, more } = outcome;
      return {
        state: 'waiting',
        code: pending.matching,
        expiresAt: pending.expiresAt,
        others: others.map(({ id, name, createdAt }) => ({ id, name, createdAt })),
        more,
      };
    }
    const { device } = outcome;
    const person = await directory.findById(device.personId);
    if (!person) throw new EnrolmentRefused('the person has left the directory');
    const { name, mail } = person;
    const { company, gatewayKey } = deps;
    return { state: 'enrolled', enrolled: { deviceId: device.id, person: { name, mail }, company, gatewayKey } };
  }

  /** The key that waits, or that was set up while its answer got lost. @throws HttpProblem not-found */
  async function waitingKey(request: FastifyRequest): Promise<EnrolmentOutcome> {
    const outcome = await devices.enrolment(authentication.received(request).keyid);
    const key = outcome?.state === 'enrolled' ? outcome.device.key : outcome?.pending.device.key;
    await authentication.knownKey(request, key ?? null);
    if (!outcome) throw notFound();
    return outcome;
  }

  /** Of the person whose key this is; it told the address when it was enrolled. */
  async function waitingAddress(deviceId: string): Promise<string> {
    const outcome = await devices.enrolment(deviceId);
    const person = outcome?.state === 'waiting' ? await directory.findById(outcome.pending.personId) : null;
    return person?.mail ?? '';
  }

  // Read anew each time: these settings change while the gateway runs.
  api.get('/enrolment/options', (_request, reply) => {
    const options: EnrolmentOptions = {
      proofs: allAlternatives(deps.enrolment),
      passkeys: mostOf(Object.values(deps.enrolment.passkeys)),
    };
    return reply.send(encode(options));
  });

  api.post('/enrolment/code', async (request, reply) => {
    const ask = decode(bodyOf(request), parseCodeAsk);
    const address = ask.address.trim().toLowerCase();
    const deviceId = await authentication.newKey(request, ask.key);
    await limitTries(request.ip, address, ask.link);
    await devices.sendCode({ address: address || (await waitingAddress(deviceId)), link: ask.link, deviceId });
    return reply.code(202).send(encode({}));
  });

  api.post('/enrolment', async (request, reply) => {
    const ask = decode(bodyOf(request), parseEnrolmentAsk);
    const { password, code, link, kind, key } = ask;
    const address = ask.address.trim().toLowerCase();
    const id = await authentication.newKey(request, key);
    await limitTries(request.ip, address, link);
    const outcome = await devices.enrol({
      address,
      password,
      code,
      link,
      client: network(request.ip),
      device: { id, key, name: cleanLine(ask.name, 60) || 'Device', kind },
      replaces: await replacement(ask.replaces, id),
    });
    return reply.send(encode(await answerTo(outcome)));
  });

  api.get('/enrolment', async (request, reply) => reply.send(encode(await answerTo(await waitingKey(request)))));

  api.post('/enrolment/more', async (request, reply) => {
    const ask = decode(bodyOf(request), parseMoreAsk);
    await waitingKey(request);
    const { keyid } = authentication.received(request);
    await limitTries(request.ip, keyid, ask.link);
    const outcome = await devices.continueEnrolment(keyid, { ...ask, client: network(request.ip) });
    return reply.send(encode(await answerTo(outcome)));
  });
}

function mostOf(uses: readonly EnrolmentOptions['passkeys'][]): EnrolmentOptions['passkeys'] {
  return uses.includes('required') ? 'required' : uses.includes('offered') ? 'offered' : 'off';
}
