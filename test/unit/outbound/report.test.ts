import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readReport } from '../../../src/outbound/report.ts';

/** As Postfix 3.7 writes it. */
function report(
  fields: string,
  part = 'Content-Description: Delivery report\r\nContent-Type: message/delivery-status',
): Buffer {
  return Buffer.from(
    `From: MAILER-DAEMON@mx.company.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status;
    boundary="4A1B.1"
MIME-Version: 1.0

This is a MIME-encapsulated message.

--4A1B.1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4A1B.1
${part}

Reporting-MTA: dns; mx.company.com
X-Postfix-Queue-ID: 4A1B
Arrival-Date: Tue, 24 Nov 2026 09:30:00 +0000 (UTC)

Final-Recipient: rfc822; john.doe@company.com
Original-Recipient: rfc822;john.doe@company.com
${fields}

--4A1B.1
Content-Description: Undelivered Message
Content-Type: message/rfc822

Subject: Contract

Action: failed
Status: 5.3.4
--4A1B.1--
`.replace(/\r?\n/g, '\r\n'),
  );
}

describe('what comes to a return path says', () => {
  test.each([
    [
      'by Postfix, from the announced SIZE',
      'Action: failed\nStatus: 5.3.4\nDiagnostic-Code: X-Postfix; message size 9000 exceeds size limit 1000 of server mx[127.0.0.1]',
    ],
    [
      'by the other server',
      'Action: failed\nStatus: 5.2.3\nRemote-MTA: dns; mx\nDiagnostic-Code: smtp; 552 5.2.3 Message exceeds local limit',
    ],
    [
      'by a server without enhanced codes, on folded lines',
      'Action: failed\nStatus: 5.0.0\nRemote-MTA: dns; mx\nDiagnostic-Code: smtp;\n    552 message exceeds\n    the limit',
    ],
    [
      'for the second of two recipients',
      'Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@company.com\nAction: FAILED\nStatus: 5.3.4',
    ],
  ])('too big: %s', (_, fields) => {
    expect(readReport(report(fields))).toBe('too-big');
    expect(readReport(report(fields, 'Content-Type: message/global-delivery-status'))).toBe('too-big');
  });

  test.each([
    ['nobody of that name', 'Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No such user'],
    ['mailbox full', 'Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full'],
  ])('failed: %s', (_, fields) => {
    expect(readReport(report(fields))).toBe('failed');
  });

  test.each([
    ['only late', 'Action: delayed\nStatus: 4.3.4\nDiagnostic-Code: smtp; 452 4.3.4 Message too big for now'],
    ['too big only in the returned message', 'Action: delivered\nStatus: 2.0.0'],
  ])('nothing: %s', (_, fields) => {
    expect(readReport(report(fields))).toBe('other');
  });

  test('nothing: absence notices, and whatever else is no report', () => {
    const good = report('Action: failed\nStatus: 5.3.4');
    expect(readReport(good.subarray(0, good.indexOf('Action: failed')))).toBe('other');
    expect(readReport(Buffer.from('Content-Type: message/delivery-status'))).toBe('other');
    expect(readReport(report('Action: failed\nStatus: 5.3.4', 'Content-Type: text/plain'))).toBe('other');
    const absence = 'Auto-Submitted: auto-replied\r\nSubject: Out of office\r\n\r\nBack on Monday.\r\n';
    expect(readReport(Buffer.from(absence))).toBe('other');
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => readReport(bytes) === 'other'));
  });
});
