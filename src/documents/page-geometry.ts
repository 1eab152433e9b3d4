/** A page as it is seen: cropped, turned (ISO 32000-2 §8.3.2, table 31), in units of its own. */
import type { PDFDict } from '@cantoo/pdf-lib';
import { numberEntry, rectangleEntry } from './objects.ts';

export type Rotation = 0 | 90 | 180 | 270;

export interface PageGeometry {
  /** Clockwise, as the page is turned when shown. */
  readonly rotation: Rotation;
  /** What is seen of it, upright, in the page's user space units. */
  readonly width: number;
  readonly height: number;
  /** Points that one unit stands for. */
  readonly unit: number;
  /** From upright coordinates, lower left corner at 0, to the page's own. */
  readonly matrix: readonly [number, number, number, number, number, number];
}

type Rectangle = readonly [left: number, bottom: number, right: number, top: number];

/** @param page with all that it inherits, MediaBox included */
export function geometryOf(page: PDFDict): PageGeometry {
  const [left, bottom, right, top] = visibleBox(page);
  const turned = Math.round((numberEntry(page, 'Rotate') ?? 0) / 90) * 90;
  const rotation = (((turned % 360) + 360) % 360) as Rotation;
  const [across, up] = [right - left, top - bottom];
  const matrix = {
    0: [1, 0, 0, 1, left, bottom],
    90: [0, 1, -1, 0, right, bottom],
    180: [-1, 0, 0, -1, right, top],
    270: [0, -1, 1, 0, left, top],
  }[rotation] as unknown as PageGeometry['matrix'];
  const [width, height] = rotation % 180 === 0 ? [across, up] : [up, across];
  // A unit below a point only makes big numbers of a small page.
  const unit = Math.min(1000, Math.max(1, numberEntry(page, 'UserUnit') ?? 1));
  return { rotation, width, height, unit, matrix };
}

/** The crop box inside the media box (§14.11.2.1); the media box where nothing would be left. */
export function visibleBox(page: PDFDict): Rectangle {
  const media = rectangleEntry(page, 'MediaBox')!;
  const crop = rectangleEntry(page, 'CropBox') ?? media;
  const box: Rectangle = [
    Math.max(media[0], crop[0]),
    Math.max(media[1], crop[1]),
    Math.min(media[2], crop[2]),
    Math.min(media[3], crop[3]),
  ];
  return box[2] > box[0] && box[3] > box[1] ? box : media;
}

/** An upright rectangle in the page's own coordinates. */
export function onPage({ matrix }: PageGeometry, x: number, y: number, width: number, height: number) {
  const [a, b, c, d, e, f] = matrix;
  const corners = [
    [x, y],
    [x + width, y + height],
  ].map(([u, v]) => [a * u! + c * v! + e, b * u! + d * v! + f] as const) as [
    readonly [number, number],
    readonly [number, number],
  ];
  const [[x1, y1], [x2, y2]] = corners;
  return { x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1) };
}
