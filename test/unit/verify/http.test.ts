/** POST /api/verify: one file in, facts out, nothing kept; few at once. */
import { type FastifyInstance, fastify } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DocumentWorker } from '../../../src/documents/worker.ts';
import { HttpProblem } from '../../../src/http/problems.ts';
import { verificationRoutes } from '../../../src/http/verification.ts';
import { parseFacts } from '../../../src/signatures/verify/facts.ts';
import { verifyInChild } from '../../../src/signatures/verify/run.ts';
import { documentWorker } from '../../support/documents.ts';
import { append } from '../signatures/attacker.ts';
import { makeSigned, makeWorld, type SignedPdf, type World } from './world.ts';

let world: World;
let signed: SignedPdf;
let worker: DocumentWorker;
let now: Date;
let app: FastifyInstance;

beforeAll(async () => {
  world = await makeWorld();
  signed = await makeSigned(world, 1);
  worker = documentWorker({ timeout: 10_000 });
});
afterAll(() => worker.close());

beforeEach(() => {
  now = new Date();
  app = fastify();
  app.removeAllContentTypeParsers();
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof HttpProblem ? error.status : statusOf(error);
    return reply.code(status).send(error instanceof HttpProblem ? error.type : 'error');
  });
  void app.register(
    async scope =>
      verificationRoutes(scope, {
        verify: input => verifyInChild(worker, input),
        maxSize: 1_000_000,
        pki: world.pki,
        timestampAnchors: [],
        now: () => now,
      }),
    { prefix: '/api' },
  );
});

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;

const post = (file: Uint8Array, type = 'application/octet-stream') =>
  app.inject({ method: 'POST', url: '/api/verify', headers: { 'content-type': type }, payload: Buffer.from(file) });
const facts = async (file: Uint8Array) => {
  const answer = await post(file);
  expect(answer).toMatchObject({ statusCode: 200, headers: { 'cache-control': 'no-store' } });
  return parseFacts(answer.json());
};

describe('the public verification', () => {
  test('tells who, when, level, intact or not, and nothing of the file', async () => {
    const { indication, signatures } = await facts(signed.closed);
    expect(indication).toBe('TOTAL-PASSED');
    expect(signatures.map(({ kind }) => kind)).toEqual([
      'certifying-seal',
      'signature',
      'closing-seal',
      'document-timestamp',
    ]);
    expect(signatures[1]).toMatchObject({
      name: 'Jeanne Doé',
      level: 'B-LTA',
      intact: true,
      provenTime: expect.any(Date),
      changed: [],
    });
  });

  test('names the object that was changed', async () => {
    const evil = append(signed.closed, { objects: [{ number: 5, text: '<< /Length 1 >>\nstream\n \nendstream' }] });
    const { indication, signatures } = await facts(evil);
    expect(indication).toBe('TOTAL-FAILED');
    expect(signatures[0]).toMatchObject({ intact: false, changed: [{ revision: 7, object: 5 }] });
  });

  test('knows what this gateway has revoked since', async () => {
    expect(await facts(signed.head)).toMatchObject({ indication: 'TOTAL-PASSED' });
  });

  test('says of anything else that it has no signature', async () => {
    for (const file of ['hello', '%PDF-1.7\n', '<a/>', '\x30\x80', '0'])
      expect(await facts(Buffer.from(file, 'latin1'))).toMatchObject({ indication: 'INDETERMINATE', signatures: [] });
  });

  test('takes no empty body, no other type, nothing too big', async () => {
    expect((await post(new Uint8Array())).statusCode).toBe(400);
    expect((await post(signed.closed, 'application/json')).statusCode).toBe(415);
    expect((await post(new Uint8Array(1_000_001))).statusCode).toBe(413);
  });

  test('lets one place check so many a minute, and the next minute again', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 25; i++) statuses.push((await post(Buffer.from('x'))).statusCode);
    expect(statuses.filter(status => status === 200)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    now = new Date(now.getTime() + 60_000);
    expect((await post(Buffer.from('x'))).statusCode).toBe(200);
  });

  test('holds few files at once', async () => {
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => post(signed.closed)))).map(
      ({ statusCode }) => statusCode,
    );
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect((await post(signed.closed)).statusCode).toBe(200);
  });
});
