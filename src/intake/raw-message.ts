/**
 * A message as bytes, cut at the only places where nobody can disagree: header fields and body (RFC 5322 §2.1, §2.2).
 * Nothing is decoded here and nothing is refused: what is odd is kept as a defect for the gate to judge.
 */

export interface RawField {
  /** As written, without white space around it. */
  readonly name: string;
  /** Lower-case name. */
  readonly key: string;
  /** Everything after the colon, folds included, without the final line end. */
  readonly value: Buffer;
}

export interface RawMessage {
  readonly bytes: Buffer;
  readonly fields: readonly RawField[];
  readonly body: Buffer;
  /** Length of the header block in bytes, without the empty line. */
  readonly headerLength: number;
  /** What is not well-formed about the header block, in words; empty for a clean one. */
  readonly defects: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;

/** Cuts a message (or a MIME part) into fields and body. CRLF and bare LF both end a line here. */
export function splitMessage(bytes: Buffer): RawMessage {
  const fields: { name: string; key: string; start: number; end: number }[] = [];
  const defects: string[] = [];
  let position = 0;
  let headerLength = bytes.length;
  let body = bytes.subarray(bytes.length);
  while (position < bytes.length) {
    const newline = bytes.indexOf(LF, position);
    const next = newline === -1 ? bytes.length : newline + 1;
    const end = newline === -1 ? bytes.length : newline > position && bytes[newline - 1] === CR ? newline - 1 : newline;
    if (end === position) {
      headerLength = position;
      body = bytes.subarray(next);
      break;
    }
    const first = bytes[position]!;
    if (first === 0x20 || first === 0x09) {
      const field = fields.at(-1);
      if (field) field.end = end;
      else defects.push('the header block starts with a continuation line');
    } else {
      const colon = bytes.subarray(position, end).indexOf(0x3a);
      // ftext: printable US-ASCII except colon (RFC 5322 §3.6.8); white space before the colon is obsolete syntax.
      const written = colon === -1 ? '' : bytes.toString('latin1', position, position + colon);
      if (!/^[\x21-\x39\x3b-\x7e]+$/.test(written)) defects.push('a header line has no proper field name');
      if (colon !== -1) {
        const name = written.trim();
        fields.push({ name, key: name.toLowerCase(), start: position + colon + 1, end });
      }
    }
    position = next;
  }
  return {
    bytes,
    fields: fields.map(({ name, key, start, end }) => ({ name, key, value: bytes.subarray(start, end) })),
    body,
    headerLength,
    defects,
  };
}

/** All fields of that name, in order. */
export function fieldsOf(message: Pick<RawMessage, 'fields'>, key: string): readonly RawField[] {
  return message.fields.filter(field => field.key === key);
}

/**
 * The value of the first field of that name, unfolded (RFC 5322 §2.2.3) and trimmed, as bytes in a latin1 string;
 * null when there is none. The gate has made sure that there is only one.
 */
export function rawValue(message: Pick<RawMessage, 'fields'>, key: string): string | null {
  const field = message.fields.find(candidate => candidate.key === key);
  return field ? unfold(field.value) : null;
}

/** Like `rawValue`, decoded as UTF-8 (RFC 6532); what isn't UTF-8 becomes U+FFFD. */
export function textValue(message: Pick<RawMessage, 'fields'>, key: string): string | null {
  const raw = rawValue(message, key);
  return raw === null ? null : Buffer.from(raw, 'latin1').toString('utf8');
}

/** Removes line ends and the white space around the value; other bytes stay. Linear whatever the value. */
export function unfold(value: Buffer): string {
  const line = value.toString('latin1').replace(/\r?\n/g, '');
  let start = 0;
  let end = line.length;
  while (start < end && isBlank(line, start)) start += 1;
  while (end > start && isBlank(line, end - 1)) end -= 1;
  return line.slice(start, end);
}

function isBlank(text: string, index: number): boolean {
  return text[index] === ' ' || text[index] === '\t';
}
