/**
 * Sets one line of text in any script: the right face for each character, right-to-left text in its visual order
 * (Unicode Bidirectional Algorithm, UAX #9), letters joined and marks placed as the script asks.
 */
import type { Path } from '@cantoo/fontkit';
import * as bidiJs from 'bidi-js';
import { type Face, facesOf, type Style } from './font-faces.ts';

/** One glyph on a line; lengths in 1/1000 em. */
export interface SetGlyph {
  readonly face: Face;
  /** Glyph id in the face's font. */
  readonly id: number;
  /** The characters that it stands for; empty where another glyph stands for them. */
  readonly text: string;
  /** Where its origin stands, from the line's start and the baseline. */
  readonly x: number;
  readonly y: number;
}

export interface SetLine {
  readonly glyphs: readonly SetGlyph[];
  readonly width: number;
}

/** A stretch of one face and one direction, in code units of the text. */
interface Run {
  readonly face: Face;
  readonly level: number;
  text: string;
}

// A CommonJS module that is the function that its types call its default.
const bidi = (bidiJs.default as unknown as typeof bidiJs.default.default)();
/** Plain letters stand side by side, so that appearances need no more than glyph ids. */
const PLAIN = { kern: false, liga: false, clig: false, calt: false };

const LETTERS =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Common}]*$/u;
/** What shows nothing, or may run from right to left. */
const OTHERWISE = /[\p{Cc}\p{Cf}\p{M}\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/u;

/** Scripts whose letters stand each for itself, from left to right, so that a line is a row of their glyphs. */
export function isPlain(text: string): boolean {
  return LETTERS.test(text) && !OTHERWISE.test(text);
}

/** @param text one line, composed (NFC), without controls */
export function setLine(text: string, style: Style): SetLine {
  const glyphs: SetGlyph[] = [];
  let pen = 0;
  for (const run of visualRuns(text, style)) {
    const { face } = run;
    const { font, scale } = face;
    const plain = isPlain(run.text) && run.level % 2 === 0;
    const set = font.layout(run.text, plain ? PLAIN : null, null, null, run.level % 2 === 1 ? 'rtl' : 'ltr');
    set.glyphs.forEach((glyph, index) => {
      const { xAdvance, xOffset, yOffset } = set.positions![index]!;
      glyphs.push({
        face,
        id: glyph.id,
        text: String.fromCodePoint(...glyph.codePoints),
        x: pen + xOffset * scale,
        y: yOffset * scale,
      });
      pen += (plain ? glyph.advanceWidth : xAdvance) * scale;
    });
  }
  return { glyphs, width: pen };
}

/** Runs from left to right (UAX #9 L2), mirrored characters replaced (L4). */
function visualRuns(text: string, style: Style): Run[] {
  const embedding = bidi.getEmbeddingLevels(text, 'auto');
  const mirrored = bidi.getMirroredCharactersMap(text, embedding.levels);
  const faces = facesOf(text, style);
  const runs: Run[] = [];
  let at = 0;
  [...text].forEach((character, index) => {
    const level = embedding.levels[at] ?? 0;
    const shown = mirrored.get(at) ?? character;
    const face = faces[index]!;
    const last = runs.at(-1);
    if (last && last.face === face && last.level === level) last.text += shown;
    else runs.push({ face, level, text: shown });
    at += character.length;
  });
  const highest = Math.max(0, ...runs.map(({ level }) => level));
  for (let level = highest; level >= 1; level--) {
    for (let start = 0; start < runs.length; start++) {
      let end = start;
      while (end < runs.length && runs[end]!.level >= level) end++;
      runs.splice(start, end - start, ...runs.slice(start, end).reverse());
      start = Math.max(start, end);
    }
  }
  return runs;
}

/** The outline of a glyph, in the units of its font. */
export function outlineOf({ face, id }: Pick<SetGlyph, 'face' | 'id'>): Path {
  const glyph = face.font.getGlyph(id);
  if (glyph === null) throw new Error(`${face.key} has no glyph ${id}`);
  return glyph.path;
}
