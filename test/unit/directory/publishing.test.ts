import { pino } from 'pino';
import { expect, test } from 'vitest';
import { DirectoryUnavailable } from '../../../src/directory/directory.ts';
import { startPublishing } from '../../../src/directory/publishing.ts';
import type { CertificateRecord } from '../../../src/pki/pki.ts';

const NOW = new Date('2026-11-24T10:00:00Z');

function record(serial: string, changes: Partial<CertificateRecord> = {}): CertificateRecord {
  return {
    serial,
    certificate: Buffer.from(serial),
    personId: `person ${serial}`,
    deviceId: null,
    notBefore: NOW,
    notAfter: new Date(NOW.getTime() + 1000),
    revokedAt: null,
    reason: null,
    keyHash: serial,
    issuer: '',
    ...changes,
  };
}

test('valid certificates of persons are written once; what fails is tried again', async () => {
  const written: string[] = [];
  let down = true;
  const records = [
    record('1'),
    record('over', { notAfter: NOW }),
    record('revoked', { revokedAt: NOW }),
    record('seal', { personId: null }),
  ];
  const publishing = startPublishing({
    directory: {
      async publishCertificate(personId) {
        if (down) throw new DirectoryUnavailable('down');
        if (personId === 'person 2') throw new Error('no right');
        written.push(personId);
      },
    },
    list: async () => records,
    now: () => NOW,
    log: pino({ level: 'silent' }),
  });
  await publishing.round();
  expect(written).toEqual([]);
  down = false;
  records.push(record('2'), record('3'));
  await publishing.round();
  await publishing.round();
  expect(written.sort()).toEqual(['person 1', 'person 3']);
  await publishing.stop();
});
