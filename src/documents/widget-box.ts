/** Where a form field stands on its page. Runs in browsers. */
import { PdfSyntaxError } from './file/parser.ts';
import { isArray, type PdfDict } from './file/values.ts';

/** Lower left corner, width and height of a widget, in points. @throws PdfSyntaxError */
export function boxOf(field: PdfDict): { x: number; y: number; width: number; height: number } {
  const rectangle = field.get('Rect');
  const [x1, y1, x2, y2] = isArray(rectangle) ? rectangle : [];
  if (typeof x1 !== 'number' || typeof y1 !== 'number' || typeof x2 !== 'number' || typeof y2 !== 'number') {
    throw new PdfSyntaxError('a widget without rectangle');
  }
  return { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
}
