/**
 * B2: what Standard, Advanced and mixed requests leave in the file, in the eyes of poppler and qpdf, revision by revision.
 * A sample as a rule; with SIGNPOST_LONG=1 every number of signatories, level and order.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignatoryLevel } from '../../../src/documents/layout.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { documentWorker } from '../../support/documents.ts';
import { makePki, type RevocationServer, serveRevocation } from '../../support/pades.ts';
import { simplePdf } from '../../support/pdfs.ts';
import { has } from '../../support/tools.ts';
import { certification, compare, fieldMdp, key, kindOf } from '../02-pades/compare.ts';
import { findSignatures, pdfsig, pem, qpdfCheck, qpdfObjects } from '../02-pades/signed-file.ts';
import { type Made, make } from './made.ts';

const LONG = process.env.SIGNPOST_LONG === '1';
const KINDS = ['standard', 'advanced', 'mixed'] as const;
const MODES = ['in parallel', 'in order'] as const;
type Case = { count: number; kind: (typeof KINDS)[number]; mode: (typeof MODES)[number] };

const SAMPLE: readonly Case[] = [
  { count: 1, kind: 'standard', mode: 'in order' },
  { count: 2, kind: 'mixed', mode: 'in parallel' },
  { count: 5, kind: 'standard', mode: 'in parallel' },
  { count: 20, kind: 'mixed', mode: 'in parallel' },
];
const ALL = [1, 2, 5, 20].flatMap(count => KINDS.flatMap(kind => MODES.map(mode => ({ count, kind, mode }))));

let server: RevocationServer;
let pki: LoadedPki;
const worker = documentWorker();

beforeAll(async () => {
  server = await serveRevocation();
  pki = await makePki('ecdsa-p256-sha256', server.url);
  server.pki = pki;
});
afterAll(async () => {
  server.close();
  await worker.close();
});

/** The same shuffle every time: a step that has no common divisor with the number. */
const shuffled = (count: number) => Array.from({ length: count }, (_, turn) => (turn * 7 + 3) % count);

describe.skipIf(!has('qpdf', 'poppler-utils', 'libnss3-tools')).each(LONG ? ALL : SAMPLE)(
  'B2 $count signatories, $kind, $mode',
  ({ count, kind, mode }) => {
    const levels = Array.from({ length: count }, (_, index): SignatoryLevel => {
      if (kind === 'mixed') return index % 2 === 0 ? 'standard' : 'advanced';
      return kind;
    });
    const plain = kind === 'advanced';
    // Many pages at times: then a revision has a long cross-reference table.
    const pages = count === 2 ? 40 : 3;
    let made: Made;

    beforeAll(async () => {
      made = await make(worker, pki, simplePdf({ pages }), {
        levels,
        order: mode === 'in order' ? [...levels.keys()] : shuffled(count),
        ...(plain ? { marks: { signaturePage: true, paraphs: false, watermark: false } } : {}),
      });
    });

    test('pdfsig finds every signature valid', async () => {
      const text = await pdfsig(made.finished, pki.anchors.map(pem).join(''));
      const times = (phrase: string) => text.split(phrase).length - 1;
      expect(times('Signature Validation: Signature is Valid.'), text).toBe(count + 2);
      // The document timestamp is not judged; of all others it says nothing else.
      expect(times('Signature Validation:'), text).toBe(count + 3);
      expect(times('Signature has not yet been verified.'), text).toBe(1);
      expect(times('Total document signed'), text).toBe(1);
    });

    test('qpdf finds nothing wrong', () => {
      const { status, output } = qpdfCheck(made.finished);
      expect(output).toContain('No syntax or stream encoding errors found');
      expect(output).not.toMatch(/warn|error:/i);
      expect(status).toBe(0);
    });

    test('each revision fills in its own fields, signs, adds DSS or timestamp, and no more', () => {
      const { finished, layout, order } = made;
      const signatures = findSignatures(finished);
      expect(signatures).toHaveLength(count + 3);
      const cuts = signatures.map(({ end }) => qpdfObjects(finished.subarray(0, end)));
      expect(certification(cuts[0]!, layout)).toBe(2);
      const locked = new Set<string>();
      for (const [turn, index] of [...order, count].entries()) {
        const field = layout.signatories[index];
        const mine = field ?? layout.closing;
        const paraphs = field?.paraphs ?? [];
        expect(paraphs).toHaveLength(field && !plain ? pages : 0);
        const { changed, added } = compare(cuts[turn]!, cuts[turn + 1]!);
        expect(changed).toEqual({
          [key(mine.object)]: ['/AP', '/V'],
          ...Object.fromEntries(paraphs.map(({ object }) => [key(object), ['/AP']])),
        });
        const kinds = added.map(name => kindOf(cuts[turn + 1]![name]!)).sort();
        // One drawing for all paraphs of a size.
        expect(kinds).toEqual(['/Sig', '/XObject', ...(paraphs.length > 0 ? ['/XObject'] : [])]);
        const names = [...Object.keys(changed)].map(name =>
          String((cuts[0]![name]!.value as Record<string, string>)['/T']),
        );
        const own = names.map(name => name.replace(/^u:/, ''));
        for (const name of own) expect(locked).not.toContain(name);
        const mdp = fieldMdp(cuts[turn + 1]!, mine.object);
        if (field === undefined) expect(mdp).toEqual({ action: '/All', fields: [] });
        else {
          expect(mdp.action).toBe('/Include');
          expect([...mdp.fields].sort()).toEqual(own.sort());
        }
        for (const name of mdp.fields) locked.add(name);
      }
      const { changed, added } = compare(cuts.at(-2)!, cuts.at(-1)!);
      expect(changed).toEqual({ [key(layout.catalogObject)]: ['/DSS'], [key(layout.acroFormObject)]: ['/Fields'] });
      const kinds = new Set(added.map(name => kindOf(cuts.at(-1)![name]!)));
      expect([...kinds].sort()).toEqual(['/Annot', '/DSS', '/DocTimeStamp', 'stream']);
    });
  },
);
