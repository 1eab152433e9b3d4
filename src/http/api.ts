/** The devices' API (src/client/protocol.ts): every request signed by a device, every answer by the gateway. */
import type { FastifyInstance } from 'fastify';
import { encode, type NonceAnswer } from '../client/protocol.ts';
import { type AnswerKey, signAnswers } from './answers.ts';
import type { Authentication } from './authentication.ts';
import { type DeviceDeps, deviceRoutes } from './devices.ts';
import { type EnrolmentDeps, enrolmentRoutes } from './enrolment.ts';
import { finishedRoutes } from './finished.ts';
import type { Nonces } from './nonce.ts';
import { type OwnDevicesDeps, ownDevicesRoutes } from './own-devices.ts';
import { HttpProblem, notFound } from './problems.ts';
import { type SessionDeps, sessionRoutes } from './sessions.ts';

export interface ApiDeps extends DeviceDeps, SessionDeps, OwnDevicesDeps, Omit<EnrolmentDeps, 'gatewayKey'> {
  readonly authentication: Authentication;
  readonly nonces: Nonces;
  readonly answerKey: AnswerKey;
}

export function apiRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.addHook('onRequest', async (_request, reply) => {
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-store');
  });
  signAnswers(api, deps.answerKey.signer, deps.now);
  api.setNotFoundHandler(() => {
    throw notFound();
  });

  // For whoever asks: a nonce is worth nothing without the key that it is bound to.
  api.get<{ Querystring: { method?: unknown; path?: unknown } }>('/nonce', async (request, reply) => {
    const { keyid } = deps.authentication.received(request);
    const { method, path } = request.query;
    if (typeof method !== 'string' || typeof path !== 'string' || path.length > 500)
      throw new HttpProblem('bad-request');
    const answer: NonceAnswer = { nonce: deps.nonces.issue({ deviceId: keyid, method, path }), time: deps.now() };
    return reply.send(encode(answer));
  });
  enrolmentRoutes(api, { ...deps, gatewayKey: deps.answerKey.publicKey });
  deviceRoutes(api, deps);
  ownDevicesRoutes(api, deps);
  sessionRoutes(api, deps);
  finishedRoutes(api, deps);
}
