/** What a directory's answer means to the admin who sets it up: result codes of RFC 4511 section 4.1.9. */
const TEXTS: Readonly<Record<number, string>> = {
  2: 'it does not offer that',
  3: 'it took too long',
  4: 'the account that reads may not get so many entries',
  8: 'it wants a stronger way to log in: use ldaps://',
  10: 'what is asked for stands on another server',
  13: 'it wants the connection protected: use ldaps://, or startTls: true',
  32: 'there is no such entry: look at base',
  34: 'that is not a DN',
  49: 'wrong DN or password: look at bind',
  50: 'the account that reads may not do that',
  51: 'it is busy',
  52: 'it is not available',
  53: 'it refuses',
};

/** @param said the server's own words, if it had any */
export function resultText(code: number, said: string): string {
  const own = said.replace(/\s*Code: 0x[0-9a-f]+\s*$/i, '').trim();
  const parts = [TEXTS[code], own === '' ? undefined : `“${own}”`].filter(part => part !== undefined);
  return `${parts.join(', ')}${parts.length > 0 ? ' ' : ''}(LDAP result ${code})`;
}
