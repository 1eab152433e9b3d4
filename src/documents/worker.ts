/**
 * Parses PDFs from outside in child processes that can be killed (DESIGN.md decision 8). A child gets no environment,
 * no network code, no write access; the kernel bounds its memory and CPU time, we bound its wall-clock time. A child
 * that dies takes one job with it and is replaced; that job is never tried again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { PdfParts } from '../evidence/pdf-parts.ts';
import { SignatureInvalid } from '../signatures/invalid.ts';
import type { FileReport, VerifyInput } from '../signatures/verify/result.ts';
import { XmlRefused } from '../signatures/xml/gate.ts';
import type { XadesParts, XmlToSign } from '../signatures/xml/read.ts';
import { DocumentRefused, type Inspection } from './documents.ts';
import type { Extendable } from './extension.ts';
import type { FirstRevision } from './first-revision.ts';
import type { SignatureEvidence } from './increment-dss.ts';
import type { SignedIncrement } from './increment-signature.ts';
import type { Limits } from './inspect.ts';
import type { LayoutPlan } from './layout.ts';
import type { FromChild, Job, Outcome } from './worker-protocol.ts';

export interface DocumentWorkerOptions {
  /** Bytes that one child may use. */
  readonly memory: number;
  /** Milliseconds that one job may take, once it is running. */
  readonly timeout: number;
  readonly maxPages: number;
  readonly log: Logger;
  /** Children: started with the first job, then kept warm. */
  readonly children?: number;
  /** Jobs that may wait for a child. */
  readonly maxWaiting?: number;
}

