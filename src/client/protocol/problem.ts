/** What goes wrong, as both sides name it. */
import { fields, integer, Malformed, oneOf, text } from './wire.ts';

export const PROBLEMS = [
  'not-found',
  'nonce',
  'bad-request',
  'enrolment-refused',
  'too-many-tries',
  'certificate-refused',
  'comment-required',
  'not-open',
  'not-your-turn',
  'turn-lost',
  'busy',
  'no-certificate',
  'bad-signature',
  'no-token',
  'token-refused',
  'bad-approval',
  'no-more-tries',
  'password-paused',
  'more-proof',
  'passkey-needed',
  'passkey-refused',
  'try-later',
  'internal',
] as const;

export type ProblemType = (typeof PROBLEMS)[number];

/** RFC 9457. On the wire `type` is PROBLEM_PREFIX + ProblemType. */
export interface ProblemAnswer {
  readonly type: ProblemType;
  readonly title: string;
  readonly status: number;
  /** A sentence for people, in English. */
  readonly detail: string;
}

export const PROBLEM_PREFIX = 'urn:signpost:problem:';

export function parseProblem(value: unknown): ProblemAnswer {
  const { type, title, status, detail } = fields(value);
  const name = text(type, 100);
  if (!name.startsWith(PROBLEM_PREFIX)) throw new Malformed('not a problem of ours');
  return {
    type: oneOf(name.slice(PROBLEM_PREFIX.length), ...PROBLEMS),
    title: text(title),
    status: integer(status),
    detail: text(detail),
  };
}
