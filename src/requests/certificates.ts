/** Whether a device may sign, by its certificates. */
import type { CertificateRecord } from '../pki/pki.ts';
import { stopsDevice } from '../pki/suspension.ts';
import type { Deps } from './deps.ts';
import type { Device } from './model.ts';
import { Conflict } from './requests.ts';

/** A hold or a revocation of any of its certificates stops a device, whatever it signs with. @throws Conflict */
export async function checkNotStopped(deps: Deps, device: Device): Promise<readonly CertificateRecord[]> {
  const records = await deps.pki.ca.listForDevice(device.id);
  if (records.some(stopsDevice)) throw noCertificate();
  return records;
}

/** DER of the device's own certificate, valid now. @throws Conflict */
export async function usableCertificate(deps: Deps, serial: string, device: Device): Promise<Uint8Array> {
  const record = (await checkNotStopped(deps, device)).find(one => one.serial === serial);
  const now = deps.now();
  const usable =
    record?.personId === device.personId &&
    record.revokedAt === null &&
    record.notBefore <= now &&
    record.notAfter > now;
  if (!usable) throw noCertificate();
  return record.certificate;
}

const noCertificate = (): Conflict =>
  new Conflict('no-certificate', 'This device has no valid certificate of that number.');
