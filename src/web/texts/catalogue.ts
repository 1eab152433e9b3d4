/** Every text of the pages, per language: a missing one is a type error. */
import type { SigningStep } from '../../client/device.ts';
import type { ProblemType } from '../../client/protocol.ts';
import type { DeviceTexts } from './devices/catalogue.ts';

/** What the pad says of a signature or of initials. */
type MarkTexts = Readonly<Record<'title' | 'hint' | 'area' | 'typed' | 'missing' | 'picture', string>>;

export interface Texts {
  readonly language: 'en' | 'fr' | 'de';
  readonly loading: string;
  readonly retry: string;
  readonly cancel: string;
  readonly offline: string;
  /** In the language's own quotation marks. */
  readonly quoted: (text: string) => string;
  readonly yourDevice: (person: string) => string;
  /** "Firefox on Android": what people will recognise in a list of their devices. */
  readonly browserOn: (browser: string, system: string) => string;
  readonly otherBrowser: string;

  readonly enrolTitle: string;
  readonly enrolIntro: string;
  readonly address: string;
  readonly addressHint: string;
  readonly code: string;
  readonly codeHint: string;
  readonly sendCode: string;
  readonly sending: string;
  readonly codeSent: string;
  readonly setUp: string;
  readonly settingUp: string;
  readonly badAddress: string;
  readonly badCode: string;
  readonly insecure: string;
  readonly noStorage: string;

  readonly devices: DeviceTexts;

  readonly unknownTitle: string;
  readonly unknownText: string;
  readonly unknownOther: string;

  readonly asksYou: (sender: string) => string;
  readonly from: string;
  readonly subject: string;
  readonly until: string;
  readonly signatories: string;
  readonly you: string;
  readonly state: Readonly<Record<'waiting' | 'open' | 'signed' | 'rejected' | 'closed', string>>;
  readonly document: (name: string) => string;
  readonly documents: (count: number) => string;
  readonly pages: (count: number) => string;
  readonly size: (bytes: number) => string;
  /** In place of a file that is neither text nor a picture. */
  readonly notShown: string;
  readonly signaturePages: (count: number) => string;
  readonly page: (number: number) => string;
  readonly zoomIn: string;
  readonly zoomOut: string;
  readonly zoomed: (percent: number) => string;
  readonly download: string;
  readonly downloading: (percent: number) => string;
  readonly unreadable: string;
  readonly sign: string;
  readonly reject: string;
  readonly later: string;
  readonly laterTitle: string;
  readonly laterText: (deadline: string) => string;
  readonly laterOpen: string;

  readonly confirmTitle: string;
  readonly confirm: (what: string, name: string) => string;
  readonly confirmStandard: (what: string, name: string) => string;
  readonly pad: Readonly<Record<'signature' | 'paraph', MarkTexts>> &
    Readonly<Record<'hint' | 'turn' | 'undo' | 'clear' | 'typeInstead' | 'drawInstead' | 'done' | 'remember', string>>;
  readonly place: Readonly<Record<'title' | 'none' | 'city' | 'here' | 'locating' | 'denied', string>>;
  readonly signNow: string;
  readonly signing: string;
  readonly step: Readonly<Record<SigningStep, string>>;
  readonly tampered: string;
  readonly tamperedText: (reason: string) => string;

  readonly rejectTitle: string;
  readonly rejectText: (sender: string) => string;
  readonly comment: string;
  readonly commentOptional: string;
  readonly commentRequired: string;
  readonly rejectNow: string;
  readonly rejecting: string;

  readonly signedTitle: string;
  readonly signedText: (name: string) => string;
  readonly next: (names: string) => string;
  readonly nobodyNext: string;
  readonly byMail: string;
  readonly rejectedTitle: string;
  readonly rejectedText: string;
  readonly waitingTitle: string;
  readonly waitingText: string;
  readonly preparingText: string;
  readonly endedTitle: string;
  readonly ended: Readonly<Record<'finished' | 'rejected' | 'expired' | 'cancelled' | 'failed', string>>;

  readonly finishedTitle: (documents: number) => string;
  readonly finishedText: (documents: number) => string;
  readonly sealedTitle: (documents: number) => string;
  readonly sealedText: (documents: number) => string;
  readonly signedBy: string;
  readonly finishedOn: string;
  readonly finishedUnreadable: string;
  readonly openFinished: (documents: number) => string;

  readonly homeTitle: string;
  readonly homeText: string;
  readonly homeSetUp: string;
  readonly waitingForYou: string;
  readonly nothingWaits: string;
  readonly fromUntil: (sender: string, deadline: string) => string;
  readonly thisDevice: string;
  readonly deviceFacts: (name: string, since: string) => string;
  readonly removeDevice: string;
  readonly removeConfirm: string;
  readonly removing: string;
  readonly removed: string;

  readonly trustTitle: string;
  readonly trustIntro: string;
  readonly trustDownload: string;
  readonly trustAdobe: string;
  readonly trustAdobeSteps: readonly string[];
  readonly trustWindows: string;
  readonly trustWindowsText: string;
  readonly trustOthers: string;
  readonly trustOthersText: string;

  readonly failedTitle: string;
  readonly problem: Readonly<Record<ProblemType, string>>;
}
