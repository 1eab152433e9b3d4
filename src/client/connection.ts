/** Signed calls to the gateway and verified answers. */
import { type Bytes, base64url, concat, utf8 } from './bytes.ts';
import { type HttpSigner, signRequest, verifyAnswer } from './http-signature.ts';
import { importPublicKey, thumbprint } from './keys.ts';
import {
  decode,
  encode,
  Malformed,
  type ProblemAnswer,
  type ProblemType,
  type PublicKey,
  parseNonceAnswer,
  parseProblem,
} from './protocol.ts';

/** The gateway said no, and why. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly type: ProblemType;
  readonly status: number;
  constructor(answer: ProblemAnswer) {
    super(answer.detail);
    this.type = answer.type;
    this.status = answer.status;
  }
}

/** The answer isn't signed by the gateway that this device enrolled with: nothing in it was believed. */
export class AnswerRefused extends Error {
  override readonly name = 'AnswerRefused';
}

/** No answer, or one from something in between. Trying again later is right. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** With the reason, where the platform gives one: Node does, browsers don't. */
function unreachable(error: unknown): Unreachable {
  const { cause } = error as { cause?: { code?: unknown } };
  const code = typeof cause?.code === 'string' ? ` (${cause.code})` : '';
  return new Unreachable(`The gateway can\u2019t be reached${code}.`, { cause: error });
}

export interface Environment {
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Waits that many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Bytes received so far, and all that will come (null when unknown). */
export type Progress = (received: number, total: number | null) => void;

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly signer: HttpSigner;
  /** The pinned key; null only while enrolling. */
  readonly gatewayKey: PublicKey | null;
  /** Written with `encode`. */
  readonly body?: unknown;
  readonly read: (body: Bytes) => T;
  readonly onProgress?: Progress;
}

interface Answer {
  readonly status: number;
  readonly body: Bytes;
  readonly headers: Headers;
  readonly requestSignature: string;
}

const PATIENCE = [500, 1000, 2000, 4000] as const;
/** The gateway takes 300 s; a clock that is wrong by more than this is worth a second try. */
const CLOCK_TOLERANCE = 120_000;

function randomNonce(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

export class Connection {
  readonly origin: string;
  readonly #environment: Environment;
  /** The gateway's clock minus ours, milliseconds, as far as signed answers told. */
  #clockOffset = 0;

  constructor(origin: string, environment: Environment) {
    this.origin = origin;
    this.#environment = environment;
  }

  /** The gateway's time, as well as we know it. */
  now(): Date {
    return new Date(this.#environment.now().getTime() + this.#clockOffset);
  }

  /**
   * Sends a signed call and reads its verified answer. Lost answers are asked for again: every call is idempotent.
   * @throws Problem | AnswerRefused | Unreachable
   */
  async call<T>(call: Call<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#attempt(call);
      } catch (error) {
        const pause = PATIENCE[attempt];
        if (!(error instanceof Unreachable) || pause === undefined) throw error;
        await this.#environment.sleep(pause);
      }
    }
  }

  /**
   * Reads what is told to whoever asks, unsigned. @throws Unreachable
   */
  async open<T>(path: string, read: (body: Bytes) => T): Promise<T> {
    try {
      const response = await this.#environment.fetch(new URL(path, this.origin).href, {
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      });
      if (!response.ok) throw new Unreachable(`The gateway can't be reached (${response.status}).`);
      return read(new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      if (error instanceof Unreachable) throw error;
      throw unreachable(error);
    }
  }

  async #attempt<T>(call: Call<T>): Promise<T> {
    for (let again = false; ; again = true) {
      const offset = this.#clockOffset;
      // While it is set up no signed answer has told the gateway's clock; one that is hours off must not matter then.
      const nonce = call.method === 'GET' && call.gatewayKey !== null ? randomNonce() : await this.#nonce(call);
      try {
        return await this.#send(call, nonce);
      } catch (error) {
        const clockWasWrong = Math.abs(this.#clockOffset - offset) > CLOCK_TOLERANCE;
        const retry =
          error instanceof Problem && (error.type === 'nonce' || (error.type === 'not-found' && clockWasWrong));
        if (again || !retry) throw error;
      }
    }
  }

  /** A server nonce for one change (DESIGN.md decision 4). */
  async #nonce({ method, path, signer, gatewayKey }: Call<unknown>): Promise<string> {
    const query = new URLSearchParams({ method, path });
    const answer = await this.#send(
      {
        method: 'GET',
        path: `/api/nonce?${query}`,
        signer,
        gatewayKey,
        read: body => decode(body, parseNonceAnswer),
      },
      randomNonce(),
    );
    this.#clockOffset = answer.time.getTime() - this.#environment.now().getTime();
    return answer.nonce;
  }

  async #send<T>(call: Call<T>, nonce: string): Promise<T> {
    const answer = await this.#exchange(call, nonce);
    await this.#verify(answer, call.gatewayKey);
    try {
      if (answer.status >= 400) throw new Problem(decode(answer.body, parseProblem));
      return call.read(answer.body);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      if (answer.status >= 500) throw new Unreachable(`The gateway can't be reached (${answer.status}).`);
      throw new AnswerRefused(`The answer can't be understood (${error.message}).`);
    }
  }

  async #exchange(call: Call<unknown>, nonce: string): Promise<Answer> {
    const targetUri = new URL(call.path, this.origin).href;
    const body = call.body === undefined ? new Uint8Array() : utf8(encode(call.body));
    const created = Math.floor(this.now().getTime() / 1000);
    const signature = await signRequest({ method: call.method, targetUri, body }, call.signer, { created, nonce });
    try {
      const response = await this.#environment.fetch(targetUri, {
        method: call.method,
        headers: { ...signature, ...(call.body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(call.body === undefined ? {} : { body }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      });
      return {
        status: response.status,
        headers: response.headers,
        body: await readBody(response, call.onProgress),
        requestSignature: signature.signature,
      };
    } catch (error) {
      throw unreachable(error);
    }
  }

  async #verify(answer: Answer, gatewayKey: PublicKey | null): Promise<void> {
    if (!gatewayKey) return;
    const time = await verifyAnswer(
      { ...answer, header: name => answer.headers.get(name) },
      await thumbprint(gatewayKey),
      await importPublicKey(gatewayKey),
    );
    if (time !== null) {
      const offset = time * 1000 - this.#environment.now().getTime();
      // Answers take seconds: keep the better knowledge unless it is really off.
      if (Math.abs(offset - this.#clockOffset) > CLOCK_TOLERANCE) this.#clockOffset = offset;
      return;
    }
    // A proxy's own error page isn't an attack, only not an answer.
    if (answer.status >= 500) throw new Unreachable(`The gateway can't be reached (${answer.status}).`);
    throw new AnswerRefused('The answer does not come from the gateway that this device was set up with.');
  }
}

async function readBody(response: Response, onProgress: Progress | undefined): Promise<Bytes> {
  if (!onProgress || !response.body) return new Uint8Array(await response.arrayBuffer());
  const length = response.headers.get('content-length');
  const total = length === null ? null : Number(length);
  const parts: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    received += part.value.length;
    onProgress(received, total);
  }
  return concat(...parts);
}
