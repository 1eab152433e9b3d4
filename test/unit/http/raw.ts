/** Requests written by hand: what a device would never send. */
import { request as httpRequest } from 'node:http';
import { type SignatureFields, signRequest, webCryptoSigner } from '../../../src/client/http-signature.ts';
import { exportPublicKey, generateKeys, thumbprint } from '../../../src/client/keys.ts';
import type { PublicKey } from '../../../src/client/protocol.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @param where a port on 127.0.0.1, or the path of a unix socket */
export function send(
  where: number | string,
  { method = 'GET', path, headers = {}, body = '' }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        ...(typeof where === 'string' ? { socketPath: where } : { port: where, host: '127.0.0.1' }),
        method,
        path,
        headers,
        agent: false,
      },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A key with which requests are signed as the caller likes. */
export interface RawDevice {
  readonly key: PublicKey;
  readonly id: string;
  readonly keys: CryptoKeyPair;
  sign(request: RawRequest, origin: string, options?: { created?: number; nonce?: string }): Promise<SignatureFields>;
}

/** @param claimedId the key id to sign under, when it isn't the key's own */
export async function rawDevice(pair?: CryptoKeyPair, claimedId?: string): Promise<RawDevice> {
  const keys = pair ?? (await generateKeys(true));
  const key = await exportPublicKey(keys.publicKey);
  const id = claimedId ?? (await thumbprint(key));
  return {
    key,
    id,
    keys,
    sign: ({ method = 'GET', path, body = '' }, origin, options = {}) =>
      signRequest({ method, targetUri: origin + path, body: Buffer.from(body) }, webCryptoSigner(id, keys.privateKey), {
        created: options.created ?? Math.floor(Date.now() / 1000),
        nonce: options.nonce ?? 'n'.repeat(22),
      }),
  };
}
