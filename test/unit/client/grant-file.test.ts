/** What a device signs of a document that isn't a PDF, and what it refuses to. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFileGrant, type FileGrantToCheck } from '../../../src/client/grant-file.ts';
import { Tampered } from '../../../src/client/increments.ts';
import { prepareCades } from '../../../src/signatures/cades.ts';

const certificate = randomBytes(400);

/** As an honest gateway grants it. */
function granted(content: Uint8Array, signingTime = new Date('2026-11-24T14:03:09Z')): FileGrantToCheck {
  const { toBeSigned } = prepareCades(content, { certificate, signingTime });
  return { content, appended: new Uint8Array(), signedAttributes: toBeSigned, certificate, signingTime };
}

describe('a grant on a file', () => {
  test('of any content at any time, the device writes the very attributes that the gateway asks for', async () => {
    const time = fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), time, async (content, at) => {
        await expect(checkFileGrant(granted(content, at))).resolves.toBeUndefined();
      }),
    );
  });

  const honest = granted(Buffer.from('Dear Mary'));
  test.each<[string, Partial<FileGrantToCheck>]>([
    ['another content', { content: Buffer.from('Dear Mark') }],
    ['something more', { appended: Buffer.from('.') }],
    ['another certificate', { certificate: randomBytes(400) }],
    ['another time', { signingTime: new Date('2026-11-24T14:03:10Z') }],
    ['attributes with a byte more', { signedAttributes: Buffer.concat([honest.signedAttributes, Buffer.alloc(1)]) }],
  ])('%s: refused', async (_, changes) => {
    await expect(checkFileGrant({ ...honest, ...changes })).rejects.toThrow(Tampered);
  });

  test.each(['%PDF-1.7\n', `${' '.repeat(1019)}%PDF-`, `${' '.repeat(1023)}%PDF-`])(
    'what a reader would take for a PDF: refused as a file, for its signature could serve a PDF that nobody was shown',
    async start => {
      await expect(checkFileGrant(granted(Buffer.from(`${start}1 0 obj`)))).rejects.toThrow('a PDF was shown');
    },
  );
});
