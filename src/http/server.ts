/**
 * The gateway's web server: pages, the devices' API, and what validators ask for. HTTPS with certificate files that are
 * reloaded when they change, or plain HTTP on loopback behind a proxy.
 */
import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import type { Server as HttpsServer } from 'node:https';
import { resolve } from 'node:path';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { Config, Listen } from '../config/schema.ts';
import { removeStaleSocket } from '../config/stale-socket.ts';
import type { Directory } from '../directory/directory.ts';
import { createPresence } from '../directory/presence.ts';
import type { Pki, SigningKey } from '../pki/pki.ts';
import type { EmbeddedTimestampAuthority } from '../pki/tsa.ts';
import type { Devices, Requests } from '../requests/requests.ts';
import type { OnceStore } from '../store/store.ts';
import { checkListener, proxyTrust, publicOrigin, UnsafeAddress } from './address.ts';
import { answerKey } from './answers.ts';
import { apiRoutes } from './api.ts';
import { Authentication } from './authentication.ts';
import { Nonces } from './nonce.ts';
import { pageRoutes } from './pages.ts';
import { HttpProblem, notFound, toProblem } from './problems.ts';
import { securityHeaders } from './security.ts';
import { timestampRoutes } from './timestamps.ts';
import { readTls, reloadTls, type TlsFiles } from './tls.ts';
import { trustRoutes } from './trust.ts';
import { type VerificationDeps, verificationRoutes } from './verification.ts';

export interface HttpDeps {
  readonly config: Pick<Config, 'company' | 'publicUrl' | 'http' | 'requests' | 'enrolment' | 'folder'>;
  readonly requests: Requests;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly pki: Pick<Pki, 'ca' | 'anchors' | 'intermediates'>;
  /** Our own timestamp authority; null where there is none. */
  readonly tsa?: Pick<EmbeddedTimestampAuthority, 'respond'> | null;
  readonly once: OnceStore;
  /** Signs answers; devices pin it. P-256. */
  readonly gatewayKey: SigningKey;
  /** At least 32 random bytes; gateways that share a public URL share it. A new one only makes devices ask again. */
  readonly nonceKey: Uint8Array;
  /** The built web app: dist/web. */
  readonly webRoot: string;
  /** Null where nobody may have files checked. */
  readonly verification?: Pick<VerificationDeps, 'verify' | 'timestampAnchors' | 'maxSize'> | null;
  readonly now: () => Date;
  readonly log: Logger;
  /** How often the TLS files are looked at, milliseconds. */
  readonly tlsInterval?: number;
}

export interface RunningHttp {
  /** Where it listens: http://127.0.0.1:8080, https://…, or the socket's path. */
  readonly address: string;
  /** Answers what has begun, then closes. */
  close(): Promise<void>;
}

/** The largest body that a device sends: signatures over 100 documents. */
const BODY_LIMIT = 64 * 1024;

/** @throws UnsafeAddress when the configuration would serve keys over plain HTTP */
export async function startHttp(deps: HttpDeps): Promise<RunningHttp> {
  const { http } = deps.config;
  publicOrigin(deps.config.publicUrl);
  checkListener(http);
  const tls = http.tls && absoluteFiles(http.tls, deps.config.folder);
  const app = await buildApp(deps, tls);
  const address = await listenOn(app, http.listen);
  const stopReloading = tls
    ? reloadTls(app.server as HttpsServer, tls, deps.tlsInterval ?? 10_000, deps.log)
    : () => undefined;
  deps.log.info({ address, publicUrl: deps.config.publicUrl }, 'web server listens');
  return {
    address,
    close: async () => {
      stopReloading();
      await app.close();
    },
  };
}

async function listenOn(app: FastifyInstance, listen: Listen): Promise<string> {
  // A copy: fastify writes into what it is given, and this is the configuration's.
  if ('host' in listen) return app.listen({ ...listen });
  await removeStaleSocket(listen.path);
  const address = await app.listen({ path: listen.path });
  // For a proxy in our group.
  await chmod(listen.path, 0o660);
  return address;
}

