/** Texts about setting up devices, a person's several devices, and passkeys. */
import type { Proof } from '../../../client/protocol.ts';

export interface DeviceTexts {
  readonly proof: Readonly<Record<Proof, string>>;
  readonly and: string;
  readonly or: string;
  /** What is needed: "A, or B and C". */
  readonly needed: (what: string) => string;
  readonly password: string;
  readonly passwordHint: string;

  readonly waitingTitle: string;
  readonly waitingText: (names: string, address: string) => string;
  readonly compare: string;
  readonly waiting: string;
  readonly notConfirmed: string;
  readonly lostTitle: string;
  readonly lostText: string;
  readonly replace: (name: string) => string;
  readonly replacing: string;
  readonly replaceNeedsMore: string;
  readonly moreTitle: string;
  readonly startAgain: string;

  readonly newcomerTitle: string;
  readonly newcomerText: (name: string) => string;
  readonly newcomerReplaces: (name: string) => string;
  readonly newcomerYes: string;
  readonly newcomerNo: string;
  readonly answering: string;
  readonly newcomerAdded: (name: string) => string;
  readonly newcomerRefused: (name: string) => string;
  readonly newcomerGone: string;

  readonly yours: string;
  readonly since: (date: string) => string;
  readonly ended: (date: string) => string;
  readonly own: string;
  readonly wasAdded: (name: string, date: string) => string;
  readonly wasRemoved: (name: string, date: string) => string;
  readonly gotIt: string;
  readonly removeOther: (name: string) => string;
  readonly removeOtherConfirm: (name: string) => string;
  readonly removedOther: (name: string) => string;
  readonly rename: string;
  readonly name: string;
  readonly saveName: string;
  readonly saving: string;

  readonly proveTitle: string;
  readonly proveText: string;
  readonly prove: string;
  readonly proving: string;

  readonly passkeyTitle: string;
  readonly passkeyText: string;
  readonly passkeyRequired: string;
  readonly passkeyAdd: string;
  readonly passkeyAdding: string;
  readonly passkeyLater: string;
  readonly passkeyDeclined: string;
  readonly passkeyNone: string;
}
