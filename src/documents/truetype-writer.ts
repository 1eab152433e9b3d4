/**
 * Writes a TrueType font of glyph outlines that come from any fonts: the tables that a font in a PDF needs
 * (ISO 32000-2 §9.9, OpenType 1.9), without hints, components or names.
 */
import type { Path } from '@cantoo/fontkit';

/** Units of the em square in fonts written here. */
export const UNITS_PER_EM = 2048;

export interface EncodedGlyph {
  /** The glyph's entry in `glyf`; empty where it draws nothing. */
  readonly data: Uint8Array;
  readonly points: number;
  readonly contours: number;
  readonly bounds: readonly [xMin: number, yMin: number, xMax: number, yMax: number];
  /** Advance width in units of UNITS_PER_EM. */
  readonly advance: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly on: boolean;
}

/** @param scale from the outline's units to ours */
export function encodeGlyph(path: Path, scale: number, advance: number): EncodedGlyph {
  const contours = contoursOf(path, scale);
  const points = contours.flat();
  if (points.length === 0) {
    return {
      data: new Uint8Array(),
      points: 0,
      contours: 0,
      bounds: [0, 0, 0, 0],
      advance: Math.round(advance * scale),
    };
  }
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const bounds = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
  const head = Buffer.alloc(10 + 2 * contours.length + 2);
  for (const [index, value] of [contours.length, ...bounds].entries()) head.writeInt16BE(value, 2 * index);
  let end = -1;
  contours.forEach((contour, index) => {
    end += contour.length;
    head.writeUInt16BE(end, 10 + 2 * index);
  });
  const flags: number[] = [];
  const columns: number[][] = [[], []];
  let previous: Point = { x: 0, y: 0, on: true };
  for (const point of points) {
    const x = coordinate(point.x - previous.x);
    const y = coordinate(point.y - previous.y);
    // x-short 0x02, y-short 0x04, x-same-or-positive 0x10, y-same-or-positive 0x20.
    flags.push((point.on ? 1 : 0) | (x.short ? 2 : 0) | (y.short ? 4 : 0) | (x.same ? 16 : 0) | (y.same ? 32 : 0));
    columns[0]!.push(...x.octets);
    columns[1]!.push(...y.octets);
    previous = point;
  }
  const data = Buffer.concat([head, Buffer.from(flags), Buffer.from(columns[0]!), Buffer.from(columns[1]!)]);
  const padded = Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
  const total = { points: points.length, contours: contours.length };
  return { data: padded, ...total, bounds, advance: Math.round(advance * scale) };
}

function contoursOf(path: Path, scale: number): Point[][] {
  const contours: Point[][] = [];
  const at = (x: number, y: number, on: boolean): Point => ({ x: Math.round(x * scale), y: Math.round(y * scale), on });
  for (const { command, args } of path.commands) {
    const [a, b, c, d] = args as [number, number, number, number];
    if (command === 'moveTo') contours.push([at(a, b, true)]);
    else if (command === 'lineTo') contours.at(-1)!.push(at(a, b, true));
    else if (command === 'quadraticCurveTo') contours.at(-1)!.push(at(a, b, false), at(c, d, true));
    else if (command === 'bezierCurveTo') throw new Error('an outline that is not TrueType');
  }
  return contours
    .map(contour => {
      const [first, last] = [contour[0]!, contour.at(-1)!];
      const closed = contour.length > 1 && last.on && last.x === first.x && last.y === first.y;
      return closed ? contour.slice(0, -1) : contour;
    })
    .filter(contour => contour.length > 1);
}

function coordinate(delta: number): { short: boolean; same: boolean; octets: readonly number[] } {
  if (delta === 0) return { short: false, same: true, octets: [] };
  if (Math.abs(delta) < 256) return { short: true, same: delta > 0, octets: [Math.abs(delta)] };
  return { short: false, same: false, octets: [(delta >> 8) & 0xff, delta & 0xff] };
}

export interface FontMetrics {
  readonly ascent: number;
  readonly descent: number;
}

