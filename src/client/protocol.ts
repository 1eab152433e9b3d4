/**
 * What devices and gateway say to each other: JSON over HTTPS, every request signed by the device and every answer by
 * the gateway (http-signature.ts). The types here are both sides' only definition. On the wire a Date is an ISO 8601
 * string and bytes are base64url; `encode` writes them and the parsers, which believe nothing, read them.
 *
 * | call                                | asks             | answers       |
 * | ----------------------------------- | ---------------- | ------------- |
 * | GET /api/nonce?method=M&path=P      |                  | NonceAnswer   |
 * | GET /api/enrolment/options          | (unsigned)       | EnrolmentOptions |
 * | POST /api/enrolment/code            | CodeAsk          | {} (always)   |
 * | POST /api/enrolment                 | EnrolmentAsk     | EnrolmentAnswer |
 * | GET /api/enrolment                  |                  | EnrolmentAnswer |
 * | POST /api/enrolment/more            | MoreAsk          | EnrolmentAnswer |
 * | GET /api/device                     |                  | DeviceInfo    |
 * | DELETE /api/device                  |                  | {}            |
 * | POST /api/device/name               | NameAsk          | {}            |
 * | POST /api/device/code               | OwnCodeAsk       | {} (always)   |
 * | POST /api/device/proofs             | ProofAsk         | {}            |
 * | GET /api/device/all                 |                  | OwnDevice[]   |
 * | DELETE /api/device/all/:id          |                  | {}            |
 * | GET /api/device/newcomers           |                  | Newcomer[]    |
 * | POST /api/device/newcomers/:id      | NewcomerAsk      | {}            |
 * | GET /api/device/passkey             |                  | PasskeyOptions |
 * | POST /api/device/passkey            | PasskeyAsk       | {}            |
 * | POST /api/device/token              | TokenAsk         | {}            |
 * | GET /api/device/sessions            |                  | Waiting[]     |
 * | POST /api/certificates              | CertificateAsk   | Certificate   |
 * | GET /api/sessions/:token            |                  | View          |
 * | GET /api/sessions/:token/documents/:n |                | the document  |
 * | POST /api/sessions/:token/turn      | TurnAsk          | Grant         |
 * | POST /api/sessions/:token/signature | SignatureAsk     | View          |
 * | POST /api/sessions/:token/approval/nonce | QuestionAsk | Question      |
 * | POST /api/sessions/:token/approval  | ApprovalAsk      | View          |
 * | POST /api/sessions/:token/rejection | RejectionAsk     | View          |
 * | GET /api/requests/:id               |                  | FinishedView  |
 * | GET /api/requests/:id/documents/:n  |                  | the file      |
 *
 * An approval names the link by its SHA-256 in hex, for the call is kept as evidence; devices of earlier versions name the
 * link itself there, too.
 *
 * Anything that goes wrong is a Problem (RFC 9457).
 */

export type { Mark } from '../documents/strokes.ts';
export type { Level, Mode, Proof, RequestState, SessionState } from '../requests/model.ts';
export type { ApprovalAsk, Grant, GrantedDocument, Question } from '../requests/requests.ts';
export type { Assertion } from '../requests/webauthn.ts';
export * from './protocol/devices.ts';
export * from './protocol/enrolment.ts';
export * from './protocol/problem.ts';
export * from './protocol/sessions.ts';
export { decode, encode, Malformed } from './protocol/wire.ts';
