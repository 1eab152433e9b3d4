/** What letters are made of: names, facts and paragraphs about a request. */
import type { Party, Request, Session } from '../requests/model.ts';
import { cleanLine, cleanText, isolate } from './clean.ts';
import type { Block, Fact } from './letter.ts';
import type { Recipient } from './mail.ts';
import type { Catalogue } from './texts/index.ts';

/** What of somebody's own text is quoted. */
const QUOTE_LIMIT = 600;

/** True where the recipient is who asked. */
export function isSender(to: Recipient | Party, request: Request): boolean {
  return to.mail === request.sender.mail;
}

/** A name from the directory, a document or a device, for a sentence. */
export function name(text: string): string {
  return isolate(cleanLine(text, 120));
}

export function address(party: Party): string {
  return `${name(party.name)} (${cleanLine(party.mail, 254)})`;
}

export function paragraph(text: string, quiet = false): Block {
  return { kind: 'paragraph', text, quiet };
}

/** Facts without a value are left out. */
export function facts(...all: readonly Fact[]): Block {
  return { kind: 'facts', facts: all.filter(fact => fact.values.length > 0) };
}

export function quote(by: string, text: string): Block[] {
  const words = cleanText(text, QUOTE_LIMIT);
  return words === '' ? [] : [{ kind: 'quote', by, text: words }];
}

export function documentFact(texts: Catalogue, request: Request): Fact {
  return {
    label: texts.labels.document(request.documents.length),
    values: request.documents.map(document => texts.document(name(document.name), document.pages)),
  };
}

export function levelFact(texts: Catalogue, request: Request): Fact {
  const level = texts.levels[request.level];
  return { label: texts.labels.level, values: [request.levelIsDefault ? texts.levelByDefault(level) : level] };
}

export function requestFact(texts: Catalogue, request: Request): Fact {
  return { label: texts.labels.request, values: [request.id] };
}

export function unsigned(request: Request): readonly Session[] {
  return request.sessions.filter(session => session.state !== 'signed');
}

/** Who had signed and who had not, when a request ended early. */
export function outcome(texts: Catalogue, request: Request): Block {
  return facts(
    documentFact(texts, request),
    { label: texts.labels.from, values: [address(request.sender)] },
    { label: texts.labels.notSigned, values: unsigned(request).map(session => address(session.party)) },
    {
      label: texts.labels.signedBy,
      values: request.sessions.filter(session => session.state === 'signed').map(session => address(session.party)),
    },
    requestFact(texts, request),
  );
}
