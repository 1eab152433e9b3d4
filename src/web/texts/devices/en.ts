import type { DeviceTexts } from './catalogue.ts';

export const devicesEn: DeviceTexts = {
  proof: { password: 'your password', 'mailed-code': 'a code by mail', 'admin-code': 'a code from your administrator' },
  and: ' and ',
  or: ', or ',
  needed: what => `To show that it is you: ${what}.`,
  password: 'Your password',
  passwordHint: 'of your account at the company; it is checked there and kept nowhere here',

  waitingTitle: 'Now confirm on your other device',
  waitingText: (names, address) => `You already sign with ${names}. Open ${address} there and confirm this new device.`,
  compare: 'It must show this number there:',
  waiting: 'Waiting for your other device…',
  notConfirmed: 'This device was not confirmed: your other device said no, or it took too long.',
  lostTitle: 'You no longer have it?',
  lostText:
    'The new device can take its place. The old one can no longer sign then; what you signed with it stays valid.',
  replace: name => `Replace “${name}”`,
  replacing: 'Replacing…',
  replaceNeedsMore: 'That needs more proof of who you are. Give it below, or confirm on your other device.',
  moreTitle: 'Or prove once more that it is you',
  startAgain: 'Start again',

  newcomerTitle: 'Add a new device?',
  newcomerText: name => `“${name}” wants to sign as you. Say yes only if you hold it and it shows this number:`,
  newcomerReplaces: name => `It takes the place of “${name}”, which can no longer sign then.`,
  newcomerYes: 'Yes, it is mine',
  newcomerNo: 'No',
  answering: 'One moment…',
  newcomerAdded: name => `“${name}” is added.`,
  newcomerRefused: name =>
    `“${name}” is refused. Somebody may know your password or read your mail: tell your administrator.`,
  newcomerGone: 'This device is no longer waiting.',

  yours: 'Your devices',
  since: date => `since ${date}`,
  ended: date => `removed on ${date}`,
  own: 'this device',
  wasAdded: (name, date) => `A new device signs for you: “${name}”, since ${date}. If it isn’t yours, remove it below.`,
  wasRemoved: (name, date) => `“${name}” was removed on ${date}. If that wasn’t you, tell your administrator.`,
  gotIt: 'All right',
  removeOther: name => `Remove “${name}”…`,
  removeOtherConfirm: name =>
    `“${name}” can no longer sign then, and its certificate is revoked. What you signed with it stays valid. Press again to remove it.`,
  removedOther: name => `“${name}” is removed.`,
  rename: 'Rename this device…',
  name: 'What this device is called',
  saveName: 'Save',
  saving: 'Saving…',

  proveTitle: 'Prove once more that it is you',
  proveText: 'This document needs more proof than this device was set up with. You do this only once.',
  prove: 'Continue',
  proving: 'Checking…',

  passkeyTitle: 'Sign with your fingerprint, face or PIN',
  passkeyText:
    'With a passkey, this device asks for them at each signature, so that nobody else can sign with it. They never leave the device.',
  passkeyRequired: 'This document needs a passkey. Your fingerprint, face or PIN never leaves the device.',
  passkeyAdd: 'Add a passkey',
  passkeyAdding: 'Follow your device…',
  passkeyLater: 'Not now',
  passkeyDeclined: 'No passkey was used. Nothing is signed; try again.',
  passkeyNone: 'This browser has no passkeys. Open the link in another browser, or on your phone.',
};
