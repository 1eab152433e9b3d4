/** Who sends a request: the device whose key signed it (RFC 9421). Everything else is the same 404. */
import type { FastifyRequest } from 'fastify';
import {
  contentDigest,
  parseRequestSignature,
  type ReceivedRequestSignature,
  requestBase,
  verifyRequest,
} from '../client/http-signature.ts';
import { generateKeys, importPublicKey, thumbprint } from '../client/keys.ts';
import type { PublicKey } from '../client/protocol.ts';
import type { IsHere } from '../directory/presence.ts';
import type { Device } from '../requests/model.ts';
import type { Devices } from '../requests/requests.ts';
import type { Nonces } from './nonce.ts';
import { HttpProblem, notFound } from './problems.ts';

/** How far a device's clock may be off, milliseconds. */
const CLOCK_TOLERANCE = 300_000;

export interface AuthenticationDeps {
  readonly origin: string;
  readonly devices: Devices;
  readonly nonces: Nonces;
  /** Whoever left the directory has no device any more. */
  readonly isHere: IsHere;
  readonly now: () => Date;
}

/** The bytes that were received; empty without a body. */
export function bodyOf(request: FastifyRequest): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array();
}

function field(request: FastifyRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

export class Authentication {
  readonly #deps: AuthenticationDeps;
  /** Verified against when there is no such device, so that both take the same time. */
  readonly #nobody: CryptoKey;

  private constructor(deps: AuthenticationDeps, nobody: CryptoKey) {
    this.#deps = deps;
    this.#nobody = nobody;
  }

  static async create(deps: AuthenticationDeps): Promise<Authentication> {
    const { publicKey } = await generateKeys(false);
    return new Authentication(deps, publicKey);
  }

  /** The well-formed but unverified signature. @throws HttpProblem not-found */
  received(request: FastifyRequest): ReceivedRequestSignature {
    const received = parseRequestSignature(field(request, 'signature-input'), field(request, 'signature'));
    if (!received) throw notFound();
    return received;
  }

  /** The active device that signed this request; a change must carry a server nonce. @throws HttpProblem not-found, nonce */
  async device(request: FastifyRequest): Promise<Device> {
    const received = this.received(request);
    const device = await this.#deps.devices.find(received.keyid);
    const key = device?.state === 'active' ? await importPublicKey(device.key) : null;
    const verified = await this.#verify(request, received, key ?? this.#nobody);
    if (!device || !key || !verified) throw notFound();
    if (!(await this.#deps.isHere(device.personId))) throw notFound();
    await this.#useNonce(request, received);
    return device;
  }

  /**
   * A verified call as evidence: the signature base (RFC 9421 §2.5), the signature, an empty line and the body, whose
   * digest the base holds. With the device's public key, whoever reads it later can check it.
   */
  signedCall(request: FastifyRequest): Uint8Array {
    const received = this.received(request);
    const targetUri = this.#deps.origin + request.raw.url;
    const signed = { method: request.method, targetUri, contentDigest: field(request, 'content-digest') };
    const signature = Buffer.from(`\n"signature": ${field(request, 'signature')}\n\n`);
    return Buffer.concat([requestBase(signed, received.parameters), signature, bodyOf(request)]);
  }

  /** The id of a key that is being enrolled and signed this request. @throws HttpProblem bad-request, nonce */
  async newKey(request: FastifyRequest, key: PublicKey): Promise<string> {
    const received = this.received(request);
    const imported = await importPublicKey(key).catch(() => null);
    if (!imported || received.keyid !== (await thumbprint(key)) || !(await this.#verify(request, received, imported)))
      throw new HttpProblem('bad-request', {
        detail: `What came is not signed for this gateway's address: use ${this.#deps.origin}.`,
      });
    await this.#useNonce(request, received);
    return received.keyid;
  }

  /** That this very key, known already, signed this request; null verifies nothing but takes as long. @throws HttpProblem not-found, nonce */
  async knownKey(request: FastifyRequest, key: PublicKey | null): Promise<void> {
    const received = this.received(request);
    const verified = await this.#verify(request, received, key ? await importPublicKey(key) : this.#nobody);
    if (!key || !verified) throw notFound();
    await this.#useNonce(request, received);
  }

  async #verify(request: FastifyRequest, received: ReceivedRequestSignature, key: CryptoKey): Promise<boolean> {
    const digest = await contentDigest(bodyOf(request));
    const targetUri = this.#deps.origin + request.raw.url;
    const verified = await verifyRequest({ method: request.method, targetUri, contentDigest: digest }, received, key);
    const age = this.#deps.now().getTime() - received.created * 1000;
    return verified && field(request, 'content-digest') === digest && Math.abs(age) <= CLOCK_TOLERANCE;
  }

  async #useNonce(request: FastifyRequest, { keyid, nonce }: ReceivedRequestSignature): Promise<void> {
    if (request.method === 'GET') return;
    const scope = { deviceId: keyid, method: request.method, path: request.raw.url ?? '' };
    if (!(await this.#deps.nonces.use(nonce, scope))) throw new HttpProblem('nonce');
  }
}
