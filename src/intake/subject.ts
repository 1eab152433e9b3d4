/**
 * What the subject asks for (EXPERIENCE.md section 2): the level, the deadline, the order. A level is never lowered
 * silently: whatever could be meant as a level, and isn't clearly one, is refused with the right spelling.
 */
import { editDistance } from '../directory/distance.ts';
import type { Level, Mode } from '../requests/model.ts';
import { refusals } from './refusals.ts';

export interface SubjectOptions {
  readonly defaultLevel: Level;
  readonly offered: readonly Level[];
  /** What the address itself asks for (seal@); counts like a level word. */
  readonly addressed?: Level | null;
  readonly defaultMode: Mode;
  /** Longest time that a request may stay open, milliseconds. */
  readonly maxExpiry: number;
  readonly now: Date;
}

export interface SubjectAsk {
  readonly level: Level;
  readonly levelIsDefault: boolean;
  readonly mode: Mode;
  readonly expiresAt: Date | null;
}

/** Words of each level, folded (lower case, no accents), with their usual inflections. */
const WORDS: readonly (readonly [Level, RegExp])[] = [
  ['standard', /^(standard|simple|einfach(e[rsnm]?)?)$/],
  ['advanced', /^(advanced|avancee?s?|fortgeschritten(e[rsnm]?)?)$/],
  ['qualified', /^(qualified|qualifiee?s?|qualifiziert(e[rsnm]?)?)$/],
  ['seal', /^(seal|cachet|siegel)$/],
];
/**
 * What a misspelt word is compared with, and how many slips still make it that word. 0: only swapped letters, because
 * in short words every other slip makes another word ("sample", "deal"); 1 where two make one ("Standort").
 */
const SPELLINGS: readonly (readonly [spelling: string, slips: 0 | 1 | 2])[] = [
  ['standard', 1],
  ['simple', 0],
  ['einfach', 1],
  ['einfache', 1],
  ['advanced', 2],
  ['avancee', 1],
  ['fortgeschritten', 2],
  ['fortgeschrittene', 2],
  ['qualified', 2],
  ['qualifie', 1],
  ['qualifiee', 2],
  ['qualifiziert', 2],
  ['qualifizierte', 2],
  ['seal', 0],
  ['cachet', 0],
  ['siegel', 0],
];
const SIGNATURE = '(?:signatur(?:en|es?)?|unterschrift(?:en)?)';
/** How much a level asks of the person who signs; the company's seal asks nothing. */
const RANK: Readonly<Record<Level, number>> = { seal: 0, standard: 1, advanced: 2, qualified: 3 };
const DAY = 86_400_000;

/**
 * @param subject decoded, unfolded
 * @throws Refusal
 */
