/**
 * The gateway: builds everything from the configuration, starts it in the order in which parts need each other, and
 * stops it the other way round. The only file that knows every part.
 */
import { hkdfSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { startMilter } from '../../milter/server.ts';
import { answerCheck } from '../check/answer.ts';
import { pathIn } from '../config/load.ts';
import { adopt } from '../config/reload.ts';
import { refuseSampleSecrets } from '../config/sample-secrets.ts';
import type { Config } from '../config/schema.ts';
import { startPublishing } from '../directory/publishing.ts';
import { createDns } from '../dns/resolver.ts';
import { DocumentWorker } from '../documents/worker.ts';
import { startTimestamping } from '../evidence/head.ts';
import { startHttp } from '../http/server.ts';
import { atMost } from '../intake/at-most.ts';
import { createGatekeeper } from '../intake/gatekeeper.ts';
import { startLmtp } from '../intake/lmtp.ts';
import { startSender } from '../outbound/sender.ts';
import { createReplies } from '../replies/replies.ts';
import { startJobs } from '../requests/jobs.ts';
import { checkLimits } from '../requests/limits.ts';
import { neverArrived } from '../requests/never-arrived.ts';
import { followPeople } from '../requests/people.ts';
import type { Requests } from '../requests/requests.ts';
import { outsideAnchors } from '../signatures/verify/gateway-trust.ts';
import { verifyInChild } from '../signatures/verify/run.ts';
import { lockState } from '../store/lock.ts';
import { look } from '../watch/look.ts';
import { startWatch } from '../watch/watch.ts';
import { type Core, openCore } from './core.ts';
import { watchKeys } from './key-watch.ts';

export interface GatewayOptions {
  readonly logger: Logger;
  readonly now?: () => Date;
  /** Wraps what the phone's API sees: for tests of a hostile gateway. */
  readonly wrapRequests?: (requests: Requests) => Requests;
}

export interface Gateway {
  readonly core: Core;
  /** Jobs and outgoing mail rest; what is under way ends first. */
  pause(): Promise<void>;
  resume(): void;
  /** Takes changed keys and certificates into use at once; by itself it does within seconds. */
  reloadKeys(): Promise<void>;
  /**
   * Takes a changed configuration over: what can count at once does, the log names the rest (src/config/reload.ts).
   * @param fresh the whole new configuration, found sound by loadConfig
   */
  reload(fresh: Config): Promise<void>;
  /** Takes nothing new, ends what is under way, closes. */
  stop(): Promise<void>;
}

/** A message of 25 MiB takes 100 MiB while it is read, which is the processor's work alone; others wait, and the MTA is kept informed. */
const MESSAGES_AT_ONCE = 1;

const WEB_ROOT = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** @throws StateLocked when another gateway runs on this state folder; Error in words for everything an admin can mend */
export async function startGateway(config: Config, options: GatewayOptions): Promise<Gateway> {
  const { logger } = options;
  const now = options.now ?? (() => new Date());
  const steps: (() => Promise<unknown> | unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    refuseSampleSecrets(config);
    const lock = lockState(pathIn(config, config.state));
    steps.push(() => lock.release());
    const core = await openCore(config, { logger, now });
    steps.push(() => core.close());
    const { store, directory, documents, requests, devices, pki } = core;
    await core.takeOver();
    const timestamping = startTimestamping({
      ...core.heads,
      every: config.evidence.timestampEvery,
      logger: logger.child({ part: 'evidence' }),
    });
    steps.push(() => timestamping.stop());
    // So that there are lists of revoked certificates for whoever verifies beside the gateway.
    await pki.ca.crls();

    const jobs = startJobs(core.deps);
    steps.push(() => jobs.stop());
    const people = followPeople(core.deps);
    steps.push(() => people.stop());
    if (config.directory.ldap?.some(({ userCertificate }) => userCertificate !== null)) {
      const publishing = startPublishing({
        directory,
        list: () => pki.ca.list(),
        now,
        log: logger.child({ part: 'directory' }),
      });
      steps.push(() => publishing.stop());
    }
    const sender = startSender({
      outbox: store.outbox,
      blobs: store.blobs,
      smtp: config.mail.smtp,
      now,
      logger: logger.child({ part: 'outbound' }),
      onFailed: row => neverArrived(core.deps, row, false),
      onTooBig: row => neverArrived(core.deps, row, true),
    });
    steps.push(() => sender.stop());
    core.onWork = () => {
      jobs.wake();
      sender.wake();
    };

    const keyWatch = watchKeys(config.folder, () => core.reloadKeys(), logger.child({ part: 'keys' }));
    steps.push(() => keyWatch.stop());

    // Children of its own: whoever checks files must not keep those waiting who sign.
    const verifier = new DocumentWorker({ ...config.documents, children: 1, maxWaiting: 4, log: logger });
    steps.push(() => verifier.close());
    const http = await startHttp({
      config,
      requests: options.wrapRequests?.(requests) ?? requests,
      devices,
      directory,
      pki,
      tsa: pki.tsa,
      once: store.once,
      gatewayKey: pki.gatewayKey,
      get nonceKey() {
        return new Uint8Array(hkdfSync('sha256', core.secrets.link.newest.secret, '', 'signpost nonce', 32));
      },
      webRoot: WEB_ROOT,
      verification: {
        verify: input => verifyInChild(verifier, input),
        timestampAnchors: outsideAnchors(config),
        maxSize: config.mail.maxMessageSize,
      },
      now,
      log: logger.child({ part: 'http' }),
    });
    steps.push(() => http.close());

    // One that was replaced is believed as long as mail with its verdicts may be in the queue.
    const verdictKeys = () => core.secrets.verdict.all(new Date(now().getTime() - config.mail.verdictLifetime));
    const reading = atMost(MESSAGES_AT_ONCE);
    const replies = createReplies({ ...core.deps, config, logger: logger.child({ part: 'replies' }) });
    const lmtp = await startLmtp({
      listen: config.mail.lmtp,
      config,
      directory,
      get verdictKeys() {
        return verdictKeys();
      },
      requests,
      reading,
      replies,
      onCheck: id => answerCheck({ ...core.deps, domain: config.domains[0]!.sign, verdictKeys: verdictKeys() }, id),
      note: admission => store.admissions.note(admission),
      now,
      log: logger.child({ part: 'lmtp' }),
    });
    steps.push(() => lmtp.stop());

    // Last: from here on Postfix lets mail in.
    const milter = await startMilter({
      listen: config.mail.milter,
      createHandler: createGatekeeper({
        config,
        directory,
        documents,
        dns: createDns(config.dns),
        readXml: xml => core.worker.xmlToSign(xml),
        replies,
        get verdictKeys() {
          return verdictKeys();
        },
        reading,
        checkLimits: submission => checkLimits(core.deps, submission),
        note: admission => store.admissions.note(admission),
        now,
        log: logger.child({ part: 'milter' }),
      }),
      actions: ['addHeaders', 'changeHeaders'],
      // Spares a round trip for each header field and piece of body: the gatekeeper decides at their end.
      silent: ['header', 'body'],
      macros: {
        connect: ['j', 'client_addr'],
        mail: ['i', 'auth_authen', 'auth_type', 'tls_version', 'cert_subject', 'cert_issuer'],
        rcpt: ['i', 'rcpt_addr'],
        endOfMessage: ['i'],
      },
      logger: logger.child({ part: 'milter' }),
    });
    // Who is cut off in the middle of a message hears 451 and comes back; a restart must not wait for an idle client.
    steps.push(() => milter.stop(10_000));
    const watch = startWatch({
      look: () => look({ config, pki, watch: store.watch, evidence: store.evidence, now }),
      every: config.watch.every,
      store,
      composer: core.deps.composer,
      directory,
      admin: config.admin,
      language: config.language,
      now,
      randomBytes: core.deps.randomBytes,
      logger: logger.child({ part: 'watch' }),
      wake: () => core.onWork(),
    });
    steps.push(() => watch.stop());
    logger.info(
      { company: config.company.name, domains: config.domains.map(({ sign }) => sign), publicUrl: config.publicUrl },
      'gateway is up',
    );

    return {
      core,
      async pause() {
        await Promise.all([jobs.pause(), sender.pause()]);
      },
      resume() {
        jobs.resume();
        sender.resume();
      },
      reloadKeys: () => keyWatch.look(),
      async reload(fresh) {
        const { changed, atNextStart } = adopt(config, fresh);
        if (changed.length > 0)
          await store.evidence.note({ kind: 'config.changed', subjects: {}, facts: { settings: changed } });
        logger.info({ changed, atNextStart }, 'the configuration was read again');
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
