/** Finished documents, for an active device of any party of the request. Nothing here changes state. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { encode, type FinishedView } from '../client/protocol.ts';
import { signedFileNames } from '../outbound/filenames.ts';
import { finishedFiles } from '../requests/finished-files.ts';
import type { Request } from '../requests/model.ts';
import type { Requests } from '../requests/requests.ts';
import type { Authentication } from './authentication.ts';
import { attachment } from './disposition.ts';
import { notFound } from './problems.ts';

export interface FinishedDeps {
  readonly authentication: Authentication;
  readonly requests: Requests;
  readonly company: string;
}

type RequestRoute = { Params: { id: string } };
type DocumentRoute = { Params: { id: string; index: string } };

export function finishedRoutes(api: FastifyInstance, { authentication, requests, company }: FinishedDeps): void {
  /** @throws HttpProblem not-found, alike for an unknown request, one of others, and one that isn't finished */
  async function open(http: FastifyRequest<RequestRoute>): Promise<{ request: Request; personId: string }> {
    const { personId } = await authentication.device(http);
    const request = await requests.findFinished(http.params.id, personId);
    if (!request) throw notFound();
    return { request, personId };
  }

  api.get<RequestRoute>('/requests/:id', async (http, reply) => {
    const { request, personId } = await open(http);
    return reply.send(encode(view(request, personId, company)));
  });

  api.get<DocumentRoute>('/requests/:id/documents/:index', async (http, reply) => {
    const { request } = await open(http);
    const index = /^\d{1,4}$/.test(http.params.index) ? Number(http.params.index) : -1;
    const name = fileNames(request)[index];
    if (name === undefined) throw notFound();
    const bytes = await requests.readFinished(request, index);
    return reply
      .type(finishedFiles(request)[index]?.form === undefined ? 'application/pdf' : 'application/octet-stream')
      .header('content-disposition', attachment(name))
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
}

/** As in the mail that carries the files, so that all parties talk about one file. */
function fileNames(request: Request): readonly string[] {
  return signedFileNames(finishedFiles(request));
}

/** What every party may know. No link, session or device. What is null before the end (requests/close.ts) no longer is. */
function view(request: Request, personId: string, company: string): FinishedView {
  const names = fileNames(request);
  return {
    request: request.id,
    company,
    level: request.level,
    sender: { name: request.sender.name, mail: request.sender.mail },
    subject: request.subject,
    signatories: request.sessions.map(({ party, endedAt }) => ({
      name: party.name,
      signedAt: endedAt,
      you: party.personId === personId,
    })),
    documents: finishedFiles(request).map(({ form, pages, length, blob }, index) => ({
      name: names[index]!,
      kind: form === undefined ? 'pdf' : 'file',
      pages,
      length,
      sha256: blob,
    })),
    finishedAt: request.endedAt!,
  };
}
