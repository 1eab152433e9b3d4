/**
 * A signatory's device: what the phone page and `signpost device` both are. It holds the keys, believes only answers of
 * the gateway that it enrolled with, and checks what it signs against the bytes that it showed (DESIGN.md decision 5).
 *
 *     const device = await SignpostDevice.open({ origin: location.origin, store: indexedDbStore() });
 *     const view = await device.view(token);
 *     const documents = await device.download(token, view);
 *     // … show `documents`, ask the person …
 *     const after = await device.sign(token, view, documents);
 */
import { approvalData, cleanPlace } from './approval.ts';
import { concat, hex, owned, sha256, utf8 } from './bytes.ts';
import { AnswerRefused, Connection, type Environment, Problem, type Progress, Unreachable } from './connection.ts';
import { certificationRequest } from './csr.ts';
import { equalBytes } from './der.ts';
import { derSignature } from './ecdsa.ts';
import { checkGrant, Tampered } from './grant.ts';
import { checkFileGrant } from './grant-file.ts';
import { type HttpSigner, webCryptoSigner } from './http-signature.ts';
import {
  type DeviceMemory,
  type DeviceStore,
  type EnrolledDevice,
  exportPublicKey,
  generateKeys,
  importTokenKey,
  type SigningIdentity,
  thumbprint,
} from './keys.ts';
import { OwnDevices } from './own-devices.ts';
import { approvalClaim, type Claim, challengeFor, signatureClaim } from './passkey-challenge.ts';
import {
  type ApprovalAsk,
  type Assertion,
  type CertificateAsk,
  type CodeAsk,
  type DeviceInfo,
  decode,
  type Enrolled,
  type EnrolmentAnswer,
  type EnrolmentAsk,
  type EnrolmentOptions,
  type FinishedView,
  type Grant,
  type GrantedDocument,
  type Mark,
  type MoreAsk,
  type ProofAsk,
  parseCertificate,
  parseDeviceInfo,
  parseEnrolmentAnswer,
  parseEnrolmentOptions,
  parseFinishedView,
  parseGrant,
  parseQuestion,
  parseView,
  parseWaitingList,
  type QuestionAsk,
  type RejectionAsk,
  replacementData,
  type SignatureAsk,
  type TokenAsk,
  type TurnAsk,
  type View,
  type Waiting,
} from './protocol.ts';
import type { Passkeys } from './webauthn.ts';

export { AnswerRefused, Problem, type Progress, Unreachable } from './connection.ts';
export { Tampered } from './grant.ts';

const DAY = 86_400_000;
/** A certificate is renewed when less than this is left of it. */
const RENEWAL = 2 * DAY;
/** Others sign one after the other, some seconds each: after this many tries something is wrong. */
const TURN_TRIES = 40;
/** Bytes: as long as the hash of its HMAC. */
const TOKEN_KEY_LENGTH = 32;

/** This browser or folder has no device of this gateway. */
export class NotEnrolled extends Error {
  override readonly name = 'NotEnrolled';
}

/** Where signing is; `waiting`: another signatory is signing at this moment; `passkey`: the browser asks the person. */
export type SigningStep = 'certificate' | 'turn' | 'waiting' | 'checking' | 'passkey' | 'sending';

/** A device's certificate and what its key does. */
export interface OwnIdentity {
  readonly serial: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /** ECDSA P-256 over SHA-256, as DER ECDSA-Sig-Value. */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

export interface DeviceOptions {
  /** The gateway's public URL; only its origin counts. */
  readonly origin: string;
  readonly store: DeviceStore;
  /** What the browser has of passkeys; null or absent where it has none. */
  readonly passkeys?: Passkeys | null;
  readonly environment?: Partial<Environment>;
  /** Minutes east of UTC that the signature's appearance shows. */
  readonly utcOffset?: () => number;
}

/** The token in a link, or in what a person pasted; null when there is none. */
export function linkToken(link: string): string | null {
  return /^(?:https?:\/\/[^/]+\/s\/)?([A-Za-z0-9_-]{16,128})\/?$/.exec(link.trim())?.[1] ?? null;
}

/** The request number in the link to a finished request, or in what a person pasted; null when there is none. */
export function requestNumber(link: string): string | null {
  return /^(?:https?:\/\/[^/]+\/r\/)?([A-Za-z0-9]{12})\/?$/.exec(link.trim())?.[1]?.toUpperCase() ?? null;
}

export class SignpostDevice {
  readonly #store: DeviceStore;
  readonly #connection: Connection;
  readonly #environment: Environment;
  readonly #utcOffset: () => number;
  readonly #passkeys: Passkeys | null;
  /** The person's devices, this one among them. */
  readonly own: OwnDevices;
  #memory: DeviceMemory;

