import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportsTooBig } from '../../../src/outbound/report.ts';

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

describe('a delivery report says that the mail was too big', () => {
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
  ])('%s', (_, fields) => {
    expect(reportsTooBig(report(fields))).toBe(true);
    expect(reportsTooBig(report(fields, 'Content-Type: message/global-delivery-status'))).toBe(true);
  });

  test.each([
    ['nobody of that name', 'Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 No such user'],
    ['mailbox full', 'Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full'],
    ['only late', 'Action: delayed\nStatus: 4.3.4\nDiagnostic-Code: smtp; 452 4.3.4 Message too big for now'],
    ['too big only in the returned message', 'Action: delivered\nStatus: 2.0.0'],
  ])('not: %s', (_, fields) => {
    expect(reportsTooBig(report(fields))).toBe(false);
  });

  test('whatever else comes is no such report', () => {
    const good = report('Action: failed\nStatus: 5.3.4');
    expect(reportsTooBig(good.subarray(0, good.indexOf('Status: 5.3.4')))).toBe(false);
    expect(reportsTooBig(Buffer.from('Content-Type: message/delivery-status'))).toBe(false);
    expect(reportsTooBig(report('Action: failed\nStatus: 5.3.4', 'Content-Type: text/plain'))).toBe(false);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => !reportsTooBig(bytes)));
  });
});
