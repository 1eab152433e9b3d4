import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startPrivatePostfix } from '../../../src/tryout/postfix.ts';
import { startSink } from '../../support/sink.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { hasPostfix } from '../../support/tools.ts';

test.skipIf(!hasPostfix)('a private Postfix takes a mail and hands it on', async () => {
  const folder = mkdtempSync('/tmp/signpost-postfix-');
  const sink = await startSink();
  const postfix = await startPrivatePostfix({
    folder,
    signDomains: ['sign.company.com'],
    milter: null,
    lmtp: 'inet:127.0.0.1:1',
    sinkPort: sink.port,
  });
  try {
    const client = await SmtpClient.connect(postfix.port);
    const { final } = await client.send('a@company.com', ['b@company.com'], 'Subject: hello\r\n\r\n.dots\r\n');
    expect(final.code).toBe(250);
    const mail = await sink.waitFor(sunk => sunk.to.includes('b@company.com'));
    expect(mail.raw.toString()).toContain('\r\n\r\n.dots\r\n');
    client.close();
  } finally {
    await postfix.stop();
    await sink.stop();
    rmSync(join(folder), { recursive: true, force: true });
  }
});
