/** Passkeys: each signature's assertion is for exactly what is signed, by this device's credential, with the person verified. */
import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { approvalClaim, challengeFor, signatureClaim } from '../../../src/client/passkey-challenge.ts';
import { TimestampUnavailable } from '../../../src/pki/pki.ts';
import { BadCose, readCoseKey } from '../../../src/requests/cose.ts';
import type { Device, Request } from '../../../src/requests/model.ts';
import type { Assertion } from '../../../src/requests/webauthn.ts';
import { Authenticator, type Deviation, type KeyKind } from '../../support/authenticator.ts';
import { type Phone, signatures, text, World } from './world.ts';

let world: World;
let opened = false;
afterEach(async () => {
  if (opened) await world.close();
  opened = false;
});

type Use = 'off' | 'offered' | 'required';

async function open(
  advanced: Use,
  standard: Use = 'off',
  adapt: (deps: World['deps']) => World['deps'] = deps => deps,
): Promise<void> {
  opened = true;
  world = await World.open(deps =>
    adapt({
      ...deps,
      config: {
        ...deps.config,
        enrolment: { ...deps.config.enrolment, passkeys: { standard, advanced } },
      },
    }),
  );
}

const CHALLENGE = Buffer.from('a nonce of ours');
const signatureChallenge = (...of: Parameters<typeof signatureClaim>) => challengeFor(signatureClaim(...of));
const approvalChallenge = (...of: Parameters<typeof approvalClaim>) => challengeFor(approvalClaim(...of));

/** A device whose person has just shown who they are. */
async function freshPhone(personId = 'john'): Promise<Phone> {
  const phone = await world.phone(personId);
  const device = await world.store.requests.amendDevice(phone.device.id, one => ({
    ...one,
    proofs: ['admin-code'],
    provedAt: world.now,
  }));
  return { ...phone, device: device as Device };
}

async function withPasskey(kind: KeyKind = 'ES256'): Promise<{ phone: Phone; authenticator: Authenticator }> {
  const phone = await freshPhone();
  const authenticator = new Authenticator(kind);
  await world.devices.addPasskey(phone.device, authenticator.create(CHALLENGE));
  return { phone, authenticator };
}

type Granted = Awaited<ReturnType<World['grant']>>;

async function challengeOf(grant: Granted): Promise<Uint8Array> {
  return signatureChallenge(
    grant.turn,
    grant.documents.map(({ signedAttributes }) => signedAttributes),
  );
}

function complete(request: Request, phone: Phone, grant: Granted, assertion: Assertion | null) {
  return world.requests.completeTurn(
    request.sessions[0]!.id,
    phone.device,
    grant.turn,
    signatures(grant, phone),
    assertion,
  );
}

