/** The rules that a certification path can break. */

/** Rule → where it stands, in RFC 5280 unless it says otherwise. */
export const RULES = {
  malformed: '§4.1, §4.2',
  'no-path': '§6.1: no issuer leads to an anchor',
  'too-complex': 'RFC 4158 §2: more work than one path is worth',
  algorithm: '§6.1.3 (a)(1): an algorithm or key that is not allowed',
  signature: '§6.1.3 (a)(1)',
  'not-yet-valid': '§6.1.3 (a)(2)',
  expired: '§6.1.3 (a)(2)',
  revoked: '§6.1.3 (a)(3)',
  'revocation-unknown': '§6.1.3 (a)(3), §6.3',
  'name-chaining': '§6.1.3 (a)(4)',
  'name-constraints': '§6.1.3 (b), (c)',
  policy: '§6.1.3 (f), §6.1.5 (g)',
  'policy-mapping': '§6.1.4 (a)',
  'not-a-ca': '§6.1.4 (k)',
  'path-length': '§6.1.4 (l)',
  'key-usage': '§6.1.4 (n)',
  'critical-extension': '§6.1.4 (o), §6.1.5 (f)',
} as const;

export type Rule = keyof typeof RULES;

/** A path breaks `rule`; `message` says how, in words for people. */
export class PathInvalid extends Error {
  override readonly name = 'PathInvalid';
  readonly rule: Rule;
  /** DER of the certificate that breaks it, where it is one. */
  readonly certificate: Uint8Array | null;

  constructor(rule: Rule, message: string, certificate: { readonly der: Uint8Array } | null = null) {
    super(message);
    this.rule = rule;
    this.certificate = certificate?.der ?? null;
  }
}
