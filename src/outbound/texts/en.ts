import type { Catalogue } from './catalogue.ts';

const documents = (count: number): string => (count === 1 ? 'document' : `${count} documents`);
const theDocuments = (count: number): string => (count === 1 ? 'the document' : `the ${count} documents`);

export const en: Catalogue = {
  document: (name, pages) => (pages === 0 ? name : `${name} (${pages === 1 ? '1\u00a0page' : `${pages}\u00a0pages`})`),
  noSubject: 'Document to sign',
  footer: company => `Signpost, the signing service of ${company}`,

  levels: {
    standard: 'Standard electronic signature',
    advanced: 'Advanced electronic signature',
    qualified: 'Qualified electronic signature',
    seal: 'Company seal',
  },
  levelByDefault: level => `${level} (the default, because your subject named none)`,

  labels: {
    request: 'Request number',
    from: 'Asked by',
    level: 'Level',
    document: count => (count === 1 ? 'Document' : 'Documents'),
    signatory: count => (count === 1 ? 'Signatory' : 'Signatories'),
    signatoriesInOrder: 'Signatories, in this order',
    copies: 'Copies to',
    until: 'Open until',
    passedOver: 'Passed over',
    signedBy: 'Signed by',
    signedAt: 'Signed on',
    notSigned: 'Not signed by',
    reason: 'Reason',
    device: 'Device',
    time: 'Time',
  },

  accepted: {
    title: 'Your request is accepted',
    lead: signatories =>
      signatories === 1
        ? 'The signatory gets a personal link by mail.'
        : `Each of the ${signatories} signatories gets a personal link by mail.`,
    next: 'When everybody has signed, you and all other parties get the signed copy by mail.',
    nextInOrder:
      'They are asked one after the other. When the last one has signed, you and all other parties get the signed copy by mail.',
  },
  pleaseSign: {
    title: sender => `${sender} asks you to sign`,
    lead: (sender, count) => `${sender} would like you to sign ${theDocuments(count)} named below.`,
    titleSelf: count => `Your ${documents(count)} to sign`,
    leadSelf: count => `You asked to sign ${theDocuments(count)} named below yourself.`,
    quote: sender => `${sender} writes:`,
    what: 'Open the link on your phone or computer, read, then sign or reject. Nothing is signed by opening it.',
    button: 'View and sign',
    scan: 'Reading this on a computer? Scan the code with your phone.',
    qrAlt: 'QR code with the link to the document',
    linkBelow: 'Or open this link:',
    yours: 'The link is for you alone and opens only on your own device. Please don’t forward it.',
  },
  reminder: {
    title: sender => `Reminder: ${sender} is waiting for your signature`,
    titleSelf: 'Reminder: your signature is still missing',
    lead: (sender, count, until) =>
      `${sender} asked you to sign ${theDocuments(count)} named below. You can do so until ${until}.`,
    leadSelf: (count, until) => `You asked to sign ${theDocuments(count)} named below. You can do so until ${until}.`,
  },
  signedByOne: {
    title: signatory => `${signatory} has signed`,
    lead: left =>
      left === 1
        ? 'One signature is still missing. You get the signed copy when it is there.'
        : `${left} signatures are still missing. You get the signed copy when they are there.`,
  },
  finished: {
    title: count => (count === 1 ? 'Signed: your copy of the document' : `Signed: your copies of ${count} documents`),
    lead: (count, signatories) =>
      `${signatories === 1 ? 'The signatory has' : 'All signatories have'} signed. ${count === 1 ? 'The signed document is' : 'The signed documents are'} attached, sealed and timestamped. Please keep ${count === 1 ? 'this file' : 'these files'}: a print-out proves nothing.`,
    otherFiles:
      'Files other than PDFs are signed as they were mailed: a .p7m file holds the file with all signatures, a .p7s file holds the signatures of the file beside it, and a sealed XML file holds its seal. OpenSSL, “signpost verify” and other software for CAdES and XAdES check them.',
    trust:
      'Adobe Reader shows a yellow mark instead of a green one until the company’s certificate authority is trusted on your computer; the signatures are valid all the same.',
    trustLink: 'How to trust it:',
  },
  finishedLink: {
    lead: (count, signatories) =>
      `${signatories === 1 ? 'The signatory has' : 'All signatories have'} signed. ${count === 1 ? 'The signed document is too big for your mailbox, so it isn’t attached: please download it' : 'The signed documents are too big for your mailbox, so they aren’t attached: please download them'} and keep ${count === 1 ? 'the file' : 'the files'}; a print-out proves nothing.`,
    button: 'View and download',
    yours: 'The link opens only on your own device; setting one up takes 30 seconds.',
  },
  sealed: {
    title: count => (count === 1 ? 'Sealed: your copy of the document' : `Sealed: your copies of ${count} documents`),
    lead: count =>
      `The company has sealed and timestamped ${theDocuments(count)}; ${count === 1 ? 'it is' : 'they are'} attached. Please keep ${count === 1 ? 'this file' : 'these files'}: a print-out proves nothing.`,
    linkLead: count =>
      `The company has sealed and timestamped ${theDocuments(count)}. ${count === 1 ? 'It is too big for your mailbox, so it isn’t attached: please download it' : 'They are too big for your mailbox, so they aren’t attached: please download them'} and keep ${count === 1 ? 'the file' : 'the files'}; a print-out proves nothing.`,
  },
  rejected: {
    title: signatory => `${signatory} has rejected the request`,
    titleSelf: 'You have rejected the request',
    lead: 'The request has ended without a signed document.',
    noReason: 'No reason was given.',
    quote: signatory => `${signatory} writes:`,
    nothingToDo: 'You need to do nothing. Signatures given so far have no effect.',
    senderNext: 'To try again, change the document if need be and mail it anew.',
  },
  expired: {
    title: 'The time to sign has run out',
    lead: until => `The request was open until ${until} and has ended without a signed document.`,
    nothingToDo: 'You need to do nothing. Signatures given so far have no effect.',
    senderNext:
      'To try again, mail the document anew. With [due 14 days] in the subject the signatories have more time.',
  },
  cancelled: {
    title: 'The request was cancelled',
    lead: sender => `The request by ${sender} was cancelled and has ended without a signed document.`,
    leadSelf: 'Your request was cancelled and has ended without a signed document.',
    nothingToDo: 'You need to do nothing. Signatures given so far have no effect, and the links no longer work.',
  },
  failed: {
    title: 'Your document could not be signed',
    lead: 'We accepted your request, but then could not prepare or finish the document. The request has ended; nobody needs to do anything any more.',
    next: 'When you have changed the document, mail it anew. If it fails again, please give your administrator the request number.',
    reasons: {
      'not-pdf': 'The file is not a PDF. Please save or print it as PDF.',
      damaged: 'The PDF is damaged. Please make it again, for example with “Print to PDF”.',
      encrypted: 'The PDF is protected by a password. Please remove the protection, or use “Print to PDF”.',
      javascript: 'The PDF contains scripts, which may change what is shown. Please use “Print to PDF”.',
      launch: 'The PDF can start other programs. Please use “Print to PDF”.',
      xfa: 'The PDF is a dynamic form (XFA). Please fill it in and use “Print to PDF”.',
      'external-stream': 'The PDF takes part of its content from elsewhere. Please use “Print to PDF”.',
      'executable-attachment': 'A program is attached inside the PDF. Please remove it.',
      'optional-content': 'The PDF has layers that can show different content. Please use “Print to PDF”.',
      'certified-no-changes':
        'The PDF is already signed, and an earlier signature forbids any further ones. Please ask its signer for a copy that others may sign.',
      'already-signed-standard':
        'The PDF is already signed, so nothing may be drawn on its pages. Please ask for advanced signatures.',
      'too-many-pages': 'The PDF has more pages than this service allows. Please split it.',
      'too-complex': 'The PDF is too complex for this service. Please use “Print to PDF”.',
      'too-slow': 'Reading the PDF took too long. Please use “Print to PDF”.',
    },
  },
  undeliverable: {
    title: person => `${person} can’t be reached`,
    lead: person => `Our mail about this request to ${person} came back: it can’t be delivered.`,
    signatoryNext:
      'Without our mail they can’t sign. Please tell them or your administrator; when the address works again, mail the document anew.',
    next: 'Please tell them yourself how the request stands, and your administrator that the address doesn’t work.',
  },
  left: {
    title: person => `${person} can’t sign`,
    lead: person =>
      `${person} is no longer in the company directory, or the account is locked. Your request still waits for this signature.`,
    next: 'If the account is only locked, your administrator can unlock it, and the link in our mail works again. Otherwise cancel the request and mail the document to somebody else.',
  },
  enrolmentCode: {
    title: 'Your code to set up this device',
    lead: 'Type this code on the page where you asked for it:',
    validity: minutes => `It works once, for ${minutes === 1 ? '1 minute' : `${minutes} minutes`}.`,
    notYou:
      'If it wasn’t you who asked, do nothing: without the code nothing happens. Never give the code to anybody, not even on the phone.',
  },
  deviceEnrolled: {
    title: 'A new device can sign for you',
    lead: 'This device was set up to sign in your name:',
    notYou: 'If it wasn’t you, tell your administrator at once: they can switch the device off.',
  },
  deviceRemoved: {
    title: 'A device can no longer sign for you',
    lead: 'This device was removed and can’t sign in your name any more:',
    notYou: 'If you didn’t expect this, tell your administrator. What you signed with it stays valid.',
  },
};