describe('a signature with a passkey', () => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)(
    '%s: is signed, and the assertion is kept as evidence that anybody can check',
    async kind => {
      await open('offered');
      const { phone, authenticator } = await withPasskey(kind);
      const request = await world.opened();
      const grant = await world.grant(request.sessions[0]!, phone);
      const signed = await complete(request, phone, grant, authenticator.get(await challengeOf(grant)));
      expect(signed.state).toBe('signed');
      const proof = JSON.parse(text(await world.store.blobs.get(signed.assertion!)));
      const bytes = (name: string): Buffer => Buffer.from(proof[name], 'base64url');
      const signedBytes = Buffer.concat([
        bytes('authenticatorData'),
        createHash('sha256').update(bytes('clientData')).digest(),
      ]);
      const key = createPublicKey({ key: bytes('publicKey'), format: 'der', type: 'spki' });
      expect(verify(kind === 'EdDSA' ? null : 'sha256', signedBytes, key, bytes('signature'))).toBe(true);
      expect(JSON.parse(bytes('clientData').toString()).challenge).toBe(proof.challenge);
      expect(bytes('challenge')).toEqual(Buffer.from(await challengeOf(grant)));
      expect((await world.devices.find(phone.device.id))?.passkey?.signCount).toBe(1);
      // The first answer got lost.
      expect(await complete(request, phone, grant, null)).toEqual(signed);
    },
  );

  const wrong: readonly { readonly name: string; readonly deviation: Deviation }[] = [
    { name: 'without user verification', deviation: { flags: 0x01 } },
    { name: 'without user presence', deviation: { flags: 0x04 } },
    { name: 'made on another site', deviation: { origin: 'https://evil.test' } },
    { name: 'made in a frame of another site', deviation: { crossOrigin: true } },
    { name: 'for another relying party', deviation: { rpId: 'evil.test' } },
    { name: 'of a registration', deviation: { type: 'webauthn.create' } },
    { name: 'with a counter that did not grow', deviation: { count: 7 } },
  ];
  test.each(wrong)('an assertion $name is refused, and the right one afterwards taken', async ({ deviation }) => {
    await open('offered');
    const { phone, authenticator } = await withPasskey();
    await world.store.requests.amendDevice(phone.device.id, one => ({
      ...one,
      passkey: { ...one.passkey!, signCount: 7 },
    }));
    authenticator.count = 7;
    const request = await world.opened();
    const grant = await world.grant(request.sessions[0]!, phone);
    const challenge = await challengeOf(grant);
    await expect(complete(request, phone, grant, authenticator.get(challenge, deviation))).rejects.toMatchObject({
      reason: 'passkey-refused',
    });
    expect((await world.fresh(request)).sessions[0]!.state).toBe('open');
    expect(await complete(request, phone, grant, authenticator.get(challenge))).toMatchObject({ state: 'signed' });
  });

  test('an assertion for other signed attributes, another turn, of another device or replayed is refused', async () => {
    await open('offered');
    const { phone, authenticator } = await withPasskey();
    const first = await world.opened();
    const earlier = await world.grant(first.sessions[0]!, phone);
    const replayed = authenticator.get(await challengeOf(earlier));
    await complete(first, phone, earlier, replayed);
    const request = await world.opened({ key: 'b'.repeat(64) });
    const grant = await world.grant(request.sessions[0]!, phone);
    const attributes = grant.documents.map(({ signedAttributes }) => signedAttributes);
    const others = [
      replayed,
      authenticator.get(await signatureChallenge(grant.turn, [Buffer.from('other attributes')])),
      authenticator.get(await signatureChallenge(grant.turn, [...attributes, ...attributes])),
      authenticator.get(await signatureChallenge('another turn', attributes)),
      new Authenticator().get(await challengeOf(grant)),
      { ...new Authenticator().get(await challengeOf(grant)), credential: authenticator.id },
    ];
    for (const assertion of others)
      await expect(complete(request, phone, grant, assertion)).rejects.toMatchObject({ reason: 'passkey-refused' });
    await expect(complete(request, phone, grant, null)).rejects.toMatchObject({ reason: 'passkey-needed' });
    expect((await world.fresh(request)).sessions[0]!.state).toBe('open');
  });

  test('one bit anywhere in it, and it is refused', async () => {
    await open('offered');
    const { phone, authenticator } = await withPasskey();
    const request = await world.opened();
    const grant = await world.grant(request.sessions[0]!, phone);
    const good = authenticator.get(await challengeOf(grant));
    const flipped = (value: Uint8Array, at: number): Uint8Array => value.with(at, value[at]! ^ 1);
    for (const part of ['credential', 'clientData', 'authenticatorData', 'signature'] as const)
      for (const at of [0, good[part].length >> 1, good[part].length - 1])
        await expect(
          complete(request, phone, grant, { ...good, [part]: flipped(good[part], at) }),
          `${part} ${at}`,
        ).rejects.toMatchObject({ reason: 'passkey-refused' });
    expect(await complete(request, phone, grant, good)).toMatchObject({ state: 'signed' });
  });

  test('offered: a device without one signs without; required: it does not; off: one that is there is not asked for', async () => {
    await open('offered');
    const plain = await world.phone('john');
    const request = await world.opened();
    expect(await world.sign(request.sessions[0]!, plain)).toMatchObject({ state: 'signed' });
    await world.close();
    await open('required');
    const other = await world.phone('john');
    const asked = await world.opened();
    await expect(world.grant(asked.sessions[0]!, other)).rejects.toMatchObject({ reason: 'passkey-needed' });
    await world.close();
    await open('off');
    const { phone } = await withPasskey();
    const off = await world.opened();
    expect(await world.sign(off.sessions[0]!, phone)).toMatchObject({ state: 'signed' });
  });
});

