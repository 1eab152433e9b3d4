/** A request's file, made as the gateway makes it, with every revision's end kept. */
import { checkGrant } from '../../../src/client/grant.ts';
import { readAppended } from '../../../src/client/increments.ts';
import type { SignatoryMark } from '../../../src/documents/documents.ts';
import type { DocumentLayout, LayoutPlan, SignatoryLevel } from '../../../src/documents/layout.ts';
import type { DocumentsParts } from '../../../src/documents/pipeline.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { scribble } from '../../support/marks.ts';
import { COMPANY, completeFor, makeSignatory } from '../../support/pades.ts';

export interface Made {
  readonly layout: DocumentLayout;
  readonly finished: Uint8Array;
  /** Indexes of the signatories as they signed. */
  readonly order: readonly number[];
}

export interface Wanted {
  readonly levels: readonly SignatoryLevel[];
  readonly order: readonly number[];
  readonly names?: readonly string[];
  readonly company?: typeof COMPANY | { readonly name: string; readonly vat: string | null };
  readonly marks?: LayoutPlan['marks'];
  readonly language?: LayoutPlan['language'];
}

const ALL: LayoutPlan['marks'] = { signaturePage: true, paraphs: true, watermark: true };

/** Everybody has read the first revision; each device checks what was appended since. */
export async function make(
  worker: DocumentsParts['worker'],
  pki: LoadedPki,
  pdf: Uint8Array,
  { levels, order, marks = ALL, company = COMPANY, language = 'en', ...wanted }: Wanted,
): Promise<Made> {
  const names = wanted.names ?? levels.map((_, index) => `Person Number${index + 1}`);
  const documents = createDocuments({ worker, pki, company });
  const first = await documents.prepare(pdf, {
    company,
    requestId: '0123456789AB',
    signatories: levels.map((level, index) => ({ name: names[index]!, title: index % 2 ? null : 'Director', level })),
    marks,
    language,
    date: new Date(Date.UTC(2026, 10, 24, 14)),
  });
  const { layout } = first;
  let head = first.bytes;
  for (const [turn, index] of order.entries()) {
    const mark = markFor(index, names[index]!, levels[index]!, turn);
    if (levels[index] === 'standard') {
      head = await documents.approve(head, layout, mark);
      const revisions = readAppended(head, first.bytes.length);
      if (revisions.length !== turn + 1 || revisions.some(({ signed }) => !signed)) throw new Error('not all signed');
      continue;
    }
    const signatory = await makeSignatory(pki, names[index]!);
    const revision = await documents.prepareSignature(head, layout, { ...mark, certificate: signatory.certificate });
    const granted = await checkGrant({
      known: first.bytes,
      appended: revision.bytes.subarray(first.bytes.length),
      byteRange: revision.byteRange,
      signedAttributes: revision.signedAttributes,
      certificate: signatory.certificate,
      layoutOfMine: layout.signatories[index]!,
      signingTime: mark.signingTime,
      signer: mark.name,
    });
    if (granted.changed.length !== turn) throw new Error('others were not seen to sign');
    head = await completeFor(documents, pki, revision, signatory);
  }
  return { layout, finished: await documents.close(head, layout, new Date(Date.UTC(2026, 10, 24, 15))), order };
}

/** Drawn by some, typed by others, as people do. */
export function markFor(index: number, name: string, level: SignatoryLevel, turn: number): SignatoryMark {
  const typed = index % 3 === 2;
  return {
    index,
    name,
    company: COMPANY.name,
    level,
    signature: typed ? { kind: 'typed', text: name } : scribble(index),
    paraph: typed ? { kind: 'typed', text: [...name].slice(0, 2).join('') } : scribble(index, 300, 150),
    place: index % 2 ? 'Luxembourg' : null,
    device: 'Firefox on Android',
    signingTime: new Date(Date.UTC(2026, 10, 24, 14, 3 + turn, 9)),
    utcOffset: 60,
  };
}