/** No child is free and the queue is full, or the worker is closed, or a child was stopped from outside: try again later. */
export class DocumentWorkerUnavailable extends Error {
  override readonly name = 'DocumentWorkerUnavailable';
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

interface Child {
  readonly process: ChildProcess;
  ready: boolean;
  /** Worn, and on its way out. */
  retired: boolean;
  current: Waiting | null;
  timer: NodeJS.Timeout | null;
  timedOut: boolean;
}

/** What Node maps writable before it has done anything, mostly V8's reserved code range, which it hardly uses. */
const NODE_BASELINE = 640 * 1024 * 1024;
const HOUR = 3_600_000;
/** CPU time after which a child is replaced between jobs, in seconds. */
const CPU_BETWEEN_JOBS = 300;
/** Signals by which a process ends itself when it runs out of memory or stack. */
const OWN_SIGNALS = new Set(['SIGABRT', 'SIGTRAP', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE']);

export class DocumentWorker {
  readonly #options: Required<DocumentWorkerOptions>;
  readonly #limits: Limits;
  readonly #children = new Set<Child>();
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor(options: DocumentWorkerOptions) {
    this.#options = { children: 2, maxWaiting: 200, ...options };
    this.#limits = {
      maxPages: options.maxPages,
      maxObjects: 3_000_000,
      // A0 scanned at 400 dpi has 248 million.
      maxImagePixels: 300_000_000,
      maxStream: options.memory / 4,
      memory: options.memory,
    };
  }

  /** @throws DocumentRefused; DocumentWorkerUnavailable */
  async inspect(pdf: Uint8Array): Promise<Inspection> {
    const outcome = await this.#run({ kind: 'inspect', pdf, limits: this.#limits });
    if (outcome.kind !== 'inspect') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * Inspects again, then makes the first revision, which the company seal certifies next. Equal input, equal bytes.
   * @throws DocumentRefused; DocumentWorkerUnavailable
   */
  async firstRevision(pdf: Uint8Array, plan: LayoutPlan): Promise<FirstRevision> {
    const outcome = await this.#run({ kind: 'firstRevision', pdf, plan, limits: this.#limits });
    if (outcome.kind !== 'firstRevision') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * An XML file that is to be signed.
   * @throws XmlRefused; DocumentWorkerUnavailable
   */
  async xmlToSign(xml: Uint8Array): Promise<XmlToSign> {
    const outcome = await this.#xml('xmlToSign', xml);
    if (outcome.kind !== 'xmlToSign') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * The parts of an XML file's signature, none of them verified.
   * @throws XmlRefused; SignatureInvalid; DocumentWorkerUnavailable
   */
  async xades(xml: Uint8Array): Promise<XadesParts> {
    const outcome = await this.#xml('xades', xml);
    if (outcome.kind !== 'xades') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * Says of a file what was signed, by whom, when, and what has changed since.
   * @throws DocumentRefused when that takes too much memory or time; DocumentWorkerUnavailable
   */
  async verify(input: VerifyInput): Promise<FileReport> {
    const outcome = await this.#run({ kind: 'verify', input, limits: this.#limits });
    if (outcome.kind !== 'verify') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * What a signed file holds that needs fresh validation data; null when it isn't signed.
   * @throws DocumentRefused; DocumentWorkerUnavailable
   */
  async extendable(pdf: Uint8Array): Promise<Extendable | null> {
    const outcome = await this.#run({ kind: 'extendable', pdf, limits: this.#limits });
    if (outcome.kind !== 'extendable') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * The signatures of a signed file and its validation data, to be handed on.
   * @throws DocumentRefused; DocumentWorkerUnavailable
   */
  async parts(pdf: Uint8Array): Promise<PdfParts> {
    const outcome = await this.#run({ kind: 'parts', pdf, limits: this.#limits });
    if (outcome.kind !== 'parts') throw this.#failure(outcome);
    return outcome.result;
  }

  /**
   * What follows a signed file: validation data, and a place for a document timestamp.
   * @throws DocumentRefused; DocumentWorkerUnavailable
   */
  async extension(pdf: Uint8Array, evidence: readonly SignatureEvidence[]): Promise<SignedIncrement> {
    const outcome = await this.#run({ kind: 'extension', pdf, evidence, limits: this.#limits });
    if (outcome.kind !== 'extension') throw this.#failure(outcome);
    return outcome.result;
  }

  async #xml(kind: 'xmlToSign' | 'xades', xml: Uint8Array): Promise<Outcome> {
    try {
      return await this.#run({ kind, xml, limits: this.#limits });
    } catch (error) {
      // The child died of it.
      if (!(error instanceof DocumentRefused)) throw error;
      throw new XmlRefused(error.reason === 'too-slow' ? 'too-slow' : 'too-complex', error.message);
    }
  }

  /** Ends the children; what is running or waiting fails as unavailable. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new DocumentWorkerUnavailable('closing'));
    await Promise.all(
      [...this.#children].map(child => {
        const ended = new Promise(resolve => child.process.once('close', resolve));
        // Its end is heard of when channel and standard error have closed, too.
        for (const part of [child.process, child.process.channel, child.process.stderr as Socket | null]) part?.ref();
        child.process.kill('SIGKILL');
        return ended;
      }),
    );
  }

  #run(job: Job): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new DocumentWorkerUnavailable('closing'));
      if (this.#waiting.length >= this.#options.maxWaiting)
        return reject(new DocumentWorkerUnavailable('too many documents are waiting'));
      const held = setInterval(() => {}, HOUR);
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T) => {
          clearInterval(held);
          how(value);
        };
      this.#waiting.push({ job, resolve: settle(resolve), reject: settle(reject) });
      this.#fill();
      this.#dispatch();
    });
  }

  #fill(): void {
    while (!this.#closed && this.#children.size < this.#options.children) this.#start();
  }

  #start(): void {
    const { memory, timeout } = this.#options;
    // RLIMIT_DATA counts private writable memory: heap, typed arrays and zlib alike. RLIMIT_CPU ends a child whose
    // gateway was killed while it was busy; V8's helper threads count, so it allows for several cores.
    const kilobytes = Math.ceil((NODE_BASELINE + memory) / 1024);
    const seconds = CPU_BETWEEN_JOBS + 4 * Math.ceil(timeout / 1000);
    const script = `ulimit -c 0; ulimit -d ${kilobytes}; ulimit -t ${seconds}; exec "$@"`;
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const node = [
      process.execPath,
      '--permission',
      `--allow-fs-read=${root}`,
      `--max-old-space-size=${Math.floor(memory / 1024 / 1024)}`,
      fileURLToPath(new URL('worker-child.ts', import.meta.url)),
      String(CPU_BETWEEN_JOBS),
    ];
    const child: Child = {
      process: spawn('/bin/sh', ['-c', script, 'sh', ...node], {
        cwd: '/',
        env: {},
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        serialization: 'advanced',
      }),
      ready: false,
      retired: false,
      current: null,
      timer: null,
      timedOut: false,
    };
    this.#children.add(child);
    // Only the last of it, and only to say why a child could not start: what a document makes it print is not logged.
    let said = '';
    child.process.stderr?.on('data', (chunk: Buffer) => {
      if (!child.ready) said = `${said}${chunk}`.slice(-2000);
    });
    child.process.on('message', (message: FromChild) => this.#heard(child, message));
    child.process.on('error', error => {
      said ||= error.message;
      if (child.process.pid === undefined) this.#ended(child, null, null, said);
    });
    child.process.on('close', (code, signal) => this.#ended(child, code, signal, said));
    // An idle child must not keep the gateway's process from ending; a job does that itself.
    // Standard error is a pipe, which Node makes a socket (child_process, options.stdio).
    for (const part of [child.process, child.process.channel, child.process.stderr as Socket | null]) part?.unref();
  }

  #heard(child: Child, message: FromChild): void {
    if (message.kind === 'ready') child.ready = true;
    else {
      const { current } = child;
      this.#settle(child);
      current?.resolve(message.outcome);
      if (message.worn) {
        child.retired = true;
        child.process.kill('SIGKILL');
      }
    }
    this.#dispatch();
  }

  #dispatch(): void {
    for (const child of this.#children) {
      if (!child.ready || child.retired || child.current !== null) continue;
      const next = this.#waiting.shift();
      if (!next) return;
      child.current = next;
      child.timer = setTimeout(() => {
        child.timedOut = true;
        child.process.kill('SIGKILL');
      }, this.#options.timeout);
      // A child that dies just now is heard of as closed.
      child.process.send(next.job, () => {});
    }
  }

  #ended(child: Child, code: number | null, signal: NodeJS.Signals | null, said: string): void {
    if (!this.#children.delete(child)) return;
    const { current, ready, retired } = child;
    this.#settle(child);
    if (current) current.reject(this.#closed ? new DocumentWorkerUnavailable('closing') : lostJob(child, code, signal));
    if (this.#closed) return;
    if (ready) {
      if (!retired) this.#options.log.warn({ code, signal, timedOut: child.timedOut }, 'document child ended');
      this.#fill();
      return;
    }
    // It never came up: that is no document's fault. The next job tries again.
    this.#options.log.error({ code, signal, said }, 'document child does not start');
    if (this.#children.size > 0) return;
    for (const { reject } of this.#waiting.splice(0)) reject(new DocumentWorkerUnavailable('no document child'));
  }

  #failure(outcome: Outcome): Error {
    if (outcome.kind === 'xmlRefused') return new XmlRefused(outcome.reason, outcome.detail);
    if (outcome.kind === 'signatureInvalid') return new SignatureInvalid(outcome.subIndication, outcome.detail);
    if (outcome.kind !== 'refused')
      return new Error(outcome.kind === 'failed' ? outcome.detail : `unexpected answer: ${outcome.kind}`);
    const { reason, detail, unexpected } = outcome;
    if (unexpected !== null) this.#options.log.error({ unexpected }, 'a document met an error that no rule foresaw');
    return new DocumentRefused(reason, detail);
  }

  #settle(child: Child): void {
    if (child.timer) clearTimeout(child.timer);
    child.timer = null;
    child.current = null;
  }
}

/** Why a job has no answer: the document's doing, unless somebody else stopped the child. */
function lostJob(child: Child, code: number | null, signal: NodeJS.Signals | null): Error {
  if (child.timedOut) return new DocumentRefused('too-slow', 'the document takes too long to read');
  if (code !== null || (signal !== null && OWN_SIGNALS.has(signal)))
    return new DocumentRefused('too-complex', 'the document takes too much memory to read');
  return new DocumentWorkerUnavailable(`the document child was stopped (${signal})`);
}
