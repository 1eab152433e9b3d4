/** Every answer of the API is signed by the gateway's key, bound to the request that it answers. */
import type { FastifyInstance } from 'fastify';
import { rawSignature } from '../client/ecdsa.ts';
import { type HttpSigner, parseRequestSignature, signAnswer } from '../client/http-signature.ts';
import { thumbprint } from '../client/keys.ts';
import { type PublicKey, parsePublicKey } from '../client/protocol.ts';
import type { SigningKey } from '../pki/pki.ts';

export interface AnswerKey {
  readonly publicKey: PublicKey;
  readonly signer: HttpSigner;
}

/** @throws TypeError unless it is a P-256 key */
export async function answerKey(key: SigningKey): Promise<AnswerKey> {
  if (key.algorithm !== 'ecdsa-p256-sha256') throw new TypeError('the key that signs answers must be P-256');
  const publicKey = parsePublicKey(key.publicKey.export({ format: 'jwk' }));
  return {
    publicKey,
    signer: { keyid: await thumbprint(publicKey), sign: async data => rawSignature(await key.sign(data)) },
  };
}

/** Signs whatever the routes of `api` send to a request that is itself signed. */
export function signAnswers(api: FastifyInstance, signer: HttpSigner, now: () => Date): void {
  api.addHook('onSend', async (request, reply, payload) => {
    const { signature, 'signature-input': input } = request.headers;
    if (typeof signature !== 'string' || typeof input !== 'string' || !parseRequestSignature(input, signature))
      return payload;
    if (typeof payload !== 'string' && !(payload instanceof Uint8Array))
      throw new TypeError('only whole answers can be signed');
    const body = Buffer.from(payload);
    const created = Math.floor(now().getTime() / 1000);
    const fields = await signAnswer({ status: reply.statusCode, body, requestSignature: signature }, signer, created);
    reply.headers({ ...fields });
    return body;
  });
}
