/** The Content-Disposition of a download (RFC 6266 §5, RFC 8187). */

/** @param name a display name: what could be a path or end the header isn't in it afterwards */
export function attachment(name: string): string {
  const ascii = name.replace(/[^A-Za-z0-9 ._-]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
