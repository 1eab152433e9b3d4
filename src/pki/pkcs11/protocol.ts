/** What the gateway and its token child tell each other, over an IPC channel with V8 serialisation. */
import type { NewKey } from '../key-kinds.ts';

/** Why a key on a token can't be used. */
export type TokenFault =
  /** The module can't be loaded, or pkcs11js isn't built. */
  | 'module'
  /** No token of that label is in any slot. */
  | 'no-token'
  | 'wrong-pin'
  | 'pin-locked'
  | 'no-key'
  | 'exists'
  /** The token, its session or the module failed, for now. */
  | 'unavailable';

export type TokenJob = {
  readonly token: string;
  readonly pin: string;
} /** `key` is a label. Where several keys have it, `publicKey` (SubjectPublicKeyInfo, DER) says which. */ & (
  | { readonly kind: 'publicKey'; readonly key: string; readonly publicKey: Uint8Array | null }
  /** `another`: although there is a key of that label already. */
  | {
      readonly kind: 'generate';
      readonly key: string;
      readonly algorithm: NewKey;
      readonly another: boolean;
    }
  /** `input`: the digest for ECDSA, a whole DigestInfo for RSA. */
  | {
      readonly kind: 'sign';
      readonly key: string;
      readonly publicKey: Uint8Array;
      readonly input: Uint8Array;
      readonly rsa: boolean;
    }
);

/** `value`: r ‖ s or the RSA signature for "sign", else SubjectPublicKeyInfo, DER. */
export type TokenOutcome =
  | { readonly value: Uint8Array }
  | {
      readonly fault: TokenFault;
      /** In words, for the admin; never the PIN. */
      readonly detail: string;
    };
