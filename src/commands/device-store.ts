/** The command line's device store: one file, readable by its owner only. */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type DeviceMemory, type DeviceStore, importTokenKey, type TokenKey } from '../client/keys.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

const publicKey = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
const privateKey = publicKey.extend({ d: z.string() });

const fileSchema = z.object({
  origin: z.url(),
  pending: privateKey.nullable(),
  device: z
    .object({
      authentication: privateKey,
      enrolled: z.object({
        deviceId: z.string(),
        person: z.object({ name: z.string(), mail: z.string() }),
        company: z.string(),
        gatewayKey: publicKey,
      }),
      signing: z
        .object({ key: privateKey, serial: z.string(), certificate: z.base64(), notAfter: z.iso.datetime() })
        .nullable(),
      /** Absent in files of earlier versions. */
      token: z.object({ key: z.base64(), sent: z.boolean() }).nullable().optional(),
    })
    .nullable(),
});
type DeviceFile = z.infer<typeof fileSchema>;

export function defaultStoreFolder(): string {
  return join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'signpost');
}

async function exportKeys(keys: CryptoKeyPair): Promise<z.infer<typeof privateKey>> {
  return privateKey.parse(await crypto.subtle.exportKey('jwk', keys.privateKey));
}

async function importKeys(key: z.infer<typeof privateKey>): Promise<CryptoKeyPair> {
  const { d: _, ...half } = key;
  return {
    privateKey: await crypto.subtle.importKey('jwk', key, P256, true, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', half, P256, true, ['verify']),
  };
}

async function exportToken({ key, unsent }: TokenKey): Promise<{ key: string; sent: boolean }> {
  const bytes = await crypto.subtle.exportKey('raw', key);
  return { key: Buffer.from(bytes).toString('base64'), sent: unsent === null };
}

async function importToken({ key, sent }: { key: string; sent: boolean }): Promise<TokenKey> {
  const bytes = Buffer.from(key, 'base64');
  return { key: await importTokenKey(bytes, true), unsent: sent ? null : bytes };
}

async function readDeviceFile(folder: string): Promise<DeviceFile | null> {
  const path = join(folder, 'device.json');
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error(`${path} can't be read`, { cause: error });
  }
}

/** The gateway that this folder's device belongs to, or null. */
export async function storedOrigin(folder: string): Promise<string | null> {
  return (await readDeviceFile(folder))?.origin ?? null;
}

/** @param origin the gateway's; a file of another gateway counts as empty */
export function fileStore(folder: string, origin: string): DeviceStore {
  return {
    extractable: true,
    async load(): Promise<DeviceMemory> {
      const file = await readDeviceFile(folder);
      if (file?.origin !== origin) return { pending: null, device: null };
      const { pending, device } = file;
      return {
        pending: pending && (await importKeys(pending)),
        device: device && {
          authentication: await importKeys(device.authentication),
          enrolled: device.enrolled,
          signing: device.signing && {
            keys: await importKeys(device.signing.key),
            serial: device.signing.serial,
            certificate: Buffer.from(device.signing.certificate, 'base64'),
            notAfter: new Date(device.signing.notAfter),
          },
          token: device.token && (await importToken(device.token)),
        },
      };
    },
    async save({ pending, device }) {
      const file: DeviceFile = {
        origin,
        pending: pending && (await exportKeys(pending)),
        device: device && {
          authentication: await exportKeys(device.authentication),
          enrolled: device.enrolled,
          signing: device.signing && {
            key: await exportKeys(device.signing.keys),
            serial: device.signing.serial,
            certificate: Buffer.from(device.signing.certificate).toString('base64'),
            notAfter: device.signing.notAfter.toISOString(),
          },
          token: device.token && (await exportToken(device.token)),
        },
      };
      await replaceFile(folder, 'device.json', `${JSON.stringify(file, null, 2)}\n`);
    },
  };
}

/** Whole or not at all, mode 0600. */
async function replaceFile(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${name}.${process.pid}`);
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
}
