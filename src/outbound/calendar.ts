/**
 * The deadline as a calendar entry: iCalendar (RFC 5545) published to one person (RFC 5546 §3.2.1), and taken back. It
 * holds no link: calendars are often open to others.
 */

export interface Deadline {
  /** The same for every entry about this deadline. */
  readonly uid: string;
  /** Counts up with every change (RFC 5545 §3.8.7.4). */
  readonly sequence: number;
  /** When this entry was made. */
  readonly made: Date;
  readonly at: Date;
  readonly summary: string;
  readonly description: string;
  readonly organizer: { readonly name: string; readonly mail: string };
}

/** The entry ends with the deadline. */
const LENGTH = 30 * 60_000;
/** How long before the deadline calendars ring, in hours. */
const ALARMS = [24, 1];

/** @returns UTF-8, CRLF line ends, folded */
export function deadlineCalendar(deadline: Deadline, method: 'PUBLISH' | 'CANCEL'): string {
  const { at, made } = deadline;
  const lead = (at.getTime() - made.getTime()) / 3_600_000;
  const alarms = method === 'PUBLISH' ? ALARMS.filter(hours => hours < lead) : [];
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Signpost//Signpost//EN',
    `METHOD:${method}`,
    'BEGIN:VEVENT',
    `UID:${text(deadline.uid)}`,
    `SEQUENCE:${deadline.sequence}`,
    `DTSTAMP:${utc(made)}`,
    `DTSTART:${utc(new Date(at.getTime() - LENGTH))}`,
    `DTEND:${utc(at)}`,
    `ORGANIZER;CN="${parameter(deadline.organizer.name)}":mailto:${deadline.organizer.mail}`,
    `SUMMARY:${text(deadline.summary)}`,
    `DESCRIPTION:${text(deadline.description)}`,
    `STATUS:${method === 'PUBLISH' ? 'CONFIRMED' : 'CANCELLED'}`,
    'TRANSP:TRANSPARENT',
    'CLASS:PRIVATE',
    ...alarms.flatMap(hours => [
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      `DESCRIPTION:${text(deadline.summary)}`,
      `TRIGGER:-PT${hours}H`,
      'END:VALARM',
    ]),
    'END:VEVENT',
    'END:VCALENDAR',
  ];
  return lines.map(line => `${fold(line)}\r\n`).join('');
}

/** RFC 5545 §3.3.11. */
function text(value: string): string {
  return value
    .replace(/[\\;,]/g, character => `\\${character}`)
    .replace(/\r\n?|\n/g, '\\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
}

/** RFC 5545 §3.2: a quoted parameter knows no escapes. */
function parameter(value: string): string {
  return value.replace(/[\u0000-\u001f\u007f"]/g, ' ');
}

/** RFC 5545 §3.3.5, form 2. */
function utc(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

/** RFC 5545 §3.1: at most 75 octets a line; never inside a character. */
function fold(line: string): string {
  let folded = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > 75) {
      folded += '\r\n ';
      octets = 1;
    }
    folded += character;
    octets += size;
  }
  return folded;
}
