import { readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { der } from '../../../src/pki/der.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import { fromPem, parseCertificate, toPem } from '../../../src/pki/x509.ts';
import { has } from '../../support/tools.ts';
import { ALGORITHMS, DAY, JOHN, load, make, PASSPHRASE, pem, request, Workspace } from './support.ts';

const MALFORMED = Buffer.from(der.sequence(der.enumerated(1)));

describe.skipIf(!has('openssl')).each(ALGORITHMS)('OCSP with a CA of kind %s', algorithm => {
  const workspace = new Workspace();
  let pki: LoadedPki;
  let john: string;
  let time = Date.now();
  beforeAll(async () => {
    await make(workspace, { algorithm });
    pki = await load(workspace, { now: () => new Date(time), monotonic: () => time });
    const record = await pki.ca.issueForPerson(request(workspace), JOHN, 'd');
    john = record.serial;
    workspace.put('john.pem', pem(record.certificate));
  });
  afterAll(() => workspace.remove());

  const replyTo = async (request: Uint8Array): Promise<Uint8Array> => (await pki.ca.ocsp(request)).der;

  /** openssl makes the request, we answer, openssl verifies the answer (and its nonce) and prints it. */
  const ask = async (...args: string[]) => {
    workspace.must('ocsp', '-issuer', 'certs/ca.pem', ...args, '-reqout', 'req.der');
    workspace.put('resp.der', await replyTo(readFileSync(workspace.path('req.der'))));
    return workspace.openssl(
      ...['ocsp', '-reqin', 'req.der', '-respin', 'resp.der', '-issuer', 'certs/ca.pem', '-CAfile', 'certs/ca.pem'],
      '-resp_text',
    ).output;
  };

  /** The certificate that comes with an answer, for openssl. */
  const responderIn = (response: string): string => {
    const { output } = workspace.openssl('ocsp', '-respin', response, '-noverify', '-resp_text');
    const found = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/.exec(output);
    expect(found, output).not.toBeNull();
    return found![0];
  };

  it('answers are signed by a delegate that the CA has named, for two weeks and without a revocation of its own', async () => {
    await ask('-cert', 'john.pem');
    workspace.put('responder.pem', responderIn('resp.der'));
    const strict = ['verify', '-x509_strict', '-purpose', 'ocsphelper', '-CAfile', 'certs/ca.pem', 'responder.pem'];
    workspace.must(...strict);
    const text = workspace.must('x509', '-in', 'responder.pem', '-noout', '-text');
    expect(text).toMatch(/Extended Key Usage: \n\s+OCSP Signing\n/);
    expect(text).toMatch(/OCSP No Check/);
    expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature\n/);
    expect(text).toMatch(/CA:FALSE/);
    const { publicKey, notBefore, notAfter } = parseCertificate(fromPem(responderIn('resp.der'))[0]!);
    expect(notAfter.getTime() - notBefore.getTime()).toBeLessThanOrEqual(14 * DAY);
    const key = ['pkey', '-in', 'keys/ocsp.p8', '-passin', `pass:${PASSPHRASE}`, '-pubout'];
    expect(workspace.must(...key)).toBe(publicKey.export({ format: 'pem', type: 'spki' }));
    workspace.put('kept.der', readFileSync(workspace.path('resp.der')));
    expect(await ask('-issuer', 'certs/ca.pem', '-cert', 'responder.pem')).toMatch(/Cert Status: good/);
  });

  it('its certificate is renewed by itself, once for all processes', async () => {
    await ask('-cert', 'john.pem');
    const first = responderIn('resp.der');
    time += 6 * DAY;
    await ask('-cert', 'john.pem');
    expect(responderIn('resp.der')).toBe(first);
    time += 2 * DAY;
    await Promise.all([pki.ca.responderCertificate(), pki.ca.responderCertificate()]);
    await ask('-cert', 'john.pem');
    const second = responderIn('resp.der');
    expect(second).not.toBe(first);
    time += 100 * DAY;
    await ask('-cert', 'john.pem');
    expect(responderIn('resp.der')).not.toBe(second);
    time -= 108 * DAY;
  });

  it('an answer without a nonce is used again for a minute, or until the status changes; one with a nonce is made live', async () => {
    const record = await pki.ca.issueForPerson(request(workspace), JOHN, 'reuse');
    workspace.put('reuse.pem', pem(record.certificate));
    workspace.must('ocsp', '-issuer', 'certs/ca.pem', '-cert', 'reuse.pem', '-no_nonce', '-reqout', 'plain.der');
    workspace.must('ocsp', '-issuer', 'certs/ca.pem', '-cert', 'reuse.pem', '-reqout', 'nonce.der');
    const asked = (file: string) => pki.ca.ocsp(readFileSync(workspace.path(file)));
    const first = await asked('plain.der');
    time += 59_000;
    expect(await asked('plain.der')).toEqual(first);
    expect(first.reuse!.until.getTime() - first.reuse!.madeAt.getTime()).toBe(60_000);
    const live = await asked('nonce.der');
    expect(live.reuse).toBeNull();
    expect(Buffer.from((await asked('nonce.der')).der).equals(live.der)).toBe(algorithm === 'rsa-sha256');
    await pki.ca.revoke(record.serial, 'certificateHold');
    const held = await asked('plain.der');
    expect(Buffer.from(held.der).equals(first.der)).toBe(false);
    workspace.put('held.der', held.der);
    expect(workspace.openssl('ocsp', '-respin', 'held.der', '-noverify', '-resp_text').output).toMatch(
      /Cert Status: revoked[\s\S]*certificateHold/,
    );
    await pki.ca.enable(record.serial);
    expect(await asked('plain.der')).toMatchObject({ reuse: { madeAt: new Date(time) } });
    time += 60_000;
    expect(await asked('plain.der')).toMatchObject({ reuse: { madeAt: new Date(time) } });
    // A clock that was set back: nothing of the future is given out.
    time -= 3_600_000;
    expect(await asked('plain.der')).toMatchObject({ reuse: { madeAt: new Date(time) } });
    time += 3_481_000;
  });

  it('an installation of an earlier version gets the key; where none can be made, the CA answers itself', async () => {
    const old = new Workspace();
    try {
      await make(old, { algorithm });
      rmSync(old.path('keys/ocsp.p8'));
      const made = await load(old);
      expect(statSync(old.path('keys/ocsp.p8')).mode & 0o777).toBe(0o600);
      const [certificate] = [await made.ca.responderCertificate()];
      expect(Buffer.from((await (await load(old)).ca.responderCertificate())!).equals(certificate!)).toBe(false);

      // Neither root nor the service can write a file over this one.
      rmSync(old.path('keys/ocsp.p8'));
      symlinkSync(old.path('nowhere/ocsp.p8'), old.path('keys/ocsp.p8'));
      const without = await load(old);
      expect(await without.ca.responderCertificate()).toBeNull();
      const record = await without.ca.issueForPerson(request(old), JOHN, 'd');
      old.put('john.pem', pem(record.certificate));
      old.must('ocsp', '-issuer', 'certs/ca.pem', '-cert', 'john.pem', '-reqout', 'req.der');
      old.put('resp.der', (await without.ca.ocsp(readFileSync(old.path('req.der')))).der);
      const args = ['-reqin', 'req.der', '-respin', 'resp.der', '-issuer', 'certs/ca.pem', '-CAfile', 'certs/ca.pem'];
      const answer = old.openssl('ocsp', ...args, '-resp_text').output;
      expect(answer).toMatch(/Response verify OK/);
      expect(answer).toMatch(/Cert Status: good/);
    } finally {
      old.remove();
    }
  });

  it('says good for certificates of persons, the seal and the timestamping unit, nonce repeated', async () => {
    for (const file of ['john.pem', 'certs/seal.pem', 'certs/tsa.pem']) {
      const answer = await ask('-cert', file);
      expect(answer).toMatch(/Response verify OK/);
      expect(answer).toMatch(/Cert Status: good/);
      expect(answer).toMatch(/OCSP Nonce/);
      expect(answer).toMatch(/This Update: [\s\S]*Next Update: /);
      expect(answer).not.toMatch(/WARNING|rror/);
    }
  });

  it('answers without a nonce, with SHA-256 CertIDs, and several certificates at once', async () => {
    const plain = await ask('-no_nonce', '-cert', 'john.pem');
    expect(plain).toMatch(/Response verify OK/);
    expect(plain).not.toMatch(/OCSP Nonce/);
    const several = await ask('-sha256', '-cert', 'john.pem', '-cert', 'certs/seal.pem', '-sha1', '-serial', '0x1234');
    expect(several).toMatch(/Response verify OK/);
    expect(several.match(/Cert Status: good/g)).toHaveLength(2);
    expect(several.match(/Cert Status: unknown/g)).toHaveLength(1);
    expect(several).toMatch(/Hash Algorithm: sha256/);
  });

  it('still answers for a certificate that has expired, and says how far back it knows', async () => {
    time += 60 * 86_400_000;
    workspace.must('ocsp', '-issuer', 'certs/ca.pem', '-cert', 'john.pem', '-reqout', 'late.der');
    workspace.put('late-resp.der', await replyTo(readFileSync(workspace.path('late.der'))));
    time -= 60 * 86_400_000;
    const { output } = workspace.openssl('ocsp', '-respin', 'late-resp.der', '-noverify', '-resp_text');
    expect(output).toMatch(/Cert Status: good/);
    const [, cutoff] = /OCSP Archive Cutoff:\s*(\w+ .* GMT)/.exec(output) ?? [];
    expect(new Date(cutoff!)).toEqual(parseCertificate(pki.ca.chain[0]!).notBefore);
  });

  it('says unknown for serials never issued and for other issuers', async () => {
    const answer = await ask('-serial', '0x0123456789');
    expect(answer).toMatch(/Response verify OK/);
    expect(answer).toMatch(/Cert Status: unknown/);
    workspace.must(
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=Other -keyout o.key -out o.pem'.split(
        ' ',
      ),
    );
    workspace.must('ocsp', '-issuer', 'o.pem', '-serial', `0x${john}`, '-reqout', 'req.der');
    workspace.put('resp.der', await replyTo(readFileSync(workspace.path('req.der'))));
    expect(workspace.must('ocsp', '-respin', 'resp.der', '-noverify', '-resp_text')).toMatch(/Cert Status: unknown/);
  });

  it('says revoked with time and reason from the moment of the revocation on', async () => {
    time += 1000;
    await pki.ca.revoke(john, 'keyCompromise');
    const answer = await ask('-cert', 'john.pem');
    expect(answer).toMatch(/Response verify OK/);
    expect(answer).toMatch(/Cert Status: revoked/);
    expect(answer).toMatch(/Revocation Reason: keyCompromise/);
  });

  it('validation data holds the chain, the CRL, and an answer for each certificate of ours', async () => {
    const stamp = await pki.timestamps.stamp(new Uint8Array(32));
    const data = await pki.validationData([pki.seal.certificate, ...stamp.certificates]);
    // The CA's, the seal's, the timestamping unit's and the OCSP responder's.
    expect(data.certificates).toHaveLength(4);
    expect(data.ocsps).toHaveLength(2);
    data.ocsps.forEach((answer, i) => {
      workspace.put('kept.der', answer);
      workspace.put('for.pem', toPem([pki.seal.certificate, stamp.certificates[0]!][i]!));
      const args = ['-respin', 'kept.der', '-issuer', 'certs/ca.pem', '-CAfile', 'certs/ca.pem', '-cert', 'for.pem'];
      expect(workspace.openssl('ocsp', ...args).output).toMatch(/for\.pem: good[\s\S]*Response verify OK/);
    });
    workspace.put('kept.crl', data.crls[0]!);
    expect(
      workspace.openssl('crl', '-inform', 'DER', '-in', 'kept.crl', '-noout', '-CAfile', 'certs/ca.pem').output,
    ).toMatch(/verify OK/);
  });

  it('answers malformedRequest to everything else, never throws', async () => {
    workspace.must('ocsp', '-issuer', 'certs/ca.pem', '-cert', 'john.pem', '-reqout', 'sound.der');
    const sound = readFileSync(workspace.path('sound.der'));
    const certId = certIdOf(pki, '12');
    const withRequests = (count: number) =>
      der.sequence(der.sequence(der.sequence(...Array.from({ length: count }, () => der.sequence(certId)))));
    const withNonce = (nonce: Uint8Array) =>
      der.sequence(
        der.sequence(
          der.sequence(der.sequence(certId)),
          der.constructed(2, der.sequence(der.sequence(der.oid('1.3.6.1.5.5.7.48.1.2'), der.octetString(nonce)))),
        ),
      );
    expect(Buffer.from(await replyTo(withRequests(32))).equals(MALFORMED)).toBe(false);
    for (const bad of [
      new Uint8Array(),
      new Uint8Array(65_536),
      Buffer.from('GET / HTTP/1.1'),
      Buffer.concat([sound, Buffer.from([0])]),
      withRequests(0),
      withRequests(33),
      withNonce(der.octetString(new Uint8Array())),
      withNonce(der.octetString(new Uint8Array(129))),
      withNonce(der.null),
      certId,
    ]) {
      expect(Buffer.from(await replyTo(bad)).equals(MALFORMED)).toBe(true);
    }
    for (let length = 0; length < sound.length; length++) {
      expect(Buffer.from(await replyTo(sound.subarray(0, length))).equals(MALFORMED)).toBe(true);
    }
  });

  function certIdOf(from: LoadedPki, serial: string): Uint8Array {
    const root = parseCertificate(from.ca.chain[0]!);
    return der.sequence(
      der.sequence(der.oid('1.3.14.3.2.26')),
      der.octetString(root.subject.subarray(0, 20)),
      der.octetString(new Uint8Array(20)),
      der.integer(serial),
    );
  }
});
