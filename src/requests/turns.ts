/** Signing: a short turn on the newest revision, then the signature (DESIGN.md decision 12). */
import { signatureClaim } from '../client/passkey-challenge.ts';
import type { CertifiedMark, PreparedSignature } from '../documents/documents.ts';
import type { SignatureAlgorithm } from '../pki/pki.ts';
import { prepareCades } from '../signatures/cades.ts';
import { BadSignature, verifySignature } from '../signatures/verify.ts';
import { usableCertificate } from './certificates.ts';
import { change } from './change.ts';
import type { Deps } from './deps.ts';
import { newTurnId } from './ids.ts';
import type { BlobId, Device, Request, RequestDocument, Session, Turn } from './model.ts';
import { mayBeSigned, proveByPasskey } from './passkeys.ts';
import { Conflict, type Grant, type GrantedDocument } from './requests.ts';
import { ownSession } from './sessions.ts';
import { checkOpen, type Revision, sensibleOffset, signedDecision } from './signed.ts';
import type { Assertion } from './webauthn.ts';

const TURN_MS = 60_000;
/** Devices have P-256 keys only (CertificateAuthority.issueForPerson). */
const DEVICE_ALGORITHM: SignatureAlgorithm = 'ecdsa-p256-sha256';

export interface TurnAsk {
  readonly certificateSerial: string;
  readonly known: readonly number[];
  readonly utcOffset: number;
}

/** @throws Conflict */
export async function grantTurn(deps: Deps, sessionId: string, device: Device, ask: TurnAsk): Promise<Grant> {
  const { request, index, turn, certificate } = await change(
    deps,
    () => deps.store.requests.findBySession(sessionId),
    async found => {
      const own = await ownSession(deps, found, sessionId, device);
      const { request, session, index } = own;
      checkOpen(deps, request, session, 'advanced');
      await mayBeSigned(deps, device, 'advanced');
      const certificate = await usableCertificate(deps, ask.certificateSerial, device);
      const current = request.turn !== null && request.turn.expiresAt > deps.now() ? request.turn : null;
      if (current && (current.sessionId !== session.id || current.deviceId !== device.id)) {
        throw new Conflict('busy', 'Somebody else is signing at this moment; try again in a few seconds.');
      }
      if (current?.certificateSerial === ask.certificateSerial) {
        return { result: { request, index, turn: current, certificate } };
      }
      const turn = newTurn(deps, request, session, device, ask);
      const granted: Request = { ...request, turn };
      return { result: { request: granted, index, turn, certificate }, request: granted };
    },
  );
  const prepared = await prepareSignatures(deps, request, index, turn, certificate);
  deps.logger.info({ request: request.id, session: sessionId, device: device.id }, 'turn granted');
  return {
    turn: turn.id,
    expiresAt: turn.expiresAt,
    signingTime: turn.signingTime,
    documents: request.documents.map((document, position) =>
      grantedDocument(document, prepared[position]!, ask.known[position]),
    ),
  };
}

/** Repeating it after success returns the session as signed. @throws Conflict, TimestampUnavailable */
export async function completeTurn(
  deps: Deps,
  sessionId: string,
  device: Device,
  turnId: string,
  signatures: readonly Uint8Array[],
  assertion: Assertion | null = null,
): Promise<Session> {
  // A signature that was made stays good while its turn does, even if the commit has to be decided anew.
  let signed: ReturnType<typeof sign> | null = null;
  return change(
    deps,
    () => deps.store.requests.findBySession(sessionId),
    async found => {
      const { request, session, index } = await ownSession(deps, found, sessionId, device);
      if (session.state === 'signed' && session.deviceId === device.id) return { result: session };
      checkOpen(deps, request, session, 'advanced');
      const turn = checkTurn(deps, request, session, device, turnId);
      const certificate = await usableCertificate(deps, turn.certificateSerial, device);
      signed ??= sign(deps, request, index, turn, certificate, { device, signatures, assertion });
      const { revisions, proof } = await signed;
      // Revoked while the timestamp was fetched: what may be stamped after the revocation must not leave.
      await usableCertificate(deps, turn.certificateSerial, device);
      const { deviceId, certificateSerial } = turn;
      const by = { deviceId, certificateSerial, ...(proof === null ? {} : { assertion: proof }) };
      return signedDecision(deps, request, session, by, revisions);
    },
  );
}

function newTurn(deps: Deps, request: Request, session: Session, device: Device, ask: TurnAsk): Turn {
  const signingTime = deps.now();
  return {
    id: newTurnId(deps.randomBytes),
    sessionId: session.id,
    deviceId: device.id,
    certificateSerial: ask.certificateSerial,
    signingTime,
    utcOffset: sensibleOffset(ask.utcOffset),
    expiresAt: new Date(signingTime.getTime() + TURN_MS),
    heads: request.documents.map(signedSoFar),
  };
}

