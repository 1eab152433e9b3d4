/** Documents that aren't PDFs through the real requests, devices and API: one after the other, at once, with a lying gateway. */
import { createHash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type SignpostDevice, Tampered } from '../../../src/client/device.ts';
import type { Person } from '../../../src/directory/directory.ts';
import type { Request } from '../../../src/requests/model.ts';
import type { Grant } from '../../../src/requests/requests.ts';
import { verifyCades } from '../../../src/signatures/cades-verify.ts';
import { splitSigners } from '../../../src/signatures/cms-signers.ts';
import { type Gateway, JOHN, MARY, startGateway } from './gateway.ts';

const LETTER = { name: 'letter.txt', bytes: Buffer.from('Dear Mary,\nI agree.\n'), kind: 'file' } as const;
const XML = { name: 'order.xml', bytes: Buffer.from('<order/>'), kind: 'xml' } as const;

let gateway: Gateway;
let tamper: ((grant: Grant) => Grant) | null = null;

beforeAll(async () => {
  gateway = await startGateway({ tamper: grant => tamper?.(grant) ?? grant });
  return () => gateway.close();
});
afterEach(() => {
  tamper = null;
});

async function sign(request: Request, who: Person, device: SignpostDevice): Promise<void> {
  const token = gateway.tokenOf(request, who);
  const view = await device.view(token);
  const documents = await device.download(token, view);
  for (const [index, { sha256, kind, pages, field }] of view.documents.entries()) {
    if (kind === 'pdf') continue;
    expect(sha256).toBe(createHash('sha256').update(documents[index]!).digest('hex'));
    expect({ pages, field }).toEqual({ pages: 0, field: null });
  }
  expect((await device.sign(token, view, documents)).session).toBe('signed');
}

/** Common names of those whose signature holds over this content. */
function signers(cms: Uint8Array, content: Uint8Array): string[] {
  return splitSigners(cms)
    .map(one => {
      const found = verifyCades(one, null);
      expect(Buffer.from(found.content).equals(content)).toBe(true);
      expect(found.timestamps).toHaveLength(1);
      return found.signer;
    })
    .map(({ der }) => Buffer.from(der).toString('latin1'))
    .flatMap(der => [JOHN.name, MARY.name, 'Company Ltd Seal'].filter(name => der.includes(name)))
    .sort();
}

describe('a file and a PDF in one request', () => {
  test.each(['ordered', 'parallel'] as const)('%s: each signs both, at the same moment where they may', async mode => {
    const request = await gateway.submit([JOHN, MARY], { mode, files: [LETTER, XML], documents: 1 });
    const [john, mary] = await Promise.all([gateway.deviceFor(JOHN), gateway.deviceFor(MARY)]);
    if (mode === 'parallel') await Promise.all([sign(request, JOHN, john), sign(request, MARY, mary)]);
    else {
      await sign(request, JOHN, john);
      await sign(request, MARY, mary);
    }
    await gateway.until(request.id, ({ state }) => state === 'finished');
    const view = await john.finished(request.id);
    expect(view.documents.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'letter.txt.p7m file',
      'order.xml.p7m file',
      'Contract 1 signed.pdf pdf',
    ]);
    const files = await john.downloadFinished(request.id, view);
    const everybody = ['Company Ltd Seal', 'John Doe', 'Mary Smith'];
    expect(signers(files[0]!, LETTER.bytes)).toEqual(everybody);
    expect(signers(files[1]!, XML.bytes)).toEqual(everybody);
  });

  test('signing again after success changes nothing', async () => {
    const request = await gateway.submit([JOHN], { files: [LETTER], documents: 0 });
    const device = await gateway.deviceFor(JOHN);
    await sign(request, JOHN, device);
    const before = (await gateway.until(request.id, ({ state }) => state === 'finished')).documents;
    const token = gateway.tokenOf(request, JOHN);
    const view = await device.view(token);
    expect((await device.sign(token, view, [LETTER.bytes])).session).toBe('signed');
    expect((await gateway.until(request.id, () => true)).documents).toEqual(before);
  });

  test('level standard is nothing for a file: the request fails in words', async () => {
    const request = await gateway.submit([JOHN], { files: [LETTER], documents: 0, level: 'standard' });
    expect(request.state).toBe('failed');
  });
});

describe('A4 a device refuses', () => {
  test.each<[string, (grant: Grant) => Grant]>([
    ['bytes after the file', grant => withFirst(grant, { appended: Buffer.from('!') })],
    [
      'another file of the same length',
      grant => withFirst(grant, { known: 0, appended: Buffer.from('Dear Mark,\nI agree.\n') }),
    ],
    ['the attributes of another document', grant => withFirst(grant, grant.documents[1]!)],
    ['a document fewer', grant => ({ ...grant, documents: grant.documents.slice(1) })],
  ])('%s', async (_, lie) => {
    const request = await gateway.submit([JOHN], { files: [LETTER, XML], documents: 0 });
    const device = await gateway.deviceFor(JOHN);
    const token = gateway.tokenOf(request, JOHN);
    const view = await device.view(token);
    const documents = await device.download(token, view);
    tamper = lie;
    await expect(device.sign(token, view, documents)).rejects.toThrow(Tampered);
    expect((await device.view(token)).session).toBe('open');
  });

  const withFirst = (grant: Grant, changes: Partial<Grant['documents'][number]>): Grant => {
    const [first, ...others] = grant.documents;
    return { ...grant, documents: [{ ...first!, ...changes }, ...others] };
  };
});
