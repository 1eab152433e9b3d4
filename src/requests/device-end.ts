/** The end of a device, and what becomes of its certificates. */
import type { Person } from '../directory/directory.ts';
import type { RevocationReason } from '../pki/pki.ts';
import type { Deps } from './deps.ts';
import { composeRow } from './mails.ts';
import type { Device, DeviceState } from './model.ts';
import { moveDevice } from './states.ts';

type Ended = Exclude<DeviceState, 'active'>;

const REASONS: Readonly<Record<Ended, RevocationReason>> = {
  retired: 'superseded',
  // Why isn't known: lost, stolen, or merely given away.
  revoked: 'unspecified',
};

export async function endDevice(deps: Deps, deviceId: string, state: Ended): Promise<void> {
  const device = await deps.store.requests.findDevice(deviceId);
  if (!device) return;
  if (device.state === 'active') {
    // Before, so that a crash leaves an active device that can be ended again; after, for a certificate issued meanwhile.
    await revokeCertificates(deps, deviceId, state);
    const now = deps.now();
    const person = await personToTell(deps, device);
    const told = person
      ? [await composeRow(deps, { kind: 'device-removed', deviceName: device.name, at: now }, person)]
      : [];
    const ended = await deps.store.requests.commit({ devices: [moveDevice(device, state, now)], outbox: told });
    if (ended) {
      deps.logger.info({ device: deviceId, person: device.personId, state }, 'device ended');
      deps.wake();
    }
  }
  await revokeCertificates(deps, deviceId, state);
}

/** A lost phone is ended whether or not the directory answers. */
async function personToTell(deps: Deps, device: Device): Promise<Person | null> {
  try {
    return await deps.directory.findById(device.personId);
  } catch (error) {
    deps.logger.warn({ err: error, device: device.id }, 'device ended without telling its person');
    return null;
  }
}

export async function revokeCertificates(deps: Deps, deviceId: string, state: Ended): Promise<void> {
  for (const { serial, revokedAt, reason } of await deps.pki.ca.listForDevice(deviceId)) {
    // A hold must not be undone after its device has ended.
    if (revokedAt === null || reason === 'certificateHold') await deps.pki.ca.revoke(serial, REASONS[state]);
  }
}
