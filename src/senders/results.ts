/** Authentication-Results (RFC 8601 §2.2) and ARC-Authentication-Results (RFC 8617 §4.1.1): reading others', writing ours. */

/** What one method said. */
export interface MethodResult {
  readonly method: string;
  readonly result: string;
  /** ptype.property, lower case → value. */
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * The parts of a value between semicolons, comments taken out, white space trimmed; null when a comment or a quoted
 * string has no end.
 */
function segments(value: string): string[] | null {
  const parts = [''];
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < value.length; index += 1) {
    const character = value[index]!;
    const pair = character === '\\' && (quoted || depth > 0);
    const text = pair ? character + (value[index + 1] ?? '') : character;
    if (pair) index += 1;
    if (!quoted && !pair && character === '(') depth += 1;
    else if (depth > 0) {
      if (!pair && character === ')') depth -= 1;
      if (depth === 0) parts[parts.length - 1] += ' ';
    } else if (!quoted && character === ';') parts.push('');
    else {
      if (!pair && character === '"') quoted = !quoted;
      parts[parts.length - 1] += text;
    }
  }
  return depth > 0 || quoted ? null : parts.map(part => part.trim());
}

/** The id of the server that wrote an Authentication-Results field, lower case; null when it can't be made out. */
export function authservId(value: string): string | null {
  const [id = ''] = /^("(?:[^"\\]|\\.)*"|[^\s";]+)/.exec(segments(value)?.[0] ?? '') ?? [];
  return id === '' ? null : unquote(id).toLowerCase();
}

/** Instance and results of an ARC-Authentication-Results field, or null when it is not well-formed. */
export function readArcResults(
  value: string,
): { readonly instance: number; readonly results: readonly MethodResult[] } | null {
  const [first, id, ...rest] = segments(value) ?? [];
  const instance = /^i\s*=\s*(\d{1,2})$/.exec(first ?? '')?.[1];
  if (instance === undefined || id === undefined) return null;
  return { instance: Number(instance), results: rest.flatMap(readResult) };
}

function readResult(segment: string): MethodResult[] {
  // Never from the middle of a word: a long one would be read again from each of its letters.
  const pairs = [
    ...segment.matchAll(/(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]+)(?:\s*\/\s*\d+)?\s*=\s*("(?:[^"\\]|\\.)*"|[^\s"]+)/g),
  ];
  const [method, ...properties] = pairs.map(
    ([, name, text]) => [name!.toLowerCase(), unquote(text!)] as [string, string],
  );
  if (!method) return [];
  return [{ method: method[0], result: method[1].toLowerCase(), properties: new Map(properties) }];
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

/**
 * The value of our own field, folded with LF.
 *
 * @param id name of the mail server
 * @param results such as "dkim=pass header.d=company.com"; none: no method was used
 */
export function writeResults(id: string, results: readonly string[]): string {
  return [id, ...(results.length > 0 ? results : ['none'])].join(';\n ');
}
