/**
 * Standard: the person draws and approves, the device answers for it with its token key, the company's seal key signs in
 * the person's field. Two steps, so that the device sees what it answers for before it does.
 */
import { timingSafeEqual } from 'node:crypto';
import { approvalData, cleanPlace } from '../client/approval.ts';
import { approvalClaim } from '../client/passkey-challenge.ts';
import type { SignatoryMark } from '../documents/documents.ts';
import { hashData, NONCE_LENGTH } from '../signatures/report.ts';
import { checkNotStopped } from './certificates.ts';
import { change, type Decision } from './change.ts';
import type { Deps } from './deps.ts';
import { storeEvidence, tokenKeyOf } from './evidence.ts';
import type { BlobId, Challenge, Device, Evidence, Request, RequestDocument, Session } from './model.ts';
import { mayBeSigned, proveByPasskey } from './passkeys.ts';
import { type ApprovalAsk, type ApprovalOrigin, Conflict, type Question } from './requests.ts';
import { ownSession } from './sessions.ts';
import { checkOpen, type Revision, sensibleOffset, signedDecision } from './signed.ts';

/** How long a question waits for its answer. */
const QUESTION_MS = 5 * 60_000;
const WRONG_ANSWERS = 5;

/** @throws Conflict */
export async function askApproval(
  deps: Deps,
  sessionId: string,
  device: Device,
  ask: { readonly documents: readonly BlobId[]; readonly place: string | null },
): Promise<Question> {
  const challenge = await change(
    deps,
    () => deps.store.requests.findBySession(sessionId),
    async found => {
      const { request, session } = await ownSession(deps, found, sessionId, device);
      checkOpen(deps, request, session, 'standard');
      checkTries(session);
      await mayBeSigned(deps, device, 'standard');
      await checkNotStopped(deps, device);
      await ownToken(deps, device);
      const known = request.documents.every(({ revisions = [] }, index) =>
        revisions.some(({ blob }) => blob === ask.documents[index]),
      );
      if (!known || ask.documents.length !== request.documents.length) {
        throw new Conflict('bad-approval', 'The device holds other documents than those of this request.');
      }
      const challenge = newChallenge(deps, request, session, device, ask);
      return { result: challenge, request: withSession(request, { ...session, challenge }) };
    },
  );
  return { nonce: Buffer.from(challenge.nonce, 'hex'), data: Buffer.from(challenge.data) };
}

/** @throws Conflict, TimestampUnavailable */
export async function approve(
  deps: Deps,
  sessionId: string,
  device: Device,
  approval: ApprovalAsk,
  origin: ApprovalOrigin,
): Promise<Session> {
  // Fixed for this approval, however often the commit has to be decided anew.
  const stopped = deps.now();
  let evidence: Promise<Evidence> | null = null;
  let proof: Promise<BlobId | null> | null = null;
  const revisions = new Map<BlobId, Promise<Revision>>();
  const signed = await change(
    deps,
    () => deps.store.requests.findBySession(sessionId),
    async (found): Promise<Decision<Session | null>> => {
      const { request, session, index } = await ownSession(deps, found, sessionId, device);
      if (session.state === 'signed' && session.deviceId === device.id) return { result: session };
      checkOpen(deps, request, session, 'standard');
      checkTries(session);
      await checkNotStopped(deps, device);
      const challenge = ownChallenge(session, device, approval, stopped);
      const token = await ownToken(deps, device);
      const data = Buffer.from(challenge.data);
      if (!equal(hashData(token.bytes, approval.nonce, data), approval.hmac)) {
        const wrongAnswers = (session.wrongAnswers ?? 0) + 1;
        deps.logger.warn({ request: request.id, session: session.id, device: device.id, wrongAnswers }, 'wrong answer');
        return { result: null, request: withSession(request, { ...session, wrongAnswers }) };
      }
      const claim = approvalClaim(approval.nonce, data);
      proof ??= proveByPasskey(deps, device, 'standard', approval.assertion, claim);
      const assertion = await proof;
      const mark: SignatoryMark = {
        index,
        name: session.party.name,
        company: deps.config.company.name,
        level: 'standard',
        signature: approval.signature,
        paraph: approval.paraph,
        place: challenge.place,
        device: device.name,
        signingTime: stopped,
        utcOffset: sensibleOffset(approval.utcOffset),
      };
      const made = await Promise.all(
        request.documents.map(document => {
          const revision = revisions.get(document.head ?? '') ?? approvedRevision(deps, document, mark);
          revisions.set(document.head ?? '', revision);
          return revision;
        }),
      );
      const { nonce } = approval;
      const transaction = { ...origin, name: session.party.name, started: challenge.at, stopped, nonce, data };
      evidence ??= storeEvidence(deps, transaction, token, origin.call);
      const { challenge: _, ...answered } = session;
      const stored = await evidence;
      await checkNotStopped(deps, device);
      const by = { deviceId: device.id, evidence: stored, ...(assertion === null ? {} : { assertion }) };
      return signedDecision(deps, request, answered, by, made);
    },
  );
  if (signed === null) throw new Conflict('bad-approval', 'The answer does not fit what was asked.');
  return signed;
}

function newChallenge(
  deps: Deps,
  request: Request,
  session: Session,
  device: Device,
  ask: { readonly documents: readonly BlobId[]; readonly place: string | null },
): Challenge {
  const place = cleanPlace(ask.place);
  const data = approvalData({
    request: request.id,
    company: deps.config.company.name,
    level: request.level,
    sender: request.sender,
    signatory: session.party,
    subject: request.subject,
    documents: request.documents.map(({ name }, index) => ({ name, sha256: ask.documents[index]! })),
    place,
  });
  return {
    deviceId: device.id,
    nonce: Buffer.from(deps.randomBytes(NONCE_LENGTH)).toString('hex'),
    data: Buffer.from(data).toString(),
    documents: ask.documents,
    place,
    at: deps.now(),
  };
}

/** The question that this answers. @throws Conflict */
function ownChallenge({ challenge }: Session, device: Device, { nonce }: ApprovalAsk, now: Date): Challenge {
  const fits =
    challenge !== undefined &&
    challenge.deviceId === device.id &&
    challenge.nonce === Buffer.from(nonce).toString('hex') &&
    now.getTime() - challenge.at.getTime() < QUESTION_MS;
  if (!fits) throw new Conflict('turn-lost', 'The answer came too late; ask again what is to be approved.');
  return challenge;
}

async function ownToken(deps: Deps, device: Device) {
  const stored = await deps.store.requests.findDevice(device.id);
  const token = stored && tokenKeyOf(deps, stored);
  if (!token) throw new Conflict('no-token', 'This device has sent no token key yet.');
  return token;
}

function checkTries({ wrongAnswers = 0 }: Session): void {
  if (wrongAnswers >= WRONG_ANSWERS) {
    throw new Conflict('no-more-tries', 'There were too many wrong answers for this request.');
  }
}

/** The same head approved once: a lost race about another document needs no second signature on this one. */
async function approvedRevision(deps: Deps, { head, layout }: RequestDocument, mark: SignatoryMark): Promise<Revision> {
  if (head === null || layout === null) throw new Error('an open request has an unprepared document');
  const bytes = await deps.documents.approve(await deps.store.blobs.get(head), layout, mark);
  return { blob: await deps.store.blobs.put(bytes), length: bytes.length };
}

function withSession(request: Request, session: Session): Request {
  return { ...request, sessions: request.sessions.map(other => (other.id === session.id ? session : other)) };
}

function equal(expected: Uint8Array, received: Uint8Array): boolean {
  return expected.length === received.length && timingSafeEqual(expected, received);
}