/** @throws UnsafeAddress that names the setting */
function readTlsAtStart(files: TlsFiles): ReturnType<typeof readTls> {
  try {
    return readTls(files);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnsafeAddress(`http.tls can't be used (${files.certificate}, ${files.key}): ${reason}`, { cause });
  }
}

function absoluteFiles(files: TlsFiles, folder: string): TlsFiles {
  return { certificate: resolve(folder, files.certificate), key: resolve(folder, files.key) };
}

async function buildApp(deps: HttpDeps, tls: TlsFiles | null): Promise<FastifyInstance> {
  const { config, now, once, devices } = deps;
  const origin = publicOrigin(config.publicUrl);
  const headers = securityHeaders(origin.startsWith('https:'));
  const options: FastifyServerOptions = {
    // Fastify's own log lines would hold URLs, and links are in URLs: ours are in logRequests.
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    connectionTimeout: 120_000,
    forceCloseConnections: 'idle',
    trustProxy: proxyTrust(config.http.trustedProxies, 'path' in config.http.listen),
    genReqId: () => randomBytes(9).toString('base64url'),
    routerOptions: { maxParamLength: 500 },
    // URLs that can't be routed; the error's text holds the URL.
    frameworkErrors: (_error, _request, reply) => {
      const { status, body } = notFound();
      reply.raw
        .writeHead(status, { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
        .end(body);
    },
  };
  // One type for both: the routes never look at the socket.
  const app: FastifyInstance = tls
    ? (fastify({ ...options, https: readTlsAtStart(tls) } as FastifyServerOptions) as FastifyInstance)
    : fastify(options);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('x-request-id', request.id);
  });
  logRequests(app, deps.log);
  answerProblems(app, deps.log);
  acceptBodies(app);

  const nonces = new Nonces(() => deps.nonceKey, once, now);
  const authentication = await Authentication.create({
    origin,
    devices,
    nonces,
    isHere: createPresence(deps.directory, now),
    now,
  });
  const key = await answerKey(deps.gatewayKey);
  await app.register(
    async api =>
      apiRoutes(api, {
        authentication,
        nonces,
        answerKey: key,
        requests: deps.requests,
        devices,
        directory: deps.directory,
        ca: deps.pki.ca,
        once,
        company: config.company.name,
        publicUrl: config.publicUrl,
        enrolment: config.enrolment,
        host: new URL(origin).host,
        requestRules: config.requests,
        now,
      }),
    { prefix: '/api' },
  );
  const { verification } = deps;
  if (verification) {
    const parts = { ...verification, pki: deps.pki, now };
    await app.register(async scope => verificationRoutes(scope, parts), { prefix: '/api' });
  }
  trustRoutes(app, deps.pki, now);
  const { tsa } = deps;
  if (tsa) await app.register(async scope => timestampRoutes(scope, { tsa, now }));
  pageRoutes(app, deps.webRoot);
  app.get('/healthz', (_request, reply) => reply.type('text/plain').header('cache-control', 'no-store').send('ok\n'));
  return app;
}

/** One line an answer, with the route's pattern: the URL itself may hold a link. */
function logRequests(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      client: request.ip,
    };
    if (request.method === 'GET' && reply.statusCode < 500) log.debug(line, 'http');
    else log.info(line, 'http');
  });
}

function answerProblems(app: FastifyInstance, log: Logger): void {
  app.setNotFoundHandler(() => {
    throw notFound();
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.type === 'internal') log.error({ err: error, requestId: request.id }, 'request failed');
    else if (problem.cause instanceof Error)
      log.info({ requestId: request.id, problem: problem.type, reason: problem.cause.message }, 'request refused');
    if (problem.status === 429 || problem.status === 503) reply.header('retry-after', '60');
    return reply
      .code(problem.status)
      .type('application/problem+json')
      .header('cache-control', 'no-store')
      .send(problem.body);
  });
}

/** Bodies stay bytes: digests are over bytes, and protocol.ts parses them. */
function acceptBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/json', 'application/ocsp-request'],
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  );
  app.addContentTypeParser('*', (_request, _payload, done) => done(new HttpProblem('bad-request', { status: 415 })));
}
