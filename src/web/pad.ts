/**
 * A pad to draw on with finger, pen or mouse. What is drawn is kept as strokes, not as a picture: it follows when the
 * phone is turned, the last stroke can be taken back, and it is as sharp in the document as it was here.
 */
import { type Drawing, MARK_LIMITS, type Mark, type StrokePoint } from '../documents/strokes.ts';
import { h } from './dom.ts';
import { drawingOf, isApart, penWidth, refit, type Size } from './mark-shapes.ts';

type Stroke = StrokePoint[];

export interface Pad {
  readonly element: HTMLElement;
  /** Null while nothing is drawn. */
  read(): Drawing | null;
  load(drawing: Drawing): void;
  undo(): void;
  clear(): void;
  close(): void;
}

const INK = '#14213d';

/** @param label for screen readers @param onChange after each stroke, undo and clear */
export function createPad(label: string, onChange: () => void): Pad {
  const canvas = h('canvas', { class: 'ink', role: 'img', 'aria-label': label });
  const element = h('div', { class: 'paper' }, canvas);
  /** In the units of `size`, which was the pad's when the last stroke was begun. */
  let strokes: Stroke[] = [];
  let size: Size = { width: 1, height: 1 };
  let drawing: { readonly pointer: number; readonly stroke: Stroke; time: number } | null = null;

  const current = (): Size => ({ width: element.clientWidth || 1, height: element.clientHeight || 1 });

  const paint = (): void => {
    const now = current();
    const density = devicePixelRatio || 1;
    canvas.width = Math.round(now.width * density);
    canvas.height = Math.round(now.height * density);
    const context = canvas.getContext('2d')!;
    context.scale(density, density);
    for (const stroke of refit(strokes, size, now)) paintStroke(context, stroke);
  };
  const full = (): boolean =>
    strokes.length >= MARK_LIMITS.strokes ||
    strokes.reduce((sum, stroke) => sum + stroke.length, 0) >= MARK_LIMITS.points / 2;

  const add = (event: PointerEvent): void => {
    if (!drawing) return;
    const box = canvas.getBoundingClientRect();
    const last = drawing.stroke.at(-1) ?? null;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const passed = Math.max(1, event.timeStamp - drawing.time);
    const speed = last === null ? 0 : Math.hypot(x - last[0], y - last[1]) / passed;
    const point: StrokePoint = [x, y, penWidth(event.pointerType, event.pressure, speed, last?.[2] ?? null)];
    if (last !== null && !isApart(point, last)) return;
    drawing.stroke.push(point);
    drawing.time = event.timeStamp;
  };

  canvas.addEventListener('pointerdown', event => {
    if (drawing || event.button !== 0 || full()) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    strokes = refit(strokes, size, current()).map(stroke => [...stroke]);
    size = current();
    const stroke: Stroke = [];
    strokes.push(stroke);
    drawing = { pointer: event.pointerId, stroke, time: event.timeStamp };
    add(event);
    paint();
  });
  canvas.addEventListener('pointermove', event => {
    if (event.pointerId !== drawing?.pointer) return;
    // Between two pictures of the screen a pen moves several times.
    const points = event.getCoalescedEvents?.() ?? [];
    for (const point of points.length > 0 ? points : [event]) add(point);
    if (full()) drawing = null;
    paint();
  });
  const lift = (event: PointerEvent): void => {
    if (event.pointerId !== drawing?.pointer) return;
    drawing = null;
    onChange();
  };
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);

  const resized = new ResizeObserver(paint);
  resized.observe(element);
  return {
    element,
    read: () => drawingOf(strokes),
    load(given) {
      strokes = given.strokes.map(stroke => [...stroke]);
      size = given;
      paint();
      onChange();
    },
    undo() {
      strokes.pop();
      paint();
      onChange();
    },
    clear() {
      strokes = [];
      paint();
      onChange();
    },
    close: () => resized.disconnect(),
  };
}

/** A mark as it will look: to be looked at before it is used. */
export function markPicture(mark: Mark, label: string): HTMLElement {
  if (mark.kind === 'typed')
    return h('div', { class: 'paper small typed', role: 'img', 'aria-label': label }, mark.text);
  const canvas = h('canvas', { class: 'ink', role: 'img', 'aria-label': label });
  const element = h('div', { class: 'paper small' }, canvas);
  const { width, height, strokes } = mark.drawing;
  // Enough for the sharpest screen: it is shown small.
  canvas.width = Math.round(2 * width);
  canvas.height = Math.round(2 * height);
  const context = canvas.getContext('2d')!;
  context.scale(2, 2);
  for (const stroke of strokes) paintStroke(context, stroke);
  return element;
}

/** Smooth through the middles of the points, each piece as wide as the pen was there. */
function paintStroke(context: CanvasRenderingContext2D, stroke: readonly StrokePoint[]): void {
  const [first] = stroke;
  if (!first) return;
  context.strokeStyle = INK;
  context.fillStyle = INK;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  if (stroke.length === 1) {
    context.beginPath();
    context.arc(first[0], first[1], Math.max(1, first[2] / 2), 0, 2 * Math.PI);
    context.fill();
    return;
  }
  let from: readonly [number, number] = [first[0], first[1]];
  for (const [index, [x, y, pen]] of stroke.entries()) {
    const next = stroke[index + 1];
    const to: readonly [number, number] = next ? [(x + next[0]) / 2, (y + next[1]) / 2] : [x, y];
    context.lineWidth = pen;
    context.beginPath();
    context.moveTo(...from);
    context.quadraticCurveTo(x, y, ...to);
    context.stroke();
    from = to;
  }
}
