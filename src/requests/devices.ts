/** The Devices that the phone's API and the admin use; each concern has a file of its own. */
import { timingSafeEqual } from 'node:crypto';
import { createAdminCode, sendCode } from './codes.ts';
import type { Deps } from './deps.ts';
import { endDevice } from './device-end.ts';
import { answerWaiting, continueEnrolment, enrol, enrolmentOf, prove } from './enrolment.ts';
import { addPasskey } from './passkeys.ts';
import { Conflict, type Devices } from './requests.ts';
import { TOKEN_KEY_LENGTH, unwrapTokenKey, wrapTokenKey } from './token-key.ts';

export function createDevices(deps: Deps): Devices {
  const store = deps.store.requests;
  return {
    createAdminCode: personId => createAdminCode(deps, personId),
    sendCode: ask => sendCode(deps, ask),
    enrol: ask => enrol(deps, ask),
    enrolment: deviceId => enrolmentOf(deps, deviceId),
    continueEnrolment: (deviceId, ask) => continueEnrolment(deps, deviceId, ask),
    waiting: personId => deps.store.enrolments.listForPerson(personId, deps.now()),
    answer: (device, waitingId, confirmed) => answerWaiting(deps, device, waitingId, confirmed),
    prove: (device, shown) => prove(deps, device, shown),
    async rename(device, name) {
      await store.amendDevice(device.id, one => ({ ...one, name }));
    },
    addPasskey: (device, registration) => addPasskey(deps, device, registration),
    setTokenKey: (deviceId, key) => setTokenKey(deps, deviceId, key),
    find: deviceId => store.findDevice(deviceId),
    listForPerson: personId => store.listDevices(personId),
    list: () => store.listDevices(null),
    end: (deviceId, state) => endDevice(deps, deviceId, state),
  };
}

/** @throws Conflict */
async function setTokenKey(deps: Deps, deviceId: string, key: Uint8Array): Promise<void> {
  if (key.length !== TOKEN_KEY_LENGTH) throw new Conflict('token-refused', 'A token key has 32 bytes.');
  const wrapped = wrapTokenKey(deps.tokenSecret, deviceId, key, deps.randomBytes);
  if (await deps.store.requests.setTokenKey(deviceId, wrapped)) {
    deps.logger.info({ device: deviceId }, 'token key received');
    return;
  }
  const device = await deps.store.requests.findDevice(deviceId);
  const known = device?.tokenKey && unwrapTokenKey(deps.tokenSecret, deviceId, device.tokenKey);
  if (!known || !timingSafeEqual(known, key)) {
    throw new Conflict('token-refused', 'This device has another token key already; it must be set up again.');
  }
}
