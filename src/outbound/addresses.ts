/** The gateway's own addresses on the sign domain: where bounces and replies go. */

/** Return path of the mail in outbox row `rowId`. */
export function bounceAddress(rowId: string, domain: string): string {
  return `bounce+${rowId}@${domain}`;
}

/** Reply-To of everything about a request. */
export function requestAddress(requestId: string, domain: string): string {
  return `request+${requestId.toLowerCase()}@${domain}`;
}

/** Where `signpost check --mail` mails to (intake/check-address.ts). */
export function checkAddress(id: string, domain: string): string {
  return `check+${id}@${domain}`;
}

/** What a local part on the sign domain names, when it is one of ours. */
export function parseOwnAddress(
  local: string,
): { kind: 'bounce'; rowId: string } | { kind: 'request'; requestId: string } | { kind: 'check'; id: string } | null {
  const match = /^(bounce|request|check)\+([a-z0-9]{1,32})$/i.exec(local);
  if (!match) return null;
  const id = match[2]!;
  const kind = match[1]!.toLowerCase();
  if (kind === 'check') return { kind, id: id.toLowerCase() };
  return kind === 'bounce' ? { kind, rowId: id.toLowerCase() } : { kind: 'request', requestId: id.toUpperCase() };
}
