/** Deadlines for calendars, as Mozilla's ical.js reads them. */
import ICAL from 'ical.js';
import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { deadlineCalendar } from '../../../src/outbound/calendar.ts';
import type { Mail } from '../../../src/outbound/mail.ts';
import type { Party } from '../../../src/requests/model.ts';
import { composer, date, john, link, mary, paul, request, session, zoe } from './samples.ts';

interface Read {
  readonly method: string;
  readonly event: InstanceType<typeof ICAL.Event>;
  readonly component: InstanceType<typeof ICAL.Component>;
  readonly text: string;
}

function read(text: string): Read {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown as string);
  const component = calendar.getFirstSubcomponent('vevent')!;
  const method = String(calendar.getFirstPropertyValue('method'));
  return { method, event: new ICAL.Event(component), component, text };
}

async function calendarOf(mail: Mail, to: Party): Promise<Read | null> {
  const { bytes } = await composer.compose(mail, to, 'a1b2c3d4e5f6g7h8', date);
  const parsed = await simpleParser(Buffer.from(bytes));
  const file = parsed.attachments.find(({ contentType }) => contentType === 'text/calendar');
  if (!file) return null;
  expect(file.filename).toBe('deadline.ics');
  const found = read(file.content.toString());
  expect(Buffer.from(bytes).toString()).toContain(`method=${found.method}`);
  return found;
}

const asks = (change: Parameters<typeof request>[0] = {}, kind: 'please-sign' | 'reminder' = 'please-sign'): Mail => ({
  kind,
  request: request(change),
  session: session(john),
  link,
});

describe('the deadline of a signatory', () => {
  test('is in the please-sign mail, with alarms and without any link', async () => {
    const { method, event, component, text } = (await calendarOf(asks(), john))!;
    expect(method).toBe('PUBLISH');
    expect(event.uid).toBe('deadline.7k3m9qtx2b4c.0@sign.company.com');
    expect(event.sequence).toBe(0);
    expect(event.endDate.toJSDate()).toEqual(request().expiresAt);
    expect(event.summary).toBe('Sign by now: Lease contract Harbour Street 12');
    expect(event.description).toContain('Mary Smith asked for your signature');
    expect(event.organizer).toBe('mailto:signpost@sign.company.com');
    const alarms = component.getAllSubcomponents('valarm').map(one => String(one.getFirstPropertyValue('trigger')));
    expect(alarms).toEqual(['-PT24H', '-PT1H']);
    expect(text).not.toMatch(/https?:|\/s\//);
  });

  test('changes with more time and is taken back with an early end: the same entry, a higher number', async () => {
    const first = (await calendarOf(asks(), john))!;
    const expiresAt = new Date('2026-12-06T09:30:00Z');
    const later = (await calendarOf(asks({ expiresAt, prolonged: 1 }, 'reminder'), john))!;
    const ended = request({ state: 'cancelled', expiresAt, prolonged: 1 });
    const back = (await calendarOf({ kind: 'cancelled', request: ended }, john))!;
    expect([first, later, back].map(({ event }) => [event.uid, event.sequence])).toEqual(
      [0, 1, 2].map(sequence => [first.event.uid, sequence]),
    );
    expect(later.event.endDate.toJSDate()).toEqual(expiresAt);
    expect(back.method).toBe('CANCEL');
    expect(back.component.getFirstPropertyValue('status')).toBe('CANCELLED');
  });

  test('is nobody else’s', async () => {
    expect(await calendarOf({ kind: 'accepted', request: request() }, mary)).toBeNull();
    for (const to of [mary, paul])
      expect(await calendarOf({ kind: 'cancelled', request: request({ state: 'cancelled' }) }, to)).toBeNull();
    const other = await calendarOf({ kind: 'please-sign', request: request(), session: session(zoe), link }, zoe);
    expect(other!.event.uid).toBe('deadline.7k3m9qtx2b4c.1@sign.company.com');
  });
});

test('texts with everything that means something in iCalendar are read as they were', () => {
  const nasty = 'a;b,c\\d:e"f\r\nBEGIN:VALARM\nATTACH:file:///etc/passwd \u{1f58a}️é'.repeat(9);
  const at = new Date('2026-12-01T09:30:00Z');
  const text = deadlineCalendar(
    {
      uid: 'u;1',
      sequence: 3,
      made: date,
      at,
      summary: nasty,
      description: nasty,
      organizer: { name: 'A "B"\r\nC', mail: 'a@b.org' },
    },
    'PUBLISH',
  );
  const { event, component } = read(text);
  expect(event.summary).toBe(nasty.replaceAll('\r\n', '\n'));
  expect(event.description).toBe(event.summary);
  expect(event.uid).toBe('u;1');
  expect(component.getFirstProperty('attach')).toBeNull();
  expect(component.getFirstProperty('organizer')!.getParameter('cn')).toBe('A  B   C');
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  for (const line of text.split('\r\n')) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(line.isWellFormed()).toBe(true);
  }
});
