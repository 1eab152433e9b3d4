/**
 * What a signature looks like where a panel has no room: two lines beside a bar, for the stamps on documents that arrived
 * signed. Only operators that the device's check knows (src/client/increments.ts).
 */
import { type Panel, shape, shorten } from './appearance.ts';
import { octets } from './file/values.ts';
import type { DocumentLayout } from './layout.ts';

/** Fields lower than this show a stamp, in points. */
export const STAMP_BELOW = 48;

const INK = 0.1;
const QUIET = 0.42;
const BAR = 0.3;

const numbers = (...values: number[]) => values.map(value => String(Math.round(value * 100) / 100)).join(' ');

/**
 * @param size of the field, in points
 * @returns a content stream; F1 is the regular font, F2 the bold one
 */
export function drawStamp(
  panel: Panel,
  { width, height }: { readonly width: number; readonly height: number },
  { regular, bold }: Pick<DocumentLayout, 'regular' | 'bold'>,
): Uint8Array<ArrayBuffer> {
  const unit = height / 28;
  const left = 7 * unit;
  const inner = width - left - 3 * unit;
  const lines = ['q', `${numbers(BAR)} g`, `${numbers(2 * unit, 3 * unit, 1.5 * unit, height - 6 * unit)} re`, 'f'];
  const write = (resource: 'F1' | 'F2', points: number, grey: number, y: number, text: string) => {
    const font = resource === 'F1' ? regular : bold;
    const { hex } = shape(font, shorten(font, text, points, inner));
    if (hex === '') return;
    lines.push(
      'BT',
      `${numbers(grey)} g`,
      `/${resource} ${numbers(points)} Tf`,
      `${numbers(left, y)} Td`,
      `<${hex}> Tj`,
      'ET',
    );
  };
  write('F1', 5 * unit, QUIET, 20.5 * unit, panel.caption);
  write('F2', 8 * unit, INK, 11.5 * unit, panel.title);
  write('F1', 5 * unit, INK, 4 * unit, panel.rows.map(([, value]) => value).join(' · '));
  lines.push('Q');
  return octets(lines.join('\n'));
}
