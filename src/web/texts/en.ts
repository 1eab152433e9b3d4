import type { Texts } from './catalogue.ts';
import { devicesEn } from './devices/en.ts';
import { fileSize } from './file-size.ts';

export const en: Texts = {
  language: 'en',
  loading: 'One moment…',
  retry: 'Try again',
  cancel: 'Cancel',
  offline: 'The connection was lost. Nothing is lost on our side: try again when you are back online.',
  quoted: name => `“${name}”`,
  yourDevice: person => `This device signs for ${person}`,
  browserOn: (browser, system) => `${browser} on ${system}`,
  otherBrowser: 'Browser',

  enrolTitle: 'Set up this device (30 seconds)',
  enrolIntro:
    'To see and sign documents, this browser makes a signing key that never leaves it. We only need to know that it is you.',
  address: 'Your company address',
  addressHint: 'for example name@company.com',
  code: 'Your code',
  codeHint: 'from your administrator, or from the mail that we can send you',
  sendCode: 'Mail me a code',
  sending: 'Sending…',
  codeSent: 'If this address may get a code by mail, it is on its way. It is valid for a few minutes.',
  setUp: 'Set up',
  settingUp: 'Making your key…',
  badAddress: 'Write your company address, for example name@company.com.',
  badCode: 'A code has six or nine digits.',
  insecure:
    'This page was not opened over a secure connection, so the browser can make no signing key. Open it with https.',
  noStorage:
    'This browser keeps nothing here, as in a private window, so your signing key would have no place. Open the link in a normal window, or in another browser.',

  devices: devicesEn,

  unknownTitle: 'Nothing to sign here',
  unknownText:
    'This link is not for the person who uses this device, or it is no longer valid. Open the link from your own mail, on your own device.',
  unknownOther: 'Set up this device for someone else',

  asksYou: sender => `${sender} asks for your signature`,
  from: 'From',
  subject: 'Subject',
  until: 'Sign until',
  signatories: 'Signatories',
  you: 'you',
  state: { waiting: 'waits', open: 'asked', signed: 'signed', rejected: 'rejected', closed: 'did not sign' },
  document: name => `Document ${name}`,
  documents: count => `${count} documents`,
  pages: count => (count === 1 ? '1 page' : `${count} pages`),
  size: bytes => fileSize(bytes, 'en'),
  notShown:
    'Only programs made for this kind of file can show it. Download it and look at it before you sign: exactly the file with this SHA-256 is signed.',
  signaturePages: count => (count === 1 ? 'signature page' : `${count} signature pages`),
  page: number => `Page ${number}`,
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  zoomed: percent => `Zoom ${percent} percent`,
  download: 'Download',
  downloading: percent => `Fetching the document: ${percent}%`,
  unreadable: 'This browser can’t show the document, so you can’t sign it here. Try another browser or device.',
  sign: 'Sign…',
  reject: 'Reject…',
  later: 'Later',
  laterTitle: 'Nothing has been decided',
  laterText: deadline => `Open the link in your mail again whenever you like, until ${deadline}.`,
  laterOpen: 'Open it again',

  confirmTitle: 'Sign this?',
  confirm: (what, name) => `You, ${name}, sign ${what} with an advanced electronic signature. It can’t be taken back.`,
  confirmStandard: (what, name) =>
    `You, ${name}, sign ${what} with a standard (simple) electronic signature: what you see below, sealed by the company. It can’t be taken back.`,
  pad: {
    signature: {
      title: 'Draw your signature',
      hint: '',
      area: 'Drawing area for your signature. If you can’t draw, choose “Type instead”.',
      typed: 'Your name, as your signature',
      missing: 'Draw your signature first, or choose “Type instead”.',
      picture: 'Your signature',
    },
    paraph: {
      title: 'Your initials',
      hint: 'They go to the foot of every page.',
      area: 'Drawing area for your initials. If you can’t draw, choose “Type instead”.',
      typed: 'Your initials',
      missing: 'Draw your initials first, or choose “Type instead”.',
      picture: 'Your initials',
    },
    hint: 'With finger, pen or mouse.',
    turn: 'You can turn your phone.',
    undo: 'Undo',
    clear: 'Clear',
    typeInstead: 'Type instead',
    drawInstead: 'Draw instead',
    done: 'Done',
    remember: 'Remember this on my device',
  },
  place: {
    title: 'Place shown in the document',
    none: 'None',
    city: 'City',
    here: 'My coordinates',
    locating: 'Finding your place…',
    denied: 'Your device doesn’t tell its place.',
  },
  signNow: 'Sign now',
  signing: 'Signing…',
  step: {
    certificate: 'Getting your certificate…',
    turn: 'Reserving your turn…',
    waiting: 'Someone else is signing; you are next…',
    checking: 'Checking what you sign…',
    passkey: 'Your device asks for your fingerprint, face or PIN…',
    sending: 'Signing and adding a timestamp…',
  },
  tampered: 'Not signed: the document has changed',
  tamperedText: reason =>
    `What should be signed isn’t what you were shown (${reason}). Your device refused to sign it. Tell your administrator.`,

  rejectTitle: 'Reject this request?',
  rejectText: sender => `Nobody can sign it after that. ${sender} and everybody else involved will be told by mail.`,
  comment: 'Why?',
  commentOptional: 'optional; everybody involved can read it',
  commentRequired: 'everybody involved can read it',
  rejectNow: 'Reject',
  rejecting: 'Rejecting…',

  signedTitle: 'Signed',
  signedText: name => `Thank you, ${name}. Your signature is in the document.`,
  next: names => `Still to sign: ${names}.`,
  nobodyNext: 'You were the last to sign. The document is being sealed now.',
  byMail: 'You’ll get the signed copy by mail.',
  rejectedTitle: 'Rejected',
  rejectedText: 'You rejected this request. Everybody involved has been told by mail.',
  waitingTitle: 'Not your turn yet',
  waitingText: 'Others sign before you. You’ll get a mail when it is your turn.',
  preparingText: 'The document is being prepared. This page opens it in a moment.',
  endedTitle: 'This request has ended',
  ended: {
    finished: 'Everybody has signed. You got the signed copy by mail.',
    rejected: 'One of the signatories rejected it.',
    expired: 'Not everybody signed in time.',
    cancelled: 'It was cancelled.',
    failed: 'The document could not be processed; its sender has been told.',
  },

  finishedTitle: count => (count === 1 ? 'The signed document' : 'The signed documents'),
  finishedText: count =>
    count === 1
      ? 'Everybody has signed, and the document is sealed and timestamped. Download it and keep the file: a print-out proves nothing.'
      : 'Everybody has signed, and the documents are sealed and timestamped. Download them and keep the files: a print-out proves nothing.',
  sealedTitle: count => (count === 1 ? 'The sealed document' : 'The sealed documents'),
  sealedText: count =>
    count === 1
      ? 'The company has sealed and timestamped the document. Download it and keep the file: a print-out proves nothing.'
      : 'The company has sealed and timestamped the documents. Download them and keep the files: a print-out proves nothing.',
  signedBy: 'Signed by',
  finishedOn: 'Finished',
  finishedUnreadable: 'This browser can’t show the document. Download it and open it with a PDF reader.',
  openFinished: count => (count === 1 ? 'Open the signed document' : 'Open the signed documents'),

  homeTitle: 'Documents to sign',
  homeText:
    'Mail a PDF to somebody’s address at the signing domain, and they are asked to sign it. Mail it to “self” to sign it yourself.',
  homeSetUp: 'Set up this device',
  waitingForYou: 'Waiting for you',
  nothingWaits: 'Nothing waits for your signature.',
  fromUntil: (sender, deadline) => `from ${sender}, until ${deadline}`,
  thisDevice: 'This device',
  deviceFacts: (name, since) => `${name}, set up on ${since}`,
  removeDevice: 'Remove this device…',
  removeConfirm:
    'Its key is deleted and its certificate revoked. What you have signed stays valid. You can set up this device again at any time.',
  removing: 'Removing…',
  removed: 'This device has been removed.',

  trustTitle: 'Why a yellow mark?',
  trustIntro:
    'The signatures are complete and can be checked with any software. Adobe Reader shows a yellow mark until it is told to trust the company’s own certificate authority.',
  trustDownload: 'Download the company’s root certificate',
  trustAdobe: 'In Adobe Reader',
  trustAdobeSteps: [
    'Open a signed document and the Signature panel.',
    'Open a signature, Signature Properties, Show Signer’s Certificate.',
    'Choose the topmost certificate in the list, the tab Trust, Add to Trusted Certificates, and OK.',
    'Compare its fingerprint with the one your administrator gives you.',
  ],
  trustWindows: 'For everybody at once (Windows group policy)',
  trustWindowsText:
    'Import the root certificate under Computer Configuration, Windows Settings, Security Settings, Public Key Policies, Trusted Root Certification Authorities; and let Adobe Reader trust the Windows store (Preferences, Signatures, Verification, Windows Integration).',
  trustOthers: 'Other software',
  trustOthersText: 'The file is a PEM certificate: OpenSSL, pdfsig, Okular and others take it as it is.',

  failedTitle: 'That did not work',
  problem: {
    'not-found': 'There is nothing here for this device.',
    nonce: 'Please try again.',
    'bad-request': 'The gateway did not understand this page. Reload it and try again.',
    'enrolment-refused':
      'What you gave is wrong, no longer valid or not enough. Check address, password and code, or get a new code.',
    'too-many-tries': 'Too many tries. Wait a few minutes, then ask for a new code.',
    'certificate-refused': 'The gateway issued no certificate for this device. Ask your administrator.',
    'comment-required': 'Please say why.',
    'not-open': 'This request is no longer open.',
    'not-your-turn': 'Others sign before you.',
    'turn-lost': 'That took too long. Please sign again.',
    busy: 'Someone else is signing just now. Please try again in a few seconds.',
    'no-certificate': 'This device has no valid certificate. Please try again.',
    'bad-signature': 'The gateway could not check the signature. Please try again.',
    'no-token': 'This device is not ready yet. Please try again.',
    'token-refused':
      'This device has lost the key that it approves with. Remove it on the start page and set it up again.',
    'bad-approval': 'The gateway could not check your approval. Please open the link again.',
    'no-more-tries':
      'Too many approvals of this request went wrong, so it can no longer be signed by you. Ask its sender to send it again.',
    'more-proof': 'This needs more proof of who you are than this device was set up with.',
    'passkey-needed': 'This document needs a passkey. Open the link in a browser that has one.',
    'passkey-refused':
      'Your passkey could not be checked. Please try again, or remove this device on the start page and set it up again.',
    'password-paused':
      'For now no password is tried for this address, so that nobody can lock your account. Open the link in a mail of yours, use a code from your administrator, or wait an hour.',
    'try-later': 'The gateway is busy. Please try again in a minute.',
    internal: 'Something went wrong on our side. Nothing is lost; please try again in a minute.',
  },
};