export function readSubject(subject: string, options: SubjectOptions): SubjectAsk {
  const found: Level[] = options.addressed ? [options.addressed] : [];
  const place = (phrase: string): boolean => {
    const level = levelOfPhrase(phrase);
    if (level === null) refuseNearMiss(phrase);
    else found.push(level);
    return level !== null;
  };

  // Bracket tags, anywhere. What isn't ours stays in the text for the search of level words, but has no position.
  const tags: string[] = [];
  const unknown: string[] = [];
  let ordered = false;
  let due: Date | null = null;
  let text = fold(subject).replace(/\[([^[\]]*)\]/g, (_, content: string) => {
    const tag = content.trim().replace(/\s+/g, ' ');
    if (/^in[ -]?order$/.test(tag)) ordered = true;
    else if (/^due\b/.test(tag)) {
      if (due !== null) throw refusals.badDue(tag);
      due = deadline(tag, options);
    } else if (levelOfPhrase(tag) !== null) tags.push(tag);
    else {
      if (!tag.includes(' ') || new RegExp(`\\b${SIGNATURE}\\b`).test(tag)) refuseNearMiss(tag);
      unknown.push(tag);
    }
    return '\u0001';
  });
  for (const tag of tags) place(tag);

  // Prefixes and list tags stand before what the sender wrote.
  text = text.replace(/^(?:\s|\u0001|(?:re|fwd?|aw|wg|tr|rv)(?:\[\d+\])?\s*:)+/, '');
  text = text.replaceAll('\u0001', ' ').replace(/\s+/g, ' ').trim();
  let rest = text;

  const whole = text.replace(/[\s.!?;,]+$/, '');
  if (isPhrase(whole) && place(whole)) rest = '';
  if (rest !== '') {
    // A hyphen inside a compound ("Standard-Vertrag") is no delimiter, one with space beside it is.
    const first = new RegExp(`^(\\p{L}+|\\p{L}+ ${SIGNATURE}|${SIGNATURE} \\p{L}+)(?: ?[:–—|]| -|- )`, 'u').exec(rest);
    if (first) {
      if (place(first[1]!)) rest = rest.slice(first[0].length);
    } else {
      const signature = new RegExp(`^(?:(\\p{L}+) ${SIGNATURE}|${SIGNATURE} (\\p{L}+))(?!\\p{L})`, 'u').exec(rest);
      const word = signature?.[1] ?? signature?.[2];
      if (signature && word !== undefined && place(word)) rest = rest.slice(signature[0].length);
    }
    const last = new RegExp(
      `(?:[:–—|]| -|- ) ?(\\p{L}+|\\p{L}+ ${SIGNATURE}|${SIGNATURE} \\p{L}+)[\\s.!?;,]*$`,
      'u',
    ).exec(rest);
    if (last && place(last[1]!)) rest = rest.slice(0, last.index);
  }

  const level = found[0] ?? options.defaultLevel;
  const other = found.find(candidate => candidate !== level);
  if (other !== undefined) throw refusals.twoLevels(level, other);
  if (!options.offered.includes(level)) throw refusals.notOffered(level, options.offered);
  for (const [word] of `${unknown.join(' ')} ${rest}`.matchAll(/\p{L}+/gu)) {
    const meant = levelOfWord(word);
    if (meant !== null && RANK[meant] > RANK[level]) {
      throw refusals.hiddenLevel(word, meant, level, options.offered.includes(meant));
    }
  }
  return {
    level,
    levelIsDefault: found.length === 0,
    mode: ordered ? 'ordered' : options.defaultMode,
    expiresAt: due,
  };
}

/** Lower case, compatibility forms resolved, without accents and invisible characters. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}]/gu, '')
    .replace(/\p{Cc}/gu, ' ')
    .toLowerCase();
}

function levelOfWord(word: string): Level | null {
  return WORDS.find(([, pattern]) => pattern.test(word))?.[0] ?? null;
}

/** A level word, alone or beside the word signature. */
function levelOfPhrase(phrase: string): Level | null {
  return levelOfWord(withoutSignature(phrase));
}

function withoutSignature(phrase: string): string {
  return phrase.replace(new RegExp(`^${SIGNATURE} | ${SIGNATURE}$`), '').trim();
}

function isPhrase(text: string): boolean {
  return /^\p{L}+$/u.test(withoutSignature(text));
}

/** @throws Refusal when the word is a typing slip away from a level */
function refuseNearMiss(phrase: string): void {
  const word = withoutSignature(phrase);
  if (!/^\p{L}+$/u.test(word)) return;
  for (const [spelling, slips] of SPELLINGS) {
    const distance = editDistance(word, spelling);
    if (distance === 0) return;
    const swapped = distance === 1 && [...word].sort().join('') === [...spelling].sort().join('');
    if (swapped || distance <= slips) throw refusals.nearMiss(word, spelling);
  }
}

/** @throws Refusal */
function deadline(tag: string, { now, maxExpiry }: SubjectOptions): Date {
  const date = /^due:? (\d{4})-(\d{2})-(\d{2})$/.exec(tag);
  const days = /^due:? (?:in )?(\d{1,4}) days?$/.exec(tag);
  let due: Date;
  if (date) {
    // The whole of that day, in UTC; on the last possible day as much of it as there is.
    due = new Date(`${date[1]}-${date[2]}-${date[3]}T23:59:59Z`);
    if (Number.isNaN(due.getTime()) || due.getUTCDate() !== Number(date[3])) throw refusals.badDue(tag);
    const latest = now.getTime() + maxExpiry;
    if (due.getTime() > latest && due.getTime() - DAY < latest) due = new Date(latest);
  } else if (days) {
    due = new Date(now.getTime() + Number(days[1]) * DAY);
  } else {
    throw refusals.badDue(tag);
  }
  if (due <= now) throw refusals.dueInPast(tag);
  if (due.getTime() - now.getTime() > maxExpiry) throw refusals.dueTooLate(tag, Math.floor(maxExpiry / DAY));
  return due;
}
