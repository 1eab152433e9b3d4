/** Encoded words in unstructured fields (RFC 2047), strictly: what can't be decoded is an error, not left as it is. */

/** A word that claims to be encoded but can't be decoded. */
export class UndecodableWord extends Error {
  override readonly name = 'UndecodableWord';
}

/**
 * Decodes an unfolded unstructured field such as Subject. Bytes beyond ASCII must be UTF-8 (RFC 6532).
 *
 * @throws UndecodableWord
 */
export function decodeUnstructured(bytes: Uint8Array): string {
  const text = decode('utf-8', bytes);
  // White space between two encoded words is not shown (§6.2); adjacent words of one charset may share a character.
  const joined = text.replace(/(\?=)[ \t]+(?==\?[^? \t]+\?[bBqQ]\?)/g, '$1');
  return joined.replace(/(?:=\?[^? \t]+\?[bBqQ]\?[^? \t]*\?=)+/g, run => {
    const parts: { charset: string; bytes: Buffer }[] = [];
    for (const [, charset, encoding, data] of run.matchAll(/=\?([^? \t]+)\?([bBqQ])\?([^? \t]*)\?=/g)) {
      const decoded = encoding!.toLowerCase() === 'b' ? base64(data!) : quotedPrintable(data!);
      // RFC 2231 §5: a language may follow the charset.
      const name = charset!.replace(/\*.*$/, '').toLowerCase();
      const last = parts.at(-1);
      if (last?.charset === name) last.bytes = Buffer.concat([last.bytes, decoded]);
      else parts.push({ charset: name, bytes: decoded });
    }
    return parts.map(part => decode(part.charset, part.bytes)).join('');
  });
}

function decode(charset: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UndecodableWord(charset);
  }
}

function base64(data: string): Buffer {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) throw new UndecodableWord('base64');
  return Buffer.from(data, 'base64');
}

function quotedPrintable(data: string): Buffer {
  if (/=(?![0-9A-Fa-f]{2})/.test(data)) throw new UndecodableWord('quoted-printable');
  return Buffer.from(
    data
      .replaceAll('_', ' ')
      .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
