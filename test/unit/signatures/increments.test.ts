import { describe, expect, test } from 'vitest';
import { drawPanel } from '../../../src/documents/appearance.ts';
import { showTime } from '../../../src/documents/appearance-texts.ts';
import { openFile } from '../../../src/documents/file/file.ts';
import { octets, type PdfValue, readText, textString } from '../../../src/documents/file/values.ts';
import { pdfDate, readPdfDate } from '../../../src/documents/increment-signature.ts';
import { writeIncrement } from '../../../src/documents/increment-writer.ts';
import type { LayoutFont } from '../../../src/documents/layout.ts';
import { qpdfCheck, qpdfObjects } from '../../e2e/02-pades/signed-file.ts';
import { planFor, smallWorker } from '../../support/pades.ts';
import { has } from '../../support/tools.ts';

describe('an increment', () => {
  test.skipIf(!has('qpdf'))('is what qpdf reads', async () => {
    const { bytes } = await smallWorker.firstRevision(new Uint8Array(), planFor(['A B']));
    const file = openFile(bytes);
    const number = file.trailer.size;
    const value = new Map<string, PdfValue>([
      ['Text', textString('Zoë (1)')],
      ['Real', -0.0000005],
      ['Na me#', { ref: 1 }],
    ]);
    const { appended } = writeIncrement(
      file,
      [
        { number: number + 2, value: new Map([['Odd', true]]), stream: octets('a stream') },
        { number, value },
      ],
      '0123456789abcdef',
    );
    const whole = Buffer.concat([bytes, appended]);
    const { output } = qpdfCheck(whole);
    expect(output).toContain('No syntax or stream encoding errors found');
    const objects = qpdfObjects(whole);
    expect(objects[`obj:${number} 0 R`]).toEqual({
      value: { '/Text': 'u:Zoë (1)', '/Real': expect.closeTo(-0.0000005), '/Na me#': '1 0 R' },
    });
    expect(Buffer.from(objects[`obj:${number + 2} 0 R`]!.stream!.data, 'base64').toString()).toBe('a stream');
    expect(openFile(whole).dict(number)).toEqual(value);
  });
});

describe('texts and dates', () => {
  test('of any language survive', () => {
    for (const text of ['John Doe', 'Zoë', '山田', '𝕏', 'þÿ']) expect(readText(textString(text).string)).toBe(text);
  });

  test('carry their offset, and nothing else is a date', () => {
    const time = new Date(Date.UTC(2026, 1, 28, 23, 59, 58));
    for (const offset of [0, 60, -210, 840]) {
      expect(readPdfDate(pdfDate(time, offset))).toEqual({ time, utcOffset: offset });
    }
    expect(pdfDate(time, -210)).toBe("D:20260228202958-03'30'");
    expect(showTime(time, 60)).toBe('2026-03-01 00:59:58 UTC+01:00');
    expect(showTime(time, -210)).toBe('2026-02-28 20:29:58 UTC−03:30');
    expect(showTime(time, 0)).toBe('2026-02-28 23:59:58 UTC');
    for (const text of [
      "D:20260230000000+00'00'",
      'D:20260228',
      "D:20260228202958+00'00'x",
      "D:20260228202958-00'00'",
    ]) {
      expect(readPdfDate(text)).toBeNull();
    }
  });
});

describe('a panel', () => {
  const glyphs: LayoutFont['glyphs'] = Object.fromEntries(
    [...'abcdefghijklmnopqrstuvwxyz e?…'].map((character, i) => [character, [`00${10 + i}`, 500] as const]),
  );
  const font: LayoutFont = { object: 1, glyphs };

  test('draws what the font in the file lacks, or would show wrongly, as outlines', () => {
    const draw = (title: string) =>
      Buffer.from(
        drawPanel({ caption: 'by', title, rows: [] }, { width: 200, height: 80 }, { regular: font, bold: font }),
      ).toString();
    expect(draw('name')).toContain(' Tj');
    for (const name of ['山', 'é', 'محمد', 'שרה']) {
      const content = draw(name);
      expect(content.match(/ Tj/g), name).toHaveLength(1);
      expect(content, name).toMatch(/^[-\d. ]+ [lc]$/m);
    }
  });

  test('cuts what is too long, and draws within its width', () => {
    const panel = { caption: 'by', title: 'name '.repeat(60), rows: [['label', 'value '.repeat(60)]] as const };
    const content = Buffer.from(drawPanel(panel, { width: 200, height: 80 }, { regular: font, bold: font })).toString();
    const texts = [...content.matchAll(/\/F\d ([\d.]+) Tf\n([\d.]+) [\d.]+ Td\n<(\w+)> Tj/g)];
    // The title on two lines.
    expect(texts).toHaveLength(5);
    for (const [, size, x, hex] of texts) {
      expect(Number(x) + (hex!.length / 4) * 0.5 * Number(size)).toBeLessThanOrEqual(200);
    }
  });
});