/** @param glyphs by glyph id; the first one is for missing characters */
export function writeTrueType(glyphs: readonly EncodedGlyph[], metrics: FontMetrics): Uint8Array {
  const drawn = glyphs.filter(({ points }) => points > 0);
  const bounds = [0, 1, 2, 3].map(side => {
    const values = drawn.map(glyph => glyph.bounds[side]!);
    return values.length === 0 ? 0 : side < 2 ? Math.min(...values) : Math.max(...values);
  });
  const most = (of: (glyph: EncodedGlyph) => number) => Math.max(0, ...glyphs.map(of));

  const head = Buffer.alloc(54);
  head.writeUInt32BE(0x00010000, 0);
  head.writeUInt32BE(0x00010000, 4);
  head.writeUInt32BE(0x5f0f3cf5, 12);
  // Baseline at 0, left side bearing at 0.
  head.writeUInt16BE(3, 16);
  head.writeUInt16BE(UNITS_PER_EM, 18);
  for (const [index, value] of bounds.entries()) head.writeInt16BE(value, 36 + 2 * index);
  head.writeUInt16BE(8, 46);
  head.writeInt16BE(2, 48);
  // Long offsets in loca.
  head.writeInt16BE(1, 50);

  const hhea = Buffer.alloc(36);
  hhea.writeUInt32BE(0x00010000, 0);
  hhea.writeInt16BE(Math.round(metrics.ascent), 4);
  hhea.writeInt16BE(Math.round(metrics.descent), 6);
  hhea.writeUInt16BE(
    most(({ advance }) => advance),
    10,
  );
  hhea.writeInt16BE(bounds[0]!, 12);
  hhea.writeInt16BE(bounds[2]!, 16);
  hhea.writeInt16BE(1, 18);
  hhea.writeUInt16BE(glyphs.length, 34);

  const maxp = Buffer.alloc(32);
  maxp.writeUInt32BE(0x00010000, 0);
  maxp.writeUInt16BE(glyphs.length, 4);
  maxp.writeUInt16BE(
    most(({ points }) => points),
    6,
  );
  maxp.writeUInt16BE(
    most(({ contours }) => contours),
    8,
  );
  maxp.writeUInt16BE(2, 14);

  const hmtx = Buffer.alloc(4 * glyphs.length);
  const loca = Buffer.alloc(4 * (glyphs.length + 1));
  let offset = 0;
  glyphs.forEach(({ advance, bounds: [xMin], data }, index) => {
    hmtx.writeUInt16BE(advance, 4 * index);
    hmtx.writeInt16BE(xMin, 4 * index + 2);
    offset += data.length;
    loca.writeUInt32BE(offset, 4 * (index + 1));
  });
  const glyf = Buffer.concat(glyphs.map(({ data }) => data));
  return assemble({ glyf, head, hhea, hmtx, loca, maxp });
}

/** The table directory, then the tables, each on a multiple of four octets. */
function assemble(tables: Readonly<Record<string, Buffer>>): Uint8Array {
  const entries = Object.entries(tables);
  const power = Math.floor(Math.log2(entries.length));
  const directory = Buffer.alloc(12 + 16 * entries.length);
  directory.writeUInt32BE(0x00010000, 0);
  directory.writeUInt16BE(entries.length, 4);
  directory.writeUInt16BE(16 * 2 ** power, 6);
  directory.writeUInt16BE(power, 8);
  directory.writeUInt16BE(16 * (entries.length - 2 ** power), 10);
  const parts: Buffer[] = [directory];
  let offset = directory.length;
  let headAt = 0;
  entries.forEach(([tag, table], index) => {
    if (tag === 'head') headAt = offset;
    const padded = Buffer.concat([table, Buffer.alloc((4 - (table.length % 4)) % 4)]);
    const at = 12 + 16 * index;
    directory.write(tag, at, 'latin1');
    directory.writeUInt32BE(checksum(padded), at + 4);
    directory.writeUInt32BE(offset, at + 8);
    directory.writeUInt32BE(table.length, at + 12);
    parts.push(padded);
    offset += padded.length;
  });
  const file = Buffer.concat(parts);
  file.writeUInt32BE((0xb1b0afba - checksum(file)) >>> 0, headAt + 8);
  return file;
}

function checksum(octets: Buffer): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 4) sum = (sum + octets.readUInt32BE(at)) >>> 0;
  return sum;
}