function checkTurn(deps: Deps, request: Request, session: Session, device: Device, turnId: string): Turn {
  const { turn } = request;
  const holds =
    turn !== null &&
    turn.id === turnId &&
    turn.sessionId === session.id &&
    turn.deviceId === device.id &&
    turn.expiresAt > deps.now() &&
    request.documents.every((document, position) => signedSoFar(document) === turn.heads[position]);
  if (!holds) throw new Conflict('turn-lost', 'The signature came too late; ask for a new turn.');
  return turn;
}

/** What changes with every signature. */
function signedSoFar({ signatures, head }: RequestDocument): BlobId {
  return signatures ?? head ?? '';
}

/** The same bytes at the grant and at completion: all inputs are fixed by the turn. */
async function prepareSignatures(
  deps: Deps,
  request: Request,
  index: number,
  turn: Turn,
  certificate: Uint8Array,
): Promise<PreparedSignature[]> {
  const session = request.sessions[index]!;
  const mark: CertifiedMark = {
    index,
    name: session.party.name,
    company: deps.config.company.name,
    level: 'advanced',
    signature: null,
    paraph: null,
    place: null,
    device: null,
    signingTime: turn.signingTime,
    utcOffset: turn.utcOffset,
    certificate,
  };
  const prepared: PreparedSignature[] = [];
  for (const { head, layout, kind } of request.documents) {
    if (kind !== undefined && head !== null) {
      prepared.push(prepareFile(await deps.store.blobs.get(head), certificate, turn.signingTime));
      continue;
    }
    if (head === null || layout === null) throw new Error('an open request has an unprepared document');
    prepared.push(await deps.documents.prepareSignature(await deps.store.blobs.get(head), layout, mark));
  }
  return prepared;
}

/** What isn't a PDF: nothing is appended, and all of it is covered. */
function prepareFile(content: Uint8Array, certificate: Uint8Array, signingTime: Date): PreparedSignature {
  const { toBeSigned } = prepareCades(content, { certificate, signingTime });
  return { bytes: content, byteRange: [0, content.length, content.length, 0], signedAttributes: toBeSigned };
}

function grantedDocument(
  document: RequestDocument,
  prepared: PreparedSignature,
  said: number | undefined,
): GrantedDocument {
  const known = document.revisions?.some(({ length }) => length === said) ? said! : 0;
  return {
    known,
    appended: prepared.bytes.subarray(known),
    byteRange: prepared.byteRange,
    signedAttributes: prepared.signedAttributes,
  };
}

async function sign(
  deps: Deps,
  request: Request,
  index: number,
  turn: Turn,
  certificate: Uint8Array,
  by: {
    readonly device: Device;
    readonly signatures: readonly Uint8Array[];
    readonly assertion: Assertion | null;
  },
): Promise<{ readonly revisions: readonly Revision[]; readonly proof: BlobId | null }> {
  const { signatures } = by;
  if (signatures.length !== request.documents.length) {
    throw new Conflict('bad-signature', 'There must be one signature per document.');
  }
  const prepared = await prepareSignatures(deps, request, index, turn, certificate);
  // All of them before the first is timestamped.
  for (const [position, { signedAttributes }] of prepared.entries()) {
    checkSignature(signedAttributes, signatures[position]!, certificate);
  }
  const claim = signatureClaim(
    turn.id,
    prepared.map(({ signedAttributes }) => signedAttributes),
  );
  const proof = await proveByPasskey(deps, by.device, 'advanced', by.assertion, claim);
  const revisions: Revision[] = [];
  for (const [position, one] of prepared.entries()) {
    const signer = {
      certificate,
      issuers: deps.pki.ca.issuersOf(certificate),
      algorithm: DEVICE_ALGORITHM,
      signature: signatures[position]!,
    };
    const { kind, signatures: before } = request.documents[position]!;
    const bytes =
      kind === undefined
        ? await deps.documents.completeSignature(one, signer)
        : await deps.files.add(before ? await deps.store.blobs.get(before) : null, one.bytes, {
            ...signer,
            signingTime: turn.signingTime,
          });
    revisions.push({ blob: await deps.store.blobs.put(bytes), length: bytes.length });
  }
  return { revisions, proof };
}

/** @throws Conflict */
function checkSignature(signedAttributes: Uint8Array, signature: Uint8Array, certificate: Uint8Array): void {
  try {
    verifySignature(signedAttributes, signature, DEVICE_ALGORITHM, certificate);
  } catch (error) {
    if (!(error instanceof BadSignature)) throw error;
    throw new Conflict('bad-signature', 'The signature does not fit the document and the certificate.');
  }
}
