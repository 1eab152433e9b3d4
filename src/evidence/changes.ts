/**
 * What a change of the state means for the evidence log: the difference between what was stored and what is written.
 * The store derives it in the transaction of the change, so no part can change anything unrecorded.
 */
import type { CertificateRecord } from '../pki/pki.ts';
import type { Device, Request, Session } from '../requests/model.ts';
import { type Fact, type Happening, sha256 } from './entry.ts';

/** @param before null for a new request */
export function requestHappenings(before: Request | null, after: Request): Happening[] {
  if (before === null) return [admitted(after)];
  const happenings = [
    ...turnHappenings(before, after),
    ...after.sessions.flatMap((session, index) => sessionHappenings(before.sessions[index], session, after)),
  ];
  if (after.state !== before.state) {
    happenings.push({
      kind: `request.${after.state}`,
      subjects: { request: after.id },
      facts: { from: before.state, documents: documentsOf(after) },
    });
  } else if (after.documents.some(({ finished }, index) => finished !== before.documents[index]?.finished)) {
    happenings.push({
      kind: 'request.extended',
      subjects: { request: after.id },
      facts: { documents: documentsOf(after) },
    });
  }
  if (after.expiresAt.getTime() !== before.expiresAt.getTime())
    happenings.push({
      kind: 'request.prolonged',
      subjects: { request: after.id },
      facts: { from: before.expiresAt.toISOString(), to: after.expiresAt.toISOString() },
    });
  if (happenings.length > 0) return happenings;
  return [{ kind: 'request.changed', subjects: { request: after.id }, facts: { version: after.version } }];
}

function admitted(request: Request): Happening {
  return {
    kind: 'request.admitted',
    subjects: { request: request.id },
    facts: {
      key: request.key,
      messageId: request.messageId,
      queueId: request.queueId,
      level: request.level,
      mode: request.mode,
      sender: request.sender.personId,
      signatories: request.sessions.map(({ id, party }) => ({ session: id, person: party.personId })),
      copies: request.copies.map(({ personId }) => personId),
      expiresAt: request.expiresAt.toISOString(),
      documents: documentsOf(request),
    },
  };
}

function turnHappenings(before: Request, after: Request): Happening[] {
  const [old, turn] = [before.turn, after.turn];
  if (turn === null || turn.id === old?.id) return [];
  return [
    {
      kind: 'turn.granted',
      subjects: {
        request: after.id,
        session: turn.sessionId,
        device: turn.deviceId,
        certificate: turn.certificateSerial,
      },
      facts: {
        signingTime: turn.signingTime.toISOString(),
        expiresAt: turn.expiresAt.toISOString(),
        heads: turn.heads,
      },
    },
  ];
}

function sessionHappenings(before: Session | undefined, after: Session, request: Request): Happening[] {
  const subjects = {
    request: request.id,
    session: after.id,
    person: after.party.personId,
    ...(after.deviceId !== null && { device: after.deviceId }),
    ...(after.certificateSerial !== null && { certificate: after.certificateSerial }),
  };
  const happenings: Happening[] = [];
  const { challenge, wrongAnswers = 0 } = after;
  if (challenge && challenge.nonce !== before?.challenge?.nonce)
    happenings.push({
      kind: 'session.asked',
      subjects: { ...subjects, device: challenge.deviceId },
      facts: { data: sha256(challenge.data), documents: challenge.documents },
    });
  if (wrongAnswers > (before?.wrongAnswers ?? 0))
    happenings.push({ kind: 'session.wrong-answer', subjects, facts: { count: wrongAnswers } });
  if (after.state !== before?.state)
    happenings.push({ kind: `session.${after.state}`, subjects, facts: endOf(after, request) });
  return happenings;
}

function endOf({ state, comment, evidence, assertion }: Session, request: Request): Happening['facts'] {
  if (state === 'rejected') return { comment: comment === null ? null : sha256(comment) };
  if (state !== 'signed') return {};
  return {
    documents: documentsOf(request),
    ...(evidence && { report: evidence.report, seal: evidence.seal, call: evidence.call }),
    ...(assertion !== undefined && { assertion }),
  };
}

/** SHA-256 of each document's files as far as there are any. */
function documentsOf({ documents }: Request): Fact {
  return documents.map(({ original, head, signatures, finished }) => ({
    original,
    ...(head !== null && { head }),
    ...(signatures !== undefined && { signatures }),
    ...(finished !== null && { finished }),
  }));
}

export function deviceHappening({ id, personId, kind, state, key, proofs, confirmedBy }: Device): Happening {
  return {
    kind: `device.${state === 'active' ? 'enrolled' : state}`,
    subjects: { device: id, person: personId },
    facts:
      state === 'active'
        ? {
            kind,
            key: { x: key.x, y: key.y },
            ...(proofs && { proofs }),
            ...(confirmedBy !== undefined && { confirmedBy }),
          }
        : {},
  };
}

/** A device that stays active: new proofs, a passkey. Its name and its passkey's counter prove nothing. */
export function amendHappenings(before: Device, after: Device): Happening[] {
  const subjects = { device: after.id, person: after.personId };
  const happenings: Happening[] = [];
  if (after.provedAt !== undefined && after.provedAt.getTime() !== before.provedAt?.getTime())
    happenings.push({ kind: 'device.proved', subjects, facts: { proofs: after.proofs ?? [] } });
  if (after.passkey !== undefined && after.passkey.id !== before.passkey?.id) {
    const { id, publicKey } = after.passkey;
    happenings.push({ kind: 'device.passkey', subjects, facts: { credential: id, publicKey } });
  }
  return happenings;
}

export function issuedHappening(record: CertificateRecord): Happening {
  return {
    kind: 'certificate.issued',
    subjects: certificateSubjects(record),
    facts: {
      sha256: sha256(record.certificate),
      notBefore: record.notBefore.toISOString(),
      notAfter: record.notAfter.toISOString(),
    },
  };
}

/** Revoked, put on hold or enabled again. */
export function statusHappening(record: CertificateRecord): Happening {
  const { revokedAt, reason } = record;
  const kind = revokedAt === null ? 'enabled' : reason === 'certificateHold' ? 'held' : 'revoked';
  return {
    kind: `certificate.${kind}`,
    subjects: certificateSubjects(record),
    facts: revokedAt === null ? {} : { at: revokedAt.toISOString(), reason },
  };
}

function certificateSubjects({ serial, personId, deviceId }: CertificateRecord): Happening['subjects'] {
  return {
    certificate: serial,
    ...(personId !== null && { person: personId }),
    ...(deviceId !== null && { device: deviceId }),
  };
}
