/** Prints for people. */

/** C0 without tab and line feed, DEL, C1; bidirectional embeddings, overrides and isolates. */
const COMMANDS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text that came from elsewhere can't command the terminal that shows it. */
export function plain(text: string): string {
  return text.replace(COMMANDS, '');
}

/** On one line, so that what others wrote can't look like a line of ours. */
export function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ');
}

export function say(text: string): void {
  console.log(plain(text));
}
