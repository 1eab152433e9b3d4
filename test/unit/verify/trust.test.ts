/** Whom verification believes, and for what time: anchors, revocation, expiry, timestamps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/x509.ts';
import type { FileReport } from '../../../src/signatures/verify/result.ts';
import { completeFor, makeSignatory, markOf, planFor } from '../../support/pades.ts';
import { makeSigned, makeWorld, type SignedPdf, type World } from './world.ts';

const DAY = 86_400_000;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY);
/** Times in certificates, timestamps and OCSP answers are whole seconds. */
const nextSecond = (): Promise<void> => sleep(1100);

let world: World;
let signed: SignedPdf;

beforeAll(async () => {
  world = await makeWorld();
  signed = await makeSigned(world, 1);
});

/** Revokes the one signatory's certificate at some point of a document's way. */
async function revokedAt(when: 'before preparing' | 'before signing' | 'after signing'): Promise<FileReport> {
  const { documents, pki } = world;
  const signatory = await makeSignatory(pki, 'Jeanne Doé');
  const revoke = async (): Promise<void> => {
    await nextSecond();
    await pki.ca.revoke(parseCertificate(signatory.certificate).serial, 'keyCompromise');
    await nextSecond();
  };
  if (when === 'before preparing') await revoke();
  const { bytes, layout } = await documents.prepare(new Uint8Array(), planFor(['Jeanne Doé']));
  if (when === 'before signing') await revoke();
  const prepared = await documents.prepareSignature(bytes, layout, markOf(signatory, 0));
  const head = await completeFor(documents, pki, prepared, signatory);
  if (when === 'after signing') await revoke();
  return world.verify(await documents.close(head, layout, new Date()));
}

const ofPerson = ({ signatures }: FileReport) => signatures.find(({ kind }) => kind === 'signature')!;

describe('anchors', () => {
  test('without any, the file is unchanged but nobody is confirmed, and the answer says how to give trust', async () => {
    const report = await world.verify(signed.closed, { anchors: [] });
    expect(report).toMatchObject({ indication: 'INDETERMINATE', subIndication: 'NO_CERTIFICATE_CHAIN_FOUND' });
    expect(report.reason).toContain('--trust');
    expect(report.signatures.every(({ intact, provenTime }) => intact && provenTime === null)).toBe(true);
  });

  test('B5 another company’s anchor with the very same names confirms nobody', async () => {
    const other = await makeWorld();
    expect(await world.verify(signed.closed, { anchors: other.pki.anchors })).toMatchObject({
      indication: 'INDETERMINATE',
    });
    const forged = await makeSigned(other, 1);
    expect(await world.verify(forged.closed)).toMatchObject({ indication: 'INDETERMINATE' });
  });

  test('B5 anchors of timestamp authorities confirm timestamps alone', async () => {
    const report = await world.verify(signed.closed, { anchors: [], timestampAnchors: world.pki.anchors });
    expect(report).toMatchObject({ indication: 'INDETERMINATE', subIndication: 'NO_CERTIFICATE_CHAIN_FOUND' });
    expect(report.signatures.at(-1)).toMatchObject({ kind: 'document-timestamp', indication: 'TOTAL-PASSED' });
  });
});

describe('revocation', () => {
  test('after the signature was proven to exist does not matter', async () => {
    const report = await revokedAt('after signing');
    expect(report.indication).toBe('TOTAL-PASSED');
    expect(ofPerson(report).revocation[0]).toMatchObject({
      status: 'good',
      where: 'file',
      revokedAt: expect.any(Date),
    });
  });

  test('B5 before the signature leaves it unproven', async () => {
    expect(ofPerson(await revokedAt('before signing'))).toMatchObject({
      indication: 'INDETERMINATE',
      subIndication: 'REVOKED_NO_POE',
    });
  });

  test('B5 before something that the signature covers was stamped fails it', async () => {
    expect(ofPerson(await revokedAt('before preparing'))).toMatchObject({
      indication: 'TOTAL-FAILED',
      subIndication: 'REVOKED',
    });
  });

  test('that nobody knows of leaves a question open', async () => {
    const report = await world.verify(signed.head);
    expect(report).toMatchObject({ indication: 'INDETERMINATE', subIndication: 'TRY_LATER' });
    expect(report.signatures.every(({ level }) => level === 'B-T')).toBe(true);
    expect(await world.verify(signed.head, await world.withCrl())).toMatchObject({ indication: 'TOTAL-PASSED' });
  });

  test('lists of another authority with the same name say nothing', async () => {
    const other = await makeWorld();
    expect(await world.verify(signed.head, await other.withCrl())).toMatchObject({ subIndication: 'TRY_LATER' });
  });

  test('lists that are out of date, or from the future, say nothing', async () => {
    const more = await world.withCrl();
    expect(await world.verify(signed.head, { ...more, now: inDays(-1) })).not.toMatchObject({
      indication: 'TOTAL-PASSED',
    });
    expect(await world.verify(signed.certified, { ...more, now: inDays(1) })).toMatchObject({
      indication: 'TOTAL-PASSED',
    });
  });
});

describe('time', () => {
  test('a finished file outlives its signatories’ certificates', async () => {
    const report = await world.verify(signed.closed, { now: inDays(400) });
    expect(report.indication).toBe('TOTAL-PASSED');
    expect(ofPerson(report)).toMatchObject({ level: 'B-LTA', provenTime: expect.any(Date) });
  });

  test('but not those of its last timestamp', async () => {
    const report = await world.verify(signed.closed, { now: inDays(365 * 11) });
    expect(report.signatures.at(-1)).toMatchObject({
      indication: 'INDETERMINATE',
      subIndication: 'OUT_OF_BOUNDS_NO_POE',
    });
    expect(report.indication).not.toBe('TOTAL-PASSED');
  });

  test('a timestamp from the future proves nothing', async () => {
    const report = await world.verify(signed.closed, { now: inDays(-1) });
    expect(report.indication).not.toBe('TOTAL-PASSED');
  });

  test('claimed and proven time are kept apart', async () => {
    const { claimedTime, provenTime } = ofPerson(await world.verify(signed.closed));
    expect(claimedTime).toEqual(markOf(signed.signatories[0]!, 0).signingTime);
    expect(Math.abs(provenTime!.getTime() - Date.now())).toBeLessThan(DAY);
  });
});
