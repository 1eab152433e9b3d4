/**
 * HTTP message signatures (RFC 9421) with content digests (RFC 9530), in the one shape that devices and gateway use:
 * ecdsa-p256-sha256 (§3.3.4: r ‖ s), label `sig`, and exactly these components in this order.
 *
 * - A request covers `@method`, `@target-uri` (its public URL: proxies in between don't matter) and `content-digest`
 *   (also of an empty body), with `created`, `nonce`, `keyid` (RFC 7638 thumbprint) and `tag`.
 * - An answer covers `@status`, `content-digest` and the signature of the request that it answers (`;req`, §2.4), so
 *   that it can stand for no other.
 */
import { base64, fromBase64, owned, sha256, utf8 } from './bytes.ts';

const REQUEST_COMPONENTS = '("@method" "@target-uri" "content-digest")';
const ANSWER_COMPONENTS = '("@status" "content-digest" "signature";req)';
const PARAMETERS = 'keyid="([A-Za-z0-9_-]{43})";tag="signpost"';
const REQUEST_INPUT = new RegExp(
  String.raw`^sig=(\("@method" "@target-uri" "content-digest"\);created=([1-9]\d{0,11});nonce="([A-Za-z0-9_.-]{16,200})";${PARAMETERS})$`,
);
const ANSWER_INPUT = new RegExp(
  String.raw`^sig=(\("@status" "content-digest" "signature";req\);created=([1-9]\d{0,11});${PARAMETERS})$`,
);
const SIGNATURE = /^sig=:([A-Za-z0-9+/]{86}==):$/;
const ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Signs with a P-256 key; the signature is r ‖ s, 64 bytes. */
export interface HttpSigner {
  readonly keyid: string;
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/** Header fields to add to the message. */
export interface SignatureFields {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** A signature as received: well-formed, not yet verified. */
export interface ReceivedSignature {
  /** Seconds since 1970. */
  readonly created: number;
  readonly keyid: string;
  /** What the message ended the signature base with: `@signature-params`. */
  readonly parameters: string;
  readonly signature: Uint8Array;
}

export interface ReceivedRequestSignature extends ReceivedSignature {
  readonly nonce: string;
}

/** RFC 9530 §2. */
export async function contentDigest(body: Uint8Array): Promise<string> {
  return `sha-256=:${base64(await sha256(body))}:`;
}

/** RFC 9421 §2.5. `components` are serialised identifiers with their values. */
export function signatureBase(components: readonly (readonly [string, string])[], parameters: string): Uint8Array {
  const lines = components.map(([identifier, value]) => `${identifier}: ${value}`);
  return utf8([...lines, `"@signature-params": ${parameters}`].join('\n'));
}

/** Verifies r ‖ s over a signature base (§3.3.4). */
export async function verifyBase(base: Uint8Array, signature: Uint8Array, key: CryptoKey): Promise<boolean> {
  return crypto.subtle.verify(ALGORITHM, key, owned(signature), owned(base));
}

/** Signs with a WebCrypto key. */
export function webCryptoSigner(keyid: string, key: CryptoKey): HttpSigner {
  return {
    keyid,
    sign: async data => new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, owned(data))),
  };
}

export interface SignedRequest {
  /** Upper case. */
  readonly method: string;
  /** Absolute, without fragment. */
  readonly targetUri: string;
  readonly contentDigest: string;
}

/** What a request signature covers, as signed (§2.5). */
export function requestBase(request: SignedRequest, parameters: string): Uint8Array {
  return signatureBase(
    [
      ['"@method"', request.method],
      ['"@target-uri"', request.targetUri],
      ['"content-digest"', request.contentDigest],
    ],
    parameters,
  );
}

/** @param created seconds since 1970 */
export async function signRequest(
  request: { readonly method: string; readonly targetUri: string; readonly body: Uint8Array },
  signer: HttpSigner,
  { created, nonce }: { readonly created: number; readonly nonce: string },
): Promise<SignatureFields> {
  const digest = await contentDigest(request.body);
  const parameters = `${REQUEST_COMPONENTS};created=${created};nonce="${nonce}";keyid="${signer.keyid}";tag="signpost"`;
  const signature = await signer.sign(requestBase({ ...request, contentDigest: digest }, parameters));
  return {
    'content-digest': digest,
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${base64(signature)}:`,
  };
}

function parseSignature(field: string): Uint8Array | null {
  const match = SIGNATURE.exec(field);
  return match ? fromBase64(match[1]!) : null;
}

/** Null when the fields are anything but the one accepted shape. */
export function parseRequestSignature(signatureInput: string, signature: string): ReceivedRequestSignature | null {
  const match = REQUEST_INPUT.exec(signatureInput);
  const bytes = parseSignature(signature);
  if (!match || !bytes) return null;
  return {
    parameters: match[1]!,
    created: Number(match[2]),
    nonce: match[3]!,
    keyid: match[4]!,
    signature: bytes,
  };
}

/** True when `key` signed this request. The caller compares the digest with the body, and judges time and nonce. */
export async function verifyRequest(
  request: SignedRequest,
  received: ReceivedRequestSignature,
  key: CryptoKey,
): Promise<boolean> {
  return verifyBase(requestBase(request, received.parameters), received.signature, key);
}

function answerBase(status: number, digest: string, requestSignature: string, parameters: string): Uint8Array {
  return signatureBase(
    [
      ['"@status"', String(status)],
      ['"content-digest"', digest],
      ['"signature";req', requestSignature],
    ],
    parameters,
  );
}

/**
 * @param requestSignature the request's Signature field as received
 * @param created seconds since 1970
 */
export async function signAnswer(
  answer: { readonly status: number; readonly body: Uint8Array; readonly requestSignature: string },
  signer: HttpSigner,
  created: number,
): Promise<SignatureFields> {
  const digest = await contentDigest(answer.body);
  const parameters = `${ANSWER_COMPONENTS};created=${created};keyid="${signer.keyid}";tag="signpost"`;
  const signature = await signer.sign(answerBase(answer.status, digest, answer.requestSignature, parameters));
  return {
    'content-digest': digest,
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${base64(signature)}:`,
  };
}

/** When the answer is `key`'s to this very request: the gateway's time (seconds since 1970); else null. */
export async function verifyAnswer(
  answer: {
    readonly status: number;
    readonly body: Uint8Array;
    readonly requestSignature: string;
    header(name: string): string | null;
  },
  keyid: string,
  key: CryptoKey,
): Promise<number | null> {
  const match = ANSWER_INPUT.exec(answer.header('signature-input') ?? '');
  const signature = parseSignature(answer.header('signature') ?? '');
  const digest = await contentDigest(answer.body);
  if (!match || !signature || match[3] !== keyid || answer.header('content-digest') !== digest) return null;
  const base = answerBase(answer.status, digest, answer.requestSignature, match[1]!);
  return (await verifyBase(base, signature, key)) ? Number(match[2]) : null;
}
