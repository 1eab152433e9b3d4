/** The browser's passkeys (Web Authentication Level 2): user verification always, attestation never. */
import { owned } from './bytes.ts';
import type { Assertion, PasskeyAsk, PasskeyOptions } from './protocol.ts';

export interface Passkeys {
  available(): Promise<boolean>;
  /** @throws DOMException when the person declines, or the browser can't */
  create(options: PasskeyOptions): Promise<PasskeyAsk>;
  /** @throws DOMException when the person declines, or the browser can't */
  get(ask: { readonly id: Uint8Array; readonly rpId: string; readonly challenge: Uint8Array }): Promise<Assertion>;
}

/** ES256, EdDSA, RS256. */
const ALGORITHMS = [-7, -8, -257] as const;
/** Longer than a turn lasts is of no use. */
const TIMEOUT_MS = 55_000;

/** Null where the browser has no WebAuthn, or not enough of it. */
export function browserPasskeys(): Passkeys | null {
  if (
    typeof PublicKeyCredential !== 'function' ||
    typeof AuthenticatorAttestationResponse !== 'function' ||
    !('getAuthenticatorData' in AuthenticatorAttestationResponse.prototype)
  )
    return null;
  return {
    available: () => PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable(),

    async create({ challenge, rpId, rpName, userId, userName }) {
      const credential = await navigator.credentials.create({
        publicKey: {
          challenge: owned(challenge),
          rp: { id: rpId, name: rpName },
          user: { id: owned(userId), name: userName, displayName: userName },
          pubKeyCredParams: ALGORITHMS.map(alg => ({ type: 'public-key' as const, alg })),
          authenticatorSelection: { userVerification: 'required', residentKey: 'discouraged' },
          attestation: 'none',
          timeout: TIMEOUT_MS,
        },
      });
      if (!(credential instanceof PublicKeyCredential)) throw new DOMException('no credential', 'NotAllowedError');
      const { response } = credential;
      if (!(response instanceof AuthenticatorAttestationResponse))
        throw new DOMException('no attestation', 'NotSupportedError');
      return {
        clientData: new Uint8Array(response.clientDataJSON),
        authenticatorData: new Uint8Array(response.getAuthenticatorData()),
      };
    },

    async get({ id, rpId, challenge }) {
      const credential = await navigator.credentials.get({
        publicKey: {
          challenge: owned(challenge),
          rpId,
          allowCredentials: [{ type: 'public-key', id: owned(id) }],
          userVerification: 'required',
          timeout: TIMEOUT_MS,
        },
      });
      if (!(credential instanceof PublicKeyCredential)) throw new DOMException('no credential', 'NotAllowedError');
      const { response } = credential;
      if (!(response instanceof AuthenticatorAssertionResponse))
        throw new DOMException('no assertion', 'NotSupportedError');
      return {
        credential: new Uint8Array(credential.rawId),
        clientData: new Uint8Array(response.clientDataJSON),
        authenticatorData: new Uint8Array(response.authenticatorData),
        signature: new Uint8Array(response.signature),
      };
    },
  };
}