  private constructor(options: DeviceOptions, memory: DeviceMemory) {
    this.#environment = {
      fetch: (input, init) => fetch(input, init),
      now: () => new Date(),
      sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      ...options.environment,
    };
    this.#store = options.store;
    this.#connection = new Connection(new URL(options.origin).origin, this.#environment);
    this.#utcOffset = options.utcOffset ?? (() => -this.#environment.now().getTimezoneOffset());
    this.#passkeys = options.passkeys ?? null;
    this.#memory = memory;
    this.own = new OwnDevices(
      {
        get: (path, read) => this.#get(path, read),
        change: (method, path, body, read) => this.#change(method, path, body, read),
      },
      this.#passkeys,
    );
  }

  /** @throws what the store throws when the browser keeps no storage */
  static async open(options: DeviceOptions): Promise<SignpostDevice> {
    return new SignpostDevice(options, await options.store.load());
  }

  /** The gateway's origin. */
  get origin(): string {
    return this.#connection.origin;
  }

  /** Who this device is, or null when it must be enrolled first. */
  get enrolled(): Enrolled | null {
    return this.#memory.device?.enrolled ?? null;
  }

  /** How devices are set up here. @throws Unreachable */
  async enrolmentOptions(): Promise<EnrolmentOptions> {
    return this.#connection.open('/api/enrolment/options', body => decode(body, parseEnrolmentOptions));
  }

  /** True when a key was made to be set up and isn't yet. */
  get enrolling(): boolean {
    return this.#memory.pending !== null;
  }

