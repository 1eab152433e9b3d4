/** A signatory's part of a request: look, take a turn, sign, reject. Only for an active device of that very person. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  decode,
  encode,
  parseApprovalAsk,
  parseQuestionAsk,
  parseRejectionAsk,
  parseSignatureAsk,
  parseTurnAsk,
  type View,
} from '../client/protocol.ts';
import type { Config } from '../config/schema.ts';
import type { SignatureField } from '../documents/layout.ts';
import { cleanText } from '../outbound/clean.ts';
import type { Device, Request, Session } from '../requests/model.ts';
import { usesPasskey } from '../requests/passkeys.ts';
import { alternativesFor, missing, proofsOf, signatoryLevel } from '../requests/proofs.ts';
import type { Requests } from '../requests/requests.ts';
import { relyingParty } from '../requests/webauthn.ts';
import { type Authentication, bodyOf } from './authentication.ts';
import { attachment } from './disposition.ts';
import { HttpProblem, notFound } from './problems.ts';

export interface SessionDeps {
  readonly authentication: Authentication;
  readonly requests: Requests;
  readonly company: string;
  /** How the service is called in transaction reports: the host of its public URL. */
  readonly host: string;
  readonly requestRules: Pick<Config['requests'], 'rejectionComment'>;
  readonly publicUrl: string;
  readonly enrolment: Config['enrolment'];
}

/** The largest drawing that a pad makes, and a paraph beside it. */
const APPROVAL_LIMIT = 512 * 1024;

interface Opened {
  readonly device: Device;
  readonly request: Request;
  readonly session: Session;
}

type Find = Requests['findByLink'];
const LINK_HASH = /^[0-9a-f]{64}$/;

type TokenRoute = { Params: { token: string } };
type DocumentRoute = { Params: { token: string; index: string } };

export function sessionRoutes(api: FastifyInstance, deps: SessionDeps): void {
  const { authentication, requests } = deps;

  /** @throws HttpProblem not-found, alike for an unknown link, another person's, and a device that is none */
  async function open(http: FastifyRequest<TokenRoute>, find: Find = requests.findByLink): Promise<Opened> {
    const device = await authentication.device(http);
    const found = await find(http.params.token);
    if (found?.session.party.personId !== device.personId) throw notFound();
    return { device, ...found };
  }

  async function viewOf(token: string, device: Device, find: Find = requests.findByLink): Promise<string> {
    const found = await find(token);
    if (!found) throw notFound();
    return encode(view(found.request, found.session, device, deps));
  }

  api.get<TokenRoute>('/sessions/:token', async (http, reply) => {
    const { device, request, session } = await open(http);
    return reply.send(encode(view(request, session, device, deps)));
  });

  api.get<DocumentRoute>('/sessions/:token/documents/:index', async (http, reply) => {
    const { request } = await open(http);
    const index = /^\d{1,4}$/.test(http.params.index) ? Number(http.params.index) : -1;
    const document = request.documents[index];
    if (!document) throw notFound();
    if (document.head === null)
      throw new HttpProblem('not-open', { detail: 'The document is being prepared. Try again in a few seconds.' });
    const bytes = await requests.readHead(request, index);
    return reply
      .type(document.kind === undefined ? 'application/pdf' : 'application/octet-stream')
      .header('content-disposition', attachment(document.name))
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });

  api.post<TokenRoute>('/sessions/:token/turn', async (http, reply) => {
    const { device, request, session } = await open(http);
    const ask = decode(bodyOf(http), parseTurnAsk);
    if (ask.known.length !== request.documents.length) throw new HttpProblem('bad-request');
    return reply.send(encode(await requests.grantTurn(session.id, device, ask)));
  });

  api.post<TokenRoute>('/sessions/:token/signature', async (http, reply) => {
    const { device, request, session } = await open(http);
    const ask = decode(bodyOf(http), parseSignatureAsk);
    if (ask.signatures.length !== request.documents.length) throw new HttpProblem('bad-request');
    await requests.completeTurn(session.id, device, ask.turn, ask.signatures, ask.assertion);
    return reply.send(await viewOf(http.params.token, device));
  });

  api.post<TokenRoute>('/sessions/:token/approval/nonce', async (http, reply) => {
    const { device, session } = await open(http);
    return reply.send(encode(await requests.askApproval(session.id, device, decode(bodyOf(http), parseQuestionAsk))));
  });

  api.post<TokenRoute>('/sessions/:token/approval', { bodyLimit: APPROVAL_LIMIT }, async (http, reply) => {
    // The call is kept as evidence and goes out with it, so devices name the link by its hash; earlier ones don't.
    const find: Find = name => (LINK_HASH.test(name) ? requests.findByLinkHash(name) : requests.findByLink(name));
    const { device, session } = await open(http, find);
    await requests.approve(session.id, device, decode(bodyOf(http), parseApprovalAsk), {
      userIp: http.ip,
      clientId: deps.host,
      clientIp: http.socket.localAddress ?? '',
      call: authentication.signedCall(http),
    });
    return reply.send(await viewOf(http.params.token, device, find));
  });

  api.post<TokenRoute>('/sessions/:token/rejection', async (http, reply) => {
    const { device, session } = await open(http);
    const comment = cleanText(decode(bodyOf(http), parseRejectionAsk).comment ?? '', 1000) || null;
    if (comment === null && deps.requestRules.rejectionComment === 'required')
      throw new HttpProblem('comment-required');
    await requests.reject(session.id, device, comment);
    return reply.send(await viewOf(http.params.token, device));
  });
}

/** What a signatory may know. No other party's link, token, session or address. */
function view(request: Request, session: Session, device: Device, deps: SessionDeps): View {
  const index = request.sessions.findIndex(({ id }) => id === session.id);
  return {
    request: request.id,
    company: deps.company,
    level: request.level,
    mode: request.mode,
    state: request.state,
    session: session.state,
    sender: { name: request.sender.name, mail: request.sender.mail },
    you: { name: session.party.name, mail: session.party.mail },
    subject: request.subject,
    text: request.text,
    signatories: request.sessions.map(({ id, party, state }) => ({ name: party.name, state, you: id === session.id })),
    documents: request.documents.map(({ name, kind, pages, head, headLength, layout }) => ({
      name,
      kind: kind === undefined ? 'pdf' : 'file',
      pages,
      length: headLength,
      sha256: head,
      field: fieldOf(layout?.signatories[index]),
    })),
    createdAt: request.createdAt,
    expiresAt: request.expiresAt,
    endedAt: request.endedAt,
    comment: request.sessions.find(({ state }) => state === 'rejected')?.comment ?? null,
    rejectionComment: deps.requestRules.rejectionComment,
    proofs: missing(proofsOf(device, deps.enrolment), alternativesFor(deps.enrolment, request.level)),
    passkey: {
      use: deps.enrolment.passkeys[signatoryLevel(request.level)],
      id: usesPasskey(deps.enrolment, device, request.level)
        ? Buffer.from(device.passkey?.id ?? '', 'base64url')
        : null,
      rpId: relyingParty(deps.publicUrl).id,
    },
  };
}

function fieldOf(field: SignatureField | undefined): View['documents'][number]['field'] {
  return field ? { name: field.name, object: field.object } : null;
}