describe('the same assertion again', () => {
  const away = (failures: { left: number }) => (deps: World['deps']) => ({
    ...deps,
    documents: {
      ...deps.documents,
      async completeSignature(...signature: Parameters<typeof deps.documents.completeSignature>) {
        if (failures.left-- > 0) throw new TimestampUnavailable('the timestamp authority is away');
        return deps.documents.completeSignature(...signature);
      },
    },
  });

  test('of an authenticator that counts, sent twice at once or after a fault: one signature, the same answer', async () => {
    const failures = { left: 1 };
    await open('offered', 'off', away(failures));
    const { phone, authenticator } = await withPasskey();
    const request = await world.opened();
    const grant = await world.grant(request.sessions[0]!, phone);
    const assertion = authenticator.get(await challengeOf(grant));
    await expect(complete(request, phone, grant, assertion)).rejects.toThrow(TimestampUnavailable);
    const both = await Promise.all([1, 2].map(() => complete(request, phone, grant, assertion)));
    expect(both.map(({ state }) => state)).toEqual(['signed', 'signed']);
    expect(both[0]).toEqual(both[1]);
    expect((await world.devices.find(phone.device.id))?.passkey?.signCount).toBe(1);
  });

  test('is worth nothing for another turn, nor is another one with its counter', async () => {
    const failures = { left: 1 };
    await open('offered', 'off', away(failures));
    const { phone, authenticator } = await withPasskey();
    const request = await world.opened();
    const grant = await world.grant(request.sessions[0]!, phone);
    const challenge = await challengeOf(grant);
    const assertion = authenticator.get(challenge);
    await expect(complete(request, phone, grant, assertion)).rejects.toThrow(TimestampUnavailable);
    const copy = authenticator.get(challenge, { count: 1 });
    await expect(complete(request, phone, grant, copy)).rejects.toMatchObject({ reason: 'passkey-refused' });
    world.pass(61_000);
    const later = await world.grant(request.sessions[0]!, phone);
    expect(later.turn).not.toBe(grant.turn);
    await expect(complete(request, phone, later, assertion)).rejects.toMatchObject({ reason: 'passkey-refused' });
    authenticator.count = 1;
    const right = authenticator.get(await challengeOf(later));
    expect(await complete(request, phone, later, right)).toMatchObject({ state: 'signed' });
  });
});

describe('an approval at Standard with a passkey', () => {
  const TOKEN = Buffer.alloc(32, 'k');
  const ORIGIN = {
    userIp: '192.0.2.7',
    clientId: 'sign.company.test',
    clientIp: '192.0.2.1',
    call: Buffer.from('call'),
  };

  async function prepared(): Promise<{ phone: Phone; authenticator: Authenticator }> {
    const made = await withPasskey();
    await world.devices.setTokenKey(made.phone.device.id, TOKEN);
    return made;
  }
  const ask = ({ sessions, documents }: Request, { device }: Phone) =>
    world.requests.askApproval(sessions[0]!.id, device, { documents: documents.map(({ head }) => head!), place: null });
  type Asked = Awaited<ReturnType<typeof ask>>;
  function approve(request: Request, { device }: Phone, { nonce, data }: Asked, assertion: Assertion | null) {
    const hmac = createHmac('sha256', TOKEN).update(nonce).update(data).digest();
    const signature = { kind: 'typed', text: 'John' } as const;
    const approval = { nonce, hmac, signature, paraph: null, utcOffset: 0, assertion };
    return world.requests.approve(request.sessions[0]!.id, device, approval, ORIGIN);
  }

  test.each(['offered', 'required'] as const)(
    '%s: is signed, and the assertion is kept beside the report',
    async use => {
      await open('off', use);
      const { phone, authenticator } = await prepared();
      const request = await world.opened({ level: 'standard' });
      const asked = await ask(request, phone);
      const challenge = await approvalChallenge(asked.nonce, asked.data);
      const signed = await approve(request, phone, asked, authenticator.get(challenge));
      expect(signed).toMatchObject({ state: 'signed', evidence: { report: expect.any(String) } });
      const proof = JSON.parse(text(await world.store.blobs.get(signed.assertion!)));
      expect(proof.challenge).toBe(Buffer.from(challenge).toString('base64url'));
      const first = createHash('sha256').update(asked.data).digest();
      const expected = createHash('sha256').update('signpost passkey v1\0approval\0').update(asked.nonce).update(first);
      expect(proof.challenge).toBe(expected.digest('base64url'));
      expect((await world.devices.find(phone.device.id))?.passkey?.signCount).toBe(1);
    },
  );

  test('none, one for another question, text or level, and one used before are refused; none counts as a wrong answer', async () => {
    await open('offered', 'offered');
    const { phone, authenticator } = await prepared();
    const earlier = await world.opened({ level: 'standard', key: 'b'.repeat(64) });
    const before = await ask(earlier, phone);
    const used = authenticator.get(await approvalChallenge(before.nonce, before.data));
    expect(await approve(earlier, phone, before, used)).toMatchObject({ state: 'signed' });
    const request = await world.opened({ level: 'standard' });
    const forgotten = await ask(request, phone);
    const asked = await ask(request, phone);
    const challenges = [
      await approvalChallenge(forgotten.nonce, asked.data),
      await approvalChallenge(asked.nonce, Buffer.concat([asked.data, Buffer.from(' ')])),
      await approvalChallenge(asked.nonce, before.data),
      await signatureChallenge(Buffer.from(asked.nonce).toString('hex'), [asked.data]),
    ];
    for (const assertion of [used, ...challenges.map(challenge => authenticator.get(challenge))])
      await expect(approve(request, phone, asked, assertion)).rejects.toMatchObject({ reason: 'passkey-refused' });
    for (let i = 0; i < 6; i++)
      await expect(approve(request, phone, asked, null)).rejects.toMatchObject({ reason: 'passkey-needed' });
    const { sessions } = await world.fresh(request);
    expect(sessions[0]).toMatchObject({ state: 'open' });
    expect(sessions[0]!.wrongAnswers).toBeUndefined();
    const right = authenticator.get(await approvalChallenge(asked.nonce, asked.data));
    expect(await approve(request, phone, asked, right)).toMatchObject({ state: 'signed' });
  });

  test('required: a device without one is not even asked', async () => {
    await open('off', 'required');
    const phone = await freshPhone();
    await world.devices.setTokenKey(phone.device.id, TOKEN);
    const request = await world.opened({ level: 'standard' });
    await expect(ask(request, phone)).rejects.toMatchObject({ reason: 'passkey-needed' });
  });
});