  /**
   * Asks for a code by mail. Says nothing about whether one was sent. A key that waits already may leave the address out.
   * @param link token of the link that led here
   */
  async requestCode(address: string, link: string | null): Promise<void> {
    const { signer, key } = await this.#enrolling();
    const body: CodeAsk = { key, address, link };
    await this.#connection.call({
      method: 'POST',
      path: '/api/enrolment/code',
      signer,
      gatewayKey: null,
      body,
      read: () => undefined,
    });
  }

  /**
   * Makes this the person's device, and pins the gateway's key. A device that this store held before is replaced. Where
   * the person has another active device the answer may be `waiting`: see `enrolment` and `showMore`.
   * @throws Problem `enrolment-refused`, `too-many-tries`, `password-paused`
   */
  async enrol(ask: {
    readonly address: string;
    readonly password?: string | null;
    readonly code?: string | null;
    readonly link: string | null;
    readonly name: string;
    readonly kind: 'browser' | 'command-line';
  }): Promise<EnrolmentAnswer> {
    const { keys, signer, key } = await this.#enrolling();
    const body: EnrolmentAsk = {
      address: ask.address,
      ...shown(ask),
      name: ask.name,
      kind: ask.kind,
      key,
      replaces: await this.#replaces(signer.keyid),
    };
    return this.#enrolled(keys, signer, 'POST', '/api/enrolment', body);
  }

  /** What has become of it while it waits. @throws Problem `not-found`: refused by another device, or it took too long */
  async enrolment(): Promise<EnrolmentAnswer> {
    const { keys, signer } = await this.#enrolling();
    return this.#enrolled(keys, signer, 'GET', '/api/enrolment', undefined);
  }

  /**
   * A device that waits shows more, or says which device it replaces.
   * @throws Problem as `enrol`
   */
  async showMore(
    ask: Partial<ProofAsk> & { readonly link: string | null; readonly replaces?: string | null },
  ): Promise<EnrolmentAnswer> {
    const { keys, signer } = await this.#enrolling();
    const body: MoreAsk = { ...shown(ask), replaces: ask.replaces ?? null };
    return this.#enrolled(keys, signer, 'POST', '/api/enrolment/more', body);
  }

  /** Forgets a key that was being set up. */
  async stopEnrolling(): Promise<void> {
    await this.#remember({ ...this.#memory, pending: null });
  }

  /** Shows that this store holds the key of the device that the new one replaces. */
  async #replaces(newKeyId: string): Promise<EnrolmentAsk['replaces']> {
    const old = this.#memory.device;
    if (!old) return null;
    const { deviceId } = old.enrolled;
    const signer = webCryptoSigner(deviceId, old.authentication.privateKey);
    return { device: deviceId, signature: await signer.sign(replacementData(newKeyId)) };
  }

  async #enrolled(
    keys: CryptoKeyPair,
    signer: HttpSigner,
    method: 'GET' | 'POST',
    path: string,
    body: EnrolmentAsk | MoreAsk | undefined,
  ): Promise<EnrolmentAnswer> {
    const answer = await this.#connection.call({
      method,
      path,
      signer,
      gatewayKey: null,
      body,
      read: bytes => decode(bytes, parseEnrolmentAnswer),
    });
    if (answer.state === 'waiting') return answer;
    const { enrolled } = answer;
    if (enrolled.deviceId !== signer.keyid) throw new AnswerRefused('The gateway enrolled another key than ours.');
    await this.#remember({ pending: null, device: { authentication: keys, enrolled, signing: null } });
    // From here on only the pinned key is believed: this answer shows that the gateway has it.
    await this.info();
    // What gets lost here is made up for when it is first needed.
    await this.#provideTokenKey().catch((error: unknown) => {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    });
    return answer;
  }

  async info(): Promise<DeviceInfo> {
    return this.#get('/api/device', bytes => decode(bytes, parseDeviceInfo));
  }

  /** What waits for this person. */
  async waiting(): Promise<readonly Waiting[]> {
    return this.#get('/api/device/sessions', bytes => decode(bytes, parseWaitingList));
  }

  /** @throws Problem `not-found`: unknown link, another person's, or this device was removed */
  async view(token: string): Promise<View> {
    return this.#get(sessionPath(token), bytes => decode(bytes, parseView));
  }

  /**
   * The exact bytes of every document. Show these, and hand these to `sign`.
   * @param onProgress bytes received of all documents together
   */
  async download(token: string, view: View, onProgress?: Progress): Promise<readonly Uint8Array[]> {
    return this.#downloadAll(sessionPath(token), view.documents, onProgress);
  }

  /** @throws Problem `not-found`: no such request, not finished, this person is no party of it, or this device was removed */
  async finished(requestId: string): Promise<FinishedView> {
    return this.#get(requestPath(requestId), bytes => decode(bytes, parseFinishedView));
  }

  /**
   * The exact bytes of every finished document.
   * @param onProgress bytes received of all documents together
   * @throws AnswerRefused when they aren't those that the view named
   */
  async downloadFinished(requestId: string, view: FinishedView, onProgress?: Progress): Promise<readonly Uint8Array[]> {
    const documents = await this.#downloadAll(requestPath(requestId), view.documents, onProgress);
    for (const [index, bytes] of documents.entries()) {
      if (hex(await sha256(bytes)) !== view.documents[index]!.sha256)
        throw new AnswerRefused('The document is not the finished one.');
    }
    return documents;
  }

  async #downloadAll(
    base: string,
    expected: readonly { readonly length: number }[],
    onProgress: Progress | undefined,
  ): Promise<readonly Uint8Array[]> {
    const total = expected.reduce((sum, document) => sum + document.length, 0);
    const documents: Uint8Array[] = [];
    let before = 0;
    for (const index of expected.keys()) {
      const path = `${base}/documents/${index}`;
      const document = await this.#get(
        path,
        bytes => bytes,
        received => onProgress?.(before + received, Math.max(total, before + received)),
      );
      documents.push(document);
      before += document.length;
    }
    return documents;
  }

  /**
   * Signs all documents of the request in one approval. Renews the certificate when needed, waits for others who sign at
   * the same moment, and repeats what got lost; doing it again after success changes nothing.
   * @param view what was shown, with `documents`, its bytes
   * @returns the session afterwards
   * @throws Tampered when what would be signed isn't what was shown: stop and say why · Problem · Unreachable
   */
  async sign(
    token: string,
    view: View,
    documents: readonly Uint8Array[],
    onStep?: (step: SigningStep) => void,
  ): Promise<View> {
    onStep?.('certificate');
    let identity = await this.#signingIdentity();
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      try {
        onStep?.('turn');
        return await this.#signOnce(token, view, documents, identity, onStep);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.type === 'no-certificate' && !renewed) {
          identity = await this.#renew();
          renewed = true;
        } else if (['busy', 'turn-lost', 'try-later'].includes(error.type) && attempt < TURN_TRIES) {
          onStep?.('waiting');
          await this.#environment.sleep(Math.min(attempt * 500, 5000));
        } else if (error.type === 'not-open') {
          // Signed already, by an answer that was lost or on another device of the same person?
          const after = await this.view(token);
          if (after.session === 'signed') return after;
          throw error;
        } else throw error;
      }
    }
  }

  /**
   * What this device signs of its own accord with: files that stand here, never octets that a gateway sent (those go
   * through `sign`, which checks them). @throws Problem · Unreachable when the certificate has to be renewed
   */
  async identity(): Promise<OwnIdentity> {
    const { serial, certificate, keys } = await this.#signingIdentity();
    return { serial, certificate, sign: data => signOctets(data, keys) };
  }

  /**
   * Approves all documents of a Standard request: answers with the token key for exactly what was shown. Repeats what got
   * lost; doing it again after success changes nothing.
   * @param view what was shown, with `documents`, its bytes
   * @returns the session afterwards
   * @throws Tampered when what the gateway asks to be approved isn't what was shown · Problem · Unreachable
   */
  async approve(
    token: string,
    view: View,
    documents: readonly Uint8Array[],
    approval: { readonly signature: Mark; readonly paraph: Mark | null; readonly place: string | null },
    onStep?: (step: SigningStep) => void,
  ): Promise<View> {
    for (let attempt = 1; ; attempt++) {
      try {
        onStep?.('turn');
        return await this.#approveOnce(token, view, documents, approval, onStep);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.type === 'no-token' && attempt === 1) await this.#provideTokenKey();
        else if (['turn-lost', 'try-later'].includes(error.type) && attempt < TURN_TRIES) {
          onStep?.('waiting');
          await this.#environment.sleep(Math.min(attempt * 500, 5000));
        } else if (error.type === 'not-open') {
          const after = await this.view(token);
          if (after.session === 'signed') return after;
          throw error;
        } else throw error;
      }
    }
  }

  async #approveOnce(
    token: string,
    view: View,
    documents: readonly Uint8Array[],
    {
      signature,
      paraph,
      place,
    }: { readonly signature: Mark; readonly paraph: Mark | null; readonly place: string | null },
    onStep: ((step: SigningStep) => void) | undefined,
  ): Promise<View> {
    const key = this.#device().token?.key ?? (await this.#provideTokenKey());
    const hashes: string[] = [];
    for (const document of documents) hashes.push(hex(await sha256(document)));
    const ask: QuestionAsk = { documents: hashes, place };
    const asking = `${sessionPath(token)}/approval/nonce`;
    const { nonce, data } = await this.#change('POST', asking, ask, bytes => decode(bytes, parseQuestion));
    onStep?.('checking');
    if (!equalBytes(data, shownData(view, hashes, place)))
      throw new Tampered('the gateway asks to approve something else than was shown');
    const hmac = new Uint8Array(await crypto.subtle.sign('HMAC', key, concat(nonce, data)));
    const assertion = await this.#assert(view, approvalClaim(nonce, data), onStep);
    onStep?.('sending');
    const body: ApprovalAsk = { nonce, hmac, signature, paraph, utcOffset: this.#utcOffset(), assertion };
    // This call is kept as evidence, so it names the link by its hash.
    const path = `${sessionPath(hex(await sha256(utf8(token))))}/approval`;
    return this.#change('POST', path, body, bytes => decode(bytes, parseView));
  }

  /**
   * Sees to it that this device has a token key and the gateway knows it. Its bytes are kept until the gateway has them,
   * so that a lost answer is only asked for again.
   */
  async #provideTokenKey(): Promise<CryptoKey> {
    await this.#reload();
    const { extractable } = this.#store;
    let { token } = this.#device();
    if (!token) {
      const unsent = crypto.getRandomValues(new Uint8Array(TOKEN_KEY_LENGTH));
      token = { key: await importTokenKey(unsent, extractable), unsent };
      await this.#remember({ ...this.#memory, device: { ...this.#device(), token } });
    }
    if (token.unsent) {
      const body: TokenAsk = { key: token.unsent };
      await this.#change('POST', '/api/device/token', body, () => undefined);
      token = { key: token.key, unsent: null };
      await this.#remember({ ...this.#memory, device: { ...this.#device(), token } });
    }
    return token.key;
  }

  /** Ends the request for everybody. @throws Problem */
  async reject(token: string, comment: string | null): Promise<View> {
    const body: RejectionAsk = { comment };
    return this.#change('POST', `${sessionPath(token)}/rejection`, body, bytes => decode(bytes, parseView));
  }

  /** Ends this device: it forgets its keys, and its certificates are revoked. */
  async remove(): Promise<void> {
    try {
      await this.#change('DELETE', '/api/device', undefined, () => undefined);
    } catch (error) {
      // Removed already, or its answer was lost.
      if (!(error instanceof Problem && error.type === 'not-found')) throw error;
    }
    await this.forget();
  }

  /** Forgets the keys without telling the gateway. */
  async forget(): Promise<void> {
    await this.#remember({ pending: null, device: null });
  }

  async #signOnce(
    token: string,
    view: View,
    documents: readonly Uint8Array[],
    identity: SigningIdentity,
    onStep: ((step: SigningStep) => void) | undefined,
  ): Promise<View> {
    const ask: TurnAsk = {
      certificateSerial: identity.serial,
      known: documents.map(document => document.length),
      utcOffset: this.#utcOffset(),
    };
    const grant = await this.#change('POST', `${sessionPath(token)}/turn`, ask, bytes => decode(bytes, parseGrant));
    onStep?.('checking');
    const signatures = await signGrant(grant, view, documents, identity);
    const attributes = grant.documents.map(({ signedAttributes }) => signedAttributes);
    const assertion = await this.#assert(view, signatureClaim(grant.turn, attributes), onStep);
    onStep?.('sending');
    const body: SignatureAsk = { turn: grant.turn, signatures, assertion };
    return this.#change('POST', `${sessionPath(token)}/signature`, body, bytes => decode(bytes, parseView));
  }

  /** The passkey's word for this very signature; null where none is used. @throws DOMException when the person declines */
  async #assert(
    { passkey }: View,
    claim: Claim,
    onStep: ((step: SigningStep) => void) | undefined,
  ): Promise<Assertion | null> {
    const { id, rpId } = passkey;
    if (id === null || this.#passkeys === null) return null;
    onStep?.('passkey');
    return this.#passkeys.get({ id, rpId, challenge: await challengeFor(claim) });
  }

  async #signingIdentity(): Promise<SigningIdentity> {
    const { signing } = this.#device();
    const left = signing ? signing.notAfter.getTime() - this.#connection.now().getTime() : 0;
    return signing && left > RENEWAL ? signing : this.#renew();
  }

  /** A new key and its certificate. */
  async #renew(): Promise<SigningIdentity> {
    const keys = await generateKeys(this.#store.extractable);
    const body: CertificateAsk = { csr: await certificationRequest(keys) };
    const issued = await this.#change('POST', '/api/certificates', body, bytes => decode(bytes, parseCertificate));
    const signing: SigningIdentity = { keys, ...issued };
    await this.#reload();
    await this.#remember({ ...this.#memory, device: { ...this.#device(), signing } });
    return signing;
  }

  /** The key to enrol with: made once, kept until it is enrolled. */
  async #enrolling(): Promise<{ keys: CryptoKeyPair; signer: HttpSigner; key: Enrolled['gatewayKey'] }> {
    await this.#reload();
    const keys = this.#memory.pending ?? (await generateKeys(this.#store.extractable));
    if (!this.#memory.pending) await this.#remember({ ...this.#memory, pending: keys });
    const key = await exportPublicKey(keys.publicKey);
    return { keys, key, signer: webCryptoSigner(await thumbprint(key), keys.privateKey) };
  }

  #device(): EnrolledDevice {
    if (!this.#memory.device) throw new NotEnrolled('This device has not been set up yet.');
    return this.#memory.device;
  }

  /** Another tab may have set up this device since; what a browser forgot meanwhile is still known here. */
  async #reload(): Promise<void> {
    const stored = await this.#store.load();
    if (stored.device ?? stored.pending) this.#memory = stored;
  }

  async #remember(memory: DeviceMemory): Promise<void> {
    await this.#store.save(memory);
    this.#memory = memory;
  }

  async #get<T>(path: string, read: (body: Uint8Array) => T, onProgress?: Progress): Promise<T> {
    return this.#connection.call({
      method: 'GET',
      path,
      ...this.#credentials(),
      read,
      ...(onProgress ? { onProgress } : {}),
    });
  }

  async #change<T>(method: 'POST' | 'DELETE', path: string, body: unknown, read: (body: Uint8Array) => T): Promise<T> {
    return this.#connection.call({ method, path, ...this.#credentials(), body, read });
  }

  #credentials(): { signer: HttpSigner; gatewayKey: Enrolled['gatewayKey'] } {
    const { authentication, enrolled } = this.#device();
    return {
      signer: webCryptoSigner(enrolled.deviceId, authentication.privateKey),
      gatewayKey: enrolled.gatewayKey,
    };
  }
}

