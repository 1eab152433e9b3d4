/**
 * Paraphs in a signatory's revision: the push buttons that the signature's lock names get a new appearance, and nothing
 * else of them changes (ISO 32000-2 §12.5.5, §12.7.5.2.1). Buttons of the same size and turn share one. Runs in browsers.
 */
import type { PdfFile } from './file/file.ts';
import { PdfSyntaxError } from './file/parser.ts';
import { dict, isArray, isDict, name, nameOf, type PdfDict, ref, stringOf } from './file/values.ts';
import type { NewObject } from './increment-writer.ts';
import { boxOf } from './widget-box.ts';

export interface ParaphFilling {
  /** Object numbers of the buttons, ascending: all that the lock names. */
  readonly buttons: readonly number[];
  /** A content stream for each shape of paraphShapes, in their order. Uses no resources. */
  readonly contents: readonly Uint8Array[];
}

/** Buttons that look alike, upright. */
export interface ParaphShape {
  readonly width: number;
  readonly height: number;
  /** By which the appearance is turned counterclockwise on the page: 0, 90, 180 or 270. */
  readonly rotation: number;
  readonly buttons: readonly { readonly number: number; readonly dict: PdfDict }[];
}

/** Linear part of the appearance's matrix, by rotation. */
const TURNS: Readonly<Record<number, readonly [number, number, number, number]>> = {
  90: [0, 1, -1, 0],
  180: [-1, 0, 0, -1],
  270: [0, -1, 1, 0],
};
const PUSH_BUTTON = 1 << 16;

/**
 * The buttons by their shape, in the order of the first of each.
 * @throws PdfSyntaxError unless each is a push button that is its own widget, and `lock` names them all, once
 */
export function paraphShapes(file: PdfFile, lock: readonly string[], buttons: readonly number[]): ParaphShape[] {
  const left = new Set(lock);
  const shapes = new Map<string, ParaphShape & { readonly buttons: ParaphShape['buttons'][number][] }>();
  let previous = 0;
  for (const number of buttons) {
    if (number <= previous) throw new PdfSyntaxError('paraphs are out of order');
    previous = number;
    const button = file.dict(number);
    const title = stringOf(button.get('T'));
    if (title === null || !left.delete(title)) throw new PdfSyntaxError(`the field ${number} is not this person's`);
    const flags = button.get('Ff');
    const isButton = nameOf(button.get('FT')) === 'Btn' && typeof flags === 'number' && (flags & PUSH_BUTTON) !== 0;
    if (!isButton || nameOf(button.get('Subtype')) !== 'Widget' || button.has('Kids') || button.has('V')) {
      throw new PdfSyntaxError(`object ${number} is no place for a paraph`);
    }
    const rotation = rotationOf(button);
    const box = boxOf(button);
    const [across, up] = [round(box.width), round(box.height)];
    const [width, height] = rotation % 180 === 0 ? [across, up] : [up, across];
    const key = `${width} ${height} ${rotation}`;
    const shape = shapes.get(key) ?? { width, height, rotation, buttons: [] };
    shape.buttons.push({ number, dict: button });
    shapes.set(key, shape);
  }
  if (left.size > 0) throw new PdfSyntaxError('a paraph is missing');
  return [...shapes.values()];
}

/** The names that a signature field's lock lists beside its own. @throws PdfSyntaxError */
export function lockedBeside(file: PdfFile, field: PdfDict): string[] {
  const lock = file.resolve(field.get('Lock'));
  const fields = isDict(lock) ? lock.get('Fields') : undefined;
  if (!isDict(lock) || nameOf(lock.get('Action')) !== 'Include' || !isArray(fields)) return [];
  const names = fields.map(stringOf);
  if (names.some(title => title === null)) throw new PdfSyntaxError('the lock of a signature field is broken');
  const own = stringOf(field.get('T'));
  return (names as string[]).filter(title => title !== own);
}

/** @param first object number for the appearances, which follow each other */
export function paraphObjects(
  shapes: readonly ParaphShape[],
  contents: readonly Uint8Array[],
  first: number,
): NewObject[] {
  if (contents.length !== shapes.length) throw new PdfSyntaxError('as many drawings as shapes of paraphs are needed');
  return shapes.flatMap(({ width, height, rotation, buttons }, index) => {
    const turn = TURNS[rotation];
    const appearance: NewObject = {
      number: first + index,
      value: dict({
        Type: name('XObject'),
        Subtype: name('Form'),
        BBox: [0, 0, width, height],
        Matrix: turn && [...turn, 0, 0],
      }),
      stream: contents[index]!,
    };
    const filled = buttons.map(({ number, dict: button }) => ({
      number,
      value: new Map([...button, ['AP', dict({ N: ref(first + index) })]]),
    }));
    return [appearance, ...filled];
  });
}

function rotationOf(button: PdfDict): number {
  const characteristics = button.get('MK');
  const rotation = isDict(characteristics) ? (characteristics.get('R') ?? 0) : 0;
  if (typeof rotation !== 'number' || ![0, 90, 180, 270].includes(rotation)) {
    throw new PdfSyntaxError('a paraph is turned in a way that pages are not');
  }
  return rotation;
}

const round = (value: number) => Math.round(value * 100) / 100;
