/** What browser.test.ts bundles. */
export { SignpostDevice } from '../../../src/client/device.ts';
export { indexedDbStore } from '../../../src/client/indexeddb.ts';
