/** Why a signature doesn't pass, in the words of ETSI EN 319 102-1 §5.1.3 (tables 5 and 6). */
export type SubIndication =
  // TOTAL-FAILED
  | 'FORMAT_FAILURE'
  | 'HASH_FAILURE'
  | 'SIG_CRYPTO_FAILURE'
  // INDETERMINATE
  | 'SIG_CONSTRAINTS_FAILURE'
  | 'CRYPTO_CONSTRAINTS_FAILURE'
  | 'NO_SIGNING_CERTIFICATE_FOUND'
  | 'SIGNED_DATA_NOT_FOUND';

/** The signature does not pass; `message` says which rule it breaks. */
export class SignatureInvalid extends Error {
  override readonly name = 'SignatureInvalid';
  readonly subIndication: SubIndication;
  constructor(subIndication: SubIndication, message: string) {
    super(message);
    this.subIndication = subIndication;
  }

  get indication(): 'TOTAL-FAILED' | 'INDETERMINATE' {
    return ['FORMAT_FAILURE', 'HASH_FAILURE', 'SIG_CRYPTO_FAILURE'].includes(this.subIndication)
      ? 'TOTAL-FAILED'
      : 'INDETERMINATE';
  }
}
