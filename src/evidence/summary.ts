/** summary.pdf of exported evidence: who, what and when, for people. It proves nothing; the other files do. */
import { PDFDocument, PDFName } from '@cantoo/pdf-lib';
import { Canvas } from '../documents/canvas.ts';
import { FontBuilder } from '../documents/fonts.ts';
import { printable } from '../documents/text-fitting.ts';
import type { Collected } from './collected.ts';
import { parseEntry } from './entry.ts';

const PAGE = { width: 595, height: 842, margin: 56 };
const INNER = PAGE.width - 2 * PAGE.margin;
const INK = 0.1;
const SOFT = 0.42;

export async function drawSummary(collected: Collected): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const { context } = document;
  const fonts = { regular: new FontBuilder(context, 'regular', []), bold: new FontBuilder(context, 'bold', []) };
  const pages: Canvas[] = [];
  let y = 0;
  /** Room for so many points; a new page where there is none. */
  const room = (height: number): Canvas => {
    if (pages.length === 0 || y - height < PAGE.margin + 20) {
      pages.push(new Canvas(fonts));
      y = PAGE.height - PAGE.margin;
    }
    return pages.at(-1)!;
  };
  const heading = (text: string): void => {
    const canvas = room(60);
    y -= 30;
    canvas.text('B', 12, INK, { x: PAGE.margin, y, width: INNER }, printable(text));
    y -= 6;
    canvas.line(PAGE.margin, y, PAGE.width - PAGE.margin, 0.78);
    y -= 4;
  };
  const row = (label: string, text: string): void => {
    const canvas = room(30);
    y -= 14;
    canvas.text('R', 9, SOFT, { x: PAGE.margin, y, width: 128 }, printable(label));
    const place = { x: PAGE.margin + 136, y, width: INNER - 136 };
    y -= canvas.fitted('R', [9, 7.5], INK, place, printable(text)) - 11;
  };

  const { request, company, signatures, proof, madeAt } = collected;
  const canvas = room(60);
  y -= 24;
  canvas.text('B', 22, INK, { x: PAGE.margin, y, width: INNER }, 'Evidence of a signature request');
  y -= 8;
  row('Request', request.id);
  row('Company', company);
  row('Subject', request.subject);
  row('State', `${request.state}, level ${request.level}`);
  row('Sender', `${request.sender.name} <${request.sender.mail}>`);
  row('Admitted', time(request.createdAt));
  row('Ended', request.endedAt === null ? 'not yet' : time(request.endedAt));
  row('Exported', time(madeAt));

  heading('Documents');
  for (const { name, original, finished } of request.documents) {
    row('Name', name);
    row('SHA-256 as mailed', original);
    if (finished !== null) row('SHA-256 finished', finished);
  }
  heading('Signatories');
  for (const { party, state, endedAt, certificateSerial } of request.sessions) {
    row(party.name, `${party.mail}: ${state}${endedAt === null ? '' : ` ${time(endedAt)}`}`);
    if (certificateSerial !== null) row('Certificate', certificateSerial);
  }
  heading('Signatures and timestamps in the files');
  for (const { name, kind, time: at, timestamped } of signatures)
    row(name, `${LABELS[kind]}${timestamped ? `, timestamped ${time(at)}` : ''}`);
  heading('What the log says of this request');
  for (const { sequence, body } of proof.entries) {
    const entry = parseEntry(body);
    const { person, device } = entry.subjects;
    const who = [person, device && `device ${device.slice(0, 12)}`].filter(Boolean).join(', ');
    row(`${sequence}  ${entry.time.slice(0, 19).replace('T', ' ')}`, `${entry.kind}${who === '' ? '' : ` (${who})`}`);
  }
  row('Timestamped', `up to entry ${proof.chain.at(-1)!.sequence}; README.txt says how to check it`);

  pages.forEach((page, index) => {
    const number = `${index + 1} / ${pages.length}`;
    page.text('R', 7.5, SOFT, { x: PAGE.margin, y: 34, width: INNER - 60 }, `Request ${request.id}`);
    page.text('R', 7.5, SOFT, { x: PAGE.width - PAGE.margin, y: 34, width: 50, align: 'right' }, number);
  });
  const sources = pages.map(page => page.source());
  fonts.regular.embed();
  fonts.bold.embed();
  for (const source of sources) {
    const { node } = document.addPage([PAGE.width, PAGE.height]);
    node.set(PDFName.of('Contents'), context.register(context.flateStream(source)));
    node.set(PDFName.of('Resources'), context.obj({ Font: { R: fonts.regular.ref, B: fonts.bold.ref } }));
  }
  document.setTitle(`Evidence of request ${request.id}`);
  document.setCreationDate(madeAt);
  document.setModificationDate(madeAt);
  return document.save();
}

const LABELS = {
  signature: 'signature',
  foreign: 'signature or timestamp by others, there before',
  'document-timestamp': 'timestamp over the whole file',
};

function time(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
