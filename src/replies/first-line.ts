/**
 * The one line of a reply that counts: the first that its author wrote. Nobody's quoted words may pass for a command, so
 * what could be a quotation is one, and a reply without a line of its own has none.
 */

/** Lines that are looked at; a command stands near the top, or below one quotation. */
const MOST_LINES = 2000;
/** Attributions are broken over so many lines at most. */
const ATTRIBUTION_LINES = 4;

/** How mail programs introduce a quotation whose lines are marked with ">". */
const ATTRIBUTIONS = [
  // Gmail, Apple, Thunderbird in English: "On Tue, 24 Nov 2026 at 10:00, Mary Smith <mary@…> wrote:"
  /\b(wrote|writes)\s*:$/i,
  // French: "Le mar. 24 nov. 2026 à 10:00, Mary Smith <mary@…> a écrit :"
  /\ba\s+écrit\s*:$/i,
  // German: "Am 24.11.2026 um 10:00 schrieb Mary Smith <mary@…>:", "Mary Smith schrieb am 24.11.2026 um 10:00:"
  /\bschrieb\b.*:$/i,
  // Whatever the language: a mail address and a colon at the end.
  /[^\s<>@]+@[^\s<>@]+>?\)?.{0,60}:$/,
  /^\d{4}-\d\d-\d\d .{0,100}:$/,
];

/** What a quotation begins with that has no marks: everything below is quoted. */
const SEPARATORS = [
  // "-----Original Message-----", "-----Ursprüngliche Nachricht-----", "---------- Forwarded message ---------"
  /^[-\u2014_=*]{2,}\s*\p{L}[\p{L}'’ ]{2,50}\s*[-\u2014_=*]{2,}$/u,
  // Outlook on the web draws a line; so do others.
  /^[_=\u2014\u2500-]{5,}$/,
  // The head of the quoted mail: "From: …", "*Von:* …", "De : …"
  /^\*?(from|sent|von|gesendet|de|envoyé|expéditeur|date|datum|subject|betreff|objet|to|an|à)\*?\s?:\*?(\s|$)/i,
  /^(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (réexpédié|transféré))\s?:?$/i,
];

/** RFC 3676 §4.3; trailing space is often lost. */
const SIGNATURE = /^-- ?$/;

/**
 * @param text the mail's plain text, or that of its HTML
 * @returns trimmed; null when nothing in it is the author's own
 */
export function firstLine(text: string): string | null {
  const lines = linesOf(text);
  let at = 0;
  /** Broken off from a quotation above it, as far as we know. */
  let clinging = false;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line === '') {
      clinging = false;
      at += 1;
    } else if (isMarked(line)) {
      clinging = true;
      at += 1;
    } else if (isEnd(line)) {
      return null;
    } else {
      const length = attributionLength(lines, at);
      if (length === 0 && !clinging) return line;
      if (length > 0 && !isMarked(lines.slice(at + length).find(next => next !== '') ?? '')) return null;
      at += Math.max(length, 1);
    }
  }
  return null;
}

/** What the author wrote above the first quotation. */
export function textAboveQuotation(text: string): string {
  const lines = linesOf(text);
  const end = lines.findIndex((line, at) => isMarked(line) || isEnd(line) || attributionLength(lines, at) > 0);
  return lines
    .slice(0, end < 0 ? undefined : end)
    .join('\n')
    .trim();
}

function linesOf(text: string): string[] {
  return text
    .normalize('NFC')
    .split(/\r\n|[\r\n\u2028\u2029]/, MOST_LINES)
    .map(line => line.replace(/[\s\p{Cf}]+/gu, ' ').trim());
}

/** Below such a line nothing is the author's. */
function isEnd(line: string): boolean {
  return SIGNATURE.test(line) || SEPARATORS.some(form => form.test(line));
}

function isMarked(line: string): boolean {
  return /^[>|\u00bb\u203a]/.test(line);
}

/** How many lines from here on introduce a quotation; 0 when they don't. */
function attributionLength(lines: readonly string[], start: number): number {
  let text = '';
  for (let length = 1; length <= ATTRIBUTION_LINES; length += 1) {
    const line = lines[start + length - 1];
    if (line === undefined || line === '' || isMarked(line)) return 0;
    text = `${text} ${line}`.trim();
    if (text.length > 400) return 0;
    if (ATTRIBUTIONS.some(form => form.test(text)) && (length === 1 || startsLikeOne(text))) return length;
  }
  return 0;
}

/** Of several lines joined: a line of the author's own above an attribution is not a part of it. */
function startsLikeOne(text: string): boolean {
  return /^(on|le|am|il|el|em|op|den)\s.*\d|^\S.{0,80}<[^\s<>]+@[^\s<>]+>|^\d/i.test(text);
}
