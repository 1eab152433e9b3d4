/** What goes wrong, as problem details (RFC 9457): a machine's `type`, a person's sentence. */
import { Malformed, PROBLEM_PREFIX, type ProblemType } from '../client/protocol.ts';
import { DirectoryUnavailable } from '../directory/directory.ts';
import { TokenError } from '../pki/pkcs11/token.ts';
import { CertificateRefused, TimestampUnavailable } from '../pki/pki.ts';
import { Conflict, EnrolmentRefused, TooManyTries } from '../requests/requests.ts';
import { isBusy, isDiskFull } from '../store/errors.ts';

const PROBLEMS: Readonly<
  Record<ProblemType, { readonly status: number; readonly title: string; readonly detail: string }>
> = {
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing here for this device.' },
  nonce: {
    status: 409,
    title: 'Ask again',
    detail: 'The nonce is not valid any more. Get a new one and send this again.',
  },
  'bad-request': { status: 400, title: 'Not understood', detail: 'The request is not what the gateway expects.' },
  'enrolment-refused': {
    status: 403,
    title: 'Not accepted',
    detail:
      'What you gave is wrong, expired, used already or not enough. Check address, password and code, or get a new code.',
  },
  'too-many-tries': {
    status: 429,
    title: 'Too many tries',
    detail: 'Too many tries from here. Wait a quarter of an hour.',
  },
  'certificate-refused': { status: 422, title: 'No certificate', detail: 'The certificate could not be issued.' },
  'comment-required': {
    status: 422,
    title: 'Comment needed',
    detail: 'Please say why you reject: your company asks for it.',
  },
  'not-open': { status: 409, title: 'Not open', detail: 'This request is not open for you to sign or reject now.' },
  'not-your-turn': {
    status: 409,
    title: 'Not your turn',
    detail: 'Others sign before you. You get a mail when it is your turn.',
  },
  'turn-lost': { status: 409, title: 'Turn lost', detail: 'Somebody else signed in the meantime. Ask for a new turn.' },
  busy: { status: 409, title: 'Busy', detail: 'Somebody else is signing at this moment. Try again in a few seconds.' },
  'no-certificate': {
    status: 409,
    title: 'No certificate',
    detail: 'This device has no valid certificate. Ask for a new one.',
  },
  'bad-signature': {
    status: 422,
    title: 'Signature not valid',
    detail: 'The signature does not fit the document and the certificate.',
  },
  'no-token': {
    status: 409,
    title: 'No token key',
    detail: 'This device has sent no token key yet. Send it, then try again.',
  },
  'token-refused': {
    status: 409,
    title: 'Another token key',
    detail: 'This device has sent another token key before. Set up the device again.',
  },
  'bad-approval': {
    status: 422,
    title: 'Approval not valid',
    detail: 'The answer does not fit what was asked.',
  },
  'no-more-tries': {
    status: 409,
    title: 'Too many wrong answers',
    detail: 'There were too many wrong answers. This request can no longer be signed by you; ask its sender.',
  },
  'password-paused': {
    status: 429,
    title: 'Passwords paused',
    detail:
      'For now no password is tried for this address, so that nobody can lock your account. Open the link in a mail of yours, use a code from your admin, or wait an hour.',
  },
  'more-proof': {
    status: 403,
    title: 'More proof needed',
    detail: 'This needs more proof of who you are than this device was set up with.',
  },
  'passkey-needed': {
    status: 403,
    title: 'Passkey needed',
    detail: 'This level asks for a passkey: sign with a browser that has one.',
  },
  'passkey-refused': {
    status: 422,
    title: 'Passkey not accepted',
    detail: 'The answer of your passkey does not fit. Try again, or set up this device anew.',
  },
  'try-later': {
    status: 503,
    title: 'Try later',
    detail: 'The gateway can’t do this at the moment. Nothing is lost; try again in a minute.',
  },
  internal: {
    status: 500,
    title: 'Fault',
    detail: 'Something went wrong in the gateway. Nothing is lost; try again later.',
  },
};

export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly type: ProblemType;
  readonly status: number;
  constructor(
    type: ProblemType,
    options: { readonly detail?: string; readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(options.detail ?? PROBLEMS[type].detail, { cause: options.cause });
    this.type = type;
    this.status = options.status ?? PROBLEMS[type].status;
  }

  /** The same bytes for the same problem: nothing in it tells requests apart. */
  get body(): string {
    const { title } = PROBLEMS[this.type];
    return JSON.stringify({ type: PROBLEM_PREFIX + this.type, title, status: this.status, detail: this.message });
  }
}

/** The one answer for everything that isn't there for whoever asks (THREATS.md: a leaked link shows what an unknown one shows). */
export function notFound(): HttpProblem {
  return new HttpProblem('not-found');
}

function statusOf(error: unknown): number | null {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}

/** What the caller hears of an error; anything unknown is `internal`. */
export function toProblem(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof Conflict) return new HttpProblem(error.reason, { cause: error });
  if (error instanceof Malformed) return new HttpProblem('bad-request', { cause: error });
  if (error instanceof TooManyTries)
    return new HttpProblem(error.what === 'password' ? 'password-paused' : 'too-many-tries', { cause: error });
  if (error instanceof EnrolmentRefused) return new HttpProblem('enrolment-refused', { cause: error });
  if (error instanceof CertificateRefused)
    return new HttpProblem('certificate-refused', { detail: error.message, cause: error });
  const passing =
    error instanceof DirectoryUnavailable || error instanceof TimestampUnavailable || error instanceof TokenError;
  if (passing || isDiskFull(error) || isBusy(error)) return new HttpProblem('try-later', { cause: error });
  // Fastify's own refusals: body too large, unknown content type, bad URL.
  const status = statusOf(error);
  return status === null
    ? new HttpProblem('internal', { cause: error })
    : new HttpProblem('bad-request', { status, cause: error });
}