describe('adding a passkey', () => {
  test('soon after showing who one is, one for each device, and the answer that got lost again', async () => {
    await open('offered');
    const phone = await freshPhone();
    const registration = new Authenticator().create(CHALLENGE);
    await world.devices.addPasskey(phone.device, registration);
    await world.devices.addPasskey(phone.device, registration);
    await expect(world.devices.addPasskey(phone.device, new Authenticator().create(CHALLENGE))).rejects.toMatchObject({
      reason: 'passkey-refused',
    });
    const late = await freshPhone('jane');
    world.pass(16 * 60_000);
    await expect(world.devices.addPasskey(late.device, registration)).rejects.toMatchObject({ reason: 'more-proof' });
  });

  test.each([
    { name: 'without user verification', deviation: { flags: 0x41 } },
    { name: 'without a credential', deviation: { flags: 0x05 } },
    { name: 'of another site', deviation: { origin: 'https://sign.company.test:8443' } },
    { name: 'for another relying party', deviation: { rpId: 'company.test' } },
    { name: 'that is an assertion', deviation: { type: 'webauthn.get' } },
  ])('not one $name', async ({ deviation }) => {
    await open('offered');
    const phone = await freshPhone();
    await expect(
      world.devices.addPasskey(phone.device, new Authenticator().create(CHALLENGE, deviation)),
    ).rejects.toMatchObject({ reason: 'passkey-refused' });
    expect((await world.devices.find(phone.device.id))?.passkey).toBeUndefined();
  });

  test('cut off anywhere, garbage, short RSA keys: refused, never a fault', async () => {
    await open('offered');
    const phone = await freshPhone();
    const good = new Authenticator().create(CHALLENGE);
    const cut = Array.from({ length: good.authenticatorData.length }, (_, length) =>
      good.authenticatorData.subarray(0, length),
    );
    const garbage = [
      ...cut,
      Buffer.alloc(500, 0xff),
      Buffer.concat([good.authenticatorData.subarray(0, 87), Buffer.alloc(60, 0x81)]),
    ];
    for (const authenticatorData of garbage)
      await expect(world.devices.addPasskey(phone.device, { ...good, authenticatorData })).rejects.toMatchObject({
        reason: 'passkey-refused',
      });
    for (const clientData of ['', '{', '[]', '{}', 'null', '\xff'])
      await expect(
        world.devices.addPasskey(phone.device, { ...good, clientData: Buffer.from(clientData, 'latin1') }),
      ).rejects.toMatchObject({ reason: 'passkey-refused' });
    await expect(
      world.devices.addPasskey(phone.device, new Authenticator('RS256', 1024).create(CHALLENGE)),
    ).rejects.toMatchObject({ reason: 'passkey-refused' });
    await world.devices.addPasskey(phone.device, good);
  });
});

test.each([
  ['an unknown algorithm', 'a201020338ff'],
  ['a key that stands twice', 'a201020102'],
  ['an indefinite length', 'bf01'],
  ['an RSA key of exponent 1', `a4010303390100205901${'00'}${'ff'.repeat(256)}214101`],
  ['a point that is on no curve', `a5010203262001215820${'11'.repeat(32)}225820${'22'.repeat(32)}`],
  ['a list', '80'],
  ['nothing', ''],
])('a COSE key that is %s', (_name, hex) => {
  expect(() => readCoseKey(Buffer.from(hex, 'hex'))).toThrow(BadCose);
});