/** As the wire has it. */
function shown({ password, code, link }: Partial<ProofAsk> & { readonly link: string | null }): ProofAsk {
  return { password: password || null, code: code?.replace(/\s/g, '') || null, link };
}

/** What the person approves, written from what was shown to them. */
function shownData(view: View, hashes: readonly string[], place: string | null): Uint8Array {
  return approvalData({
    request: view.request,
    company: view.company,
    level: view.level,
    sender: view.sender,
    signatory: view.you,
    subject: view.subject,
    documents: view.documents.map(({ name }, index) => ({ name, sha256: hashes[index] ?? '' })),
    place: cleanPlace(place),
  });
}

function sessionPath(token: string): string {
  return `/api/sessions/${encodeURIComponent(token)}`;
}

function requestPath(requestId: string): string {
  return `/api/requests/${encodeURIComponent(requestId)}`;
}

/** Checks every document before the first signature is made. @throws Tampered */
async function signGrant(
  grant: Grant,
  view: View,
  documents: readonly Uint8Array[],
  identity: SigningIdentity,
): Promise<readonly Uint8Array[]> {
  if (grant.documents.length !== documents.length) throw new Tampered('other documents than those that were shown');
  for (const [index, granted] of grant.documents.entries()) {
    const known = documents[index]!;
    const shown = view.documents[index];
    if (shown?.kind === 'file') {
      await checkFileGrant({
        content: known,
        appended: appendedTo(known, granted),
        signedAttributes: granted.signedAttributes,
        certificate: identity.certificate,
        signingTime: grant.signingTime,
      });
      continue;
    }
    const layoutOfMine = shown?.field;
    if (!layoutOfMine) throw new Tampered('no place for the signature was shown');
    await checkGrant({
      known,
      appended: appendedTo(known, granted),
      byteRange: granted.byteRange,
      signedAttributes: granted.signedAttributes,
      certificate: identity.certificate,
      signingTime: grant.signingTime,
      layoutOfMine,
      signer: view.you.name,
    });
  }
  const signatures: Uint8Array[] = [];
  for (const { signedAttributes } of grant.documents)
    signatures.push(await signOctets(signedAttributes, identity.keys));
  return signatures;
}

/** @returns DER ECDSA-Sig-Value */
async function signOctets(data: Uint8Array, keys: CryptoKeyPair): Promise<Uint8Array> {
  const raw = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, owned(data));
  return derSignature(new Uint8Array(raw));
}

/** What follows the bytes that were shown. The gateway sends the whole document when it doesn't know their length. */
function appendedTo(shown: Uint8Array, granted: GrantedDocument): Uint8Array {
  if (granted.known === shown.length) return granted.appended;
  if (granted.known === 0 && equalBytes(granted.appended.subarray(0, shown.length), shown))
    return granted.appended.subarray(shown.length);
  throw new Tampered('the document is not the one that was shown');
}
