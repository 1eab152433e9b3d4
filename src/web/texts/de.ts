import type { Texts } from './catalogue.ts';
import { devicesDe } from './devices/de.ts';
import { fileSize } from './file-size.ts';

export const de: Texts = {
  language: 'de',
  loading: 'Einen Moment…',
  retry: 'Noch einmal versuchen',
  cancel: 'Abbrechen',
  offline:
    'Die Verbindung ist abgebrochen. Bei uns ist nichts verloren: Versuchen Sie es noch einmal, wenn Sie wieder online sind.',
  quoted: name => `„${name}“`,
  yourDevice: person => `Dieses Gerät unterschreibt für ${person}`,
  browserOn: (browser, system) => `${browser} auf ${system}`,
  otherBrowser: 'Browser',

  enrolTitle: 'Dieses Gerät einrichten (30 Sekunden)',
  enrolIntro:
    'Um Dokumente zu sehen und zu unterschreiben, erzeugt dieser Browser einen Signaturschlüssel, der ihn nie verlässt. Wir müssen nur wissen, dass Sie es sind.',
  address: 'Ihre Firmenadresse',
  addressHint: 'zum Beispiel name@firma.de',
  code: 'Ihr Code',
  codeHint: 'von Ihrer Administration oder aus der Mail, die wir Ihnen schicken können',
  sendCode: 'Code per Mail schicken',
  sending: 'Wird gesendet…',
  codeSent: 'Wenn diese Adresse einen Code per Mail bekommen darf, ist er unterwegs. Er gilt einige Minuten.',
  setUp: 'Einrichten',
  settingUp: 'Ihr Schlüssel wird erzeugt…',
  badAddress: 'Schreiben Sie Ihre Firmenadresse, zum Beispiel name@firma.de.',
  badCode: 'Ein Code hat sechs oder neun Ziffern.',
  insecure:
    'Diese Seite wurde nicht über eine sichere Verbindung geöffnet; der Browser kann daher keinen Schlüssel erzeugen. Öffnen Sie sie mit https.',
  noStorage:
    'Dieser Browser speichert hier nichts, wie in einem privaten Fenster; Ihr Schlüssel hätte keinen Platz. Öffnen Sie den Link in einem normalen Fenster oder in einem anderen Browser.',

  devices: devicesDe,

  unknownTitle: 'Hier gibt es nichts zu unterschreiben',
  unknownText:
    'Dieser Link ist nicht für die Person, die dieses Gerät benutzt, oder er gilt nicht mehr. Öffnen Sie den Link aus Ihrer eigenen Mail auf Ihrem eigenen Gerät.',
  unknownOther: 'Dieses Gerät für jemand anderen einrichten',

  asksYou: sender => `${sender} bittet um Ihre Unterschrift`,
  from: 'Von',
  subject: 'Betreff',
  until: 'Frist',
  signatories: 'Unterzeichnende',
  you: 'Sie',
  state: {
    waiting: 'wartet',
    open: 'gefragt',
    signed: 'hat unterschrieben',
    rejected: 'hat abgelehnt',
    closed: 'hat nicht unterschrieben',
  },
  document: name => `Dokument ${name}`,
  documents: count => `${count} Dokumente`,
  pages: count => (count === 1 ? '1 Seite' : `${count} Seiten`),
  size: bytes => fileSize(bytes, 'de'),
  notShown:
    'Nur ein Programm für diese Art von Datei kann sie zeigen. Laden Sie sie herunter und sehen Sie sie an, bevor Sie signieren: Signiert wird genau die Datei mit diesem SHA-256.',
  signaturePages: count => (count === 1 ? 'Unterschriftenseite' : `${count} Unterschriftenseiten`),
  page: number => `Seite ${number}`,
  zoomIn: 'Größer',
  zoomOut: 'Kleiner',
  zoomed: percent => `Zoom ${percent} Prozent`,
  download: 'Herunterladen',
  downloading: percent => `Das Dokument wird geladen: ${percent}\u00a0%`,
  unreadable:
    'Dieser Browser kann das Dokument nicht zeigen; darum können Sie es hier nicht unterschreiben. Versuchen Sie einen anderen Browser oder ein anderes Gerät.',
  sign: 'Unterschreiben…',
  reject: 'Ablehnen…',
  later: 'Später',
  laterTitle: 'Es ist nichts entschieden',
  laterText: deadline => `Öffnen Sie den Link aus Ihrer Mail wieder, wann Sie möchten, bis ${deadline}.`,
  laterOpen: 'Noch einmal öffnen',

  confirmTitle: 'Unterschreiben?',
  confirm: (what, name) =>
    `Sie, ${name}, unterschreiben ${what} mit einer fortgeschrittenen elektronischen Signatur. Das lässt sich nicht zurücknehmen.`,
  confirmStandard: (what, name) =>
    `Sie, ${name}, unterschreiben ${what} mit einer einfachen elektronischen Signatur (Standard): so, wie unten zu sehen, gesiegelt vom Unternehmen. Das lässt sich nicht zurücknehmen.`,
  pad: {
    signature: {
      title: 'Zeichnen Sie Ihre Unterschrift',
      hint: '',
      area: 'Fläche für Ihre Unterschrift. Wenn Sie nicht zeichnen können, wählen Sie „Tippen“.',
      typed: 'Ihr Name als Unterschrift',
      missing: 'Zeichnen Sie erst Ihre Unterschrift, oder wählen Sie „Tippen“.',
      picture: 'Ihre Unterschrift',
    },
    paraph: {
      title: 'Ihr Kürzel',
      hint: 'Es steht am Fuß jeder Seite.',
      area: 'Fläche für Ihr Kürzel. Wenn Sie nicht zeichnen können, wählen Sie „Tippen“.',
      typed: 'Ihre Initialen',
      missing: 'Zeichnen Sie erst Ihr Kürzel, oder wählen Sie „Tippen“.',
      picture: 'Ihr Kürzel',
    },
    hint: 'Mit Finger, Stift oder Maus.',
    turn: 'Sie können das Telefon drehen.',
    undo: 'Rückgängig',
    clear: 'Leeren',
    typeInstead: 'Tippen',
    drawInstead: 'Zeichnen',
    done: 'Fertig',
    remember: 'Auf meinem Gerät merken',
  },
  place: {
    title: 'Ort, der im Dokument steht',
    none: 'Keiner',
    city: 'Stadt',
    here: 'Meine Koordinaten',
    locating: 'Ihr Standort wird gesucht…',
    denied: 'Ihr Gerät gibt seinen Standort nicht an.',
  },
  signNow: 'Jetzt unterschreiben',
  signing: 'Wird unterschrieben…',
  step: {
    certificate: 'Ihr Zertifikat wird geholt…',
    turn: 'Ihr Platz in der Reihe wird reserviert…',
    waiting: 'Jemand anderes unterschreibt gerade; danach sind Sie an der Reihe…',
    checking: 'Es wird geprüft, was Sie unterschreiben…',
    passkey: 'Ihr Gerät fragt nach Fingerabdruck, Gesicht oder PIN…',
    sending: 'Unterschrift und Zeitstempel entstehen…',
  },
  tampered: 'Nicht unterschrieben: Das Dokument hat sich verändert',
  tamperedText: reason =>
    `Was unterschrieben werden sollte, ist nicht, was Ihnen gezeigt wurde (${reason}). Ihr Gerät hat die Unterschrift verweigert. Sagen Sie es Ihrer Administration.`,

  rejectTitle: 'Unterschrift ablehnen?',
  rejectText: sender => `Danach kann niemand mehr unterschreiben. ${sender} und alle Beteiligten erfahren es per Mail.`,
  comment: 'Warum?',
  commentOptional: 'freiwillig; alle Beteiligten können es lesen',
  commentRequired: 'alle Beteiligten können es lesen',
  rejectNow: 'Ablehnen',
  rejecting: 'Wird abgelehnt…',

  signedTitle: 'Unterschrieben',
  signedText: name => `Danke, ${name}. Ihre Unterschrift steht im Dokument.`,
  next: names => `Es fehlen noch: ${names}.`,
  nobodyNext: 'Ihre Unterschrift war die letzte. Das Dokument wird jetzt gesiegelt.',
  byMail: 'Sie bekommen das unterschriebene Exemplar per Mail.',
  rejectedTitle: 'Abgelehnt',
  rejectedText: 'Sie haben abgelehnt. Alle Beteiligten erfahren es per Mail.',
  waitingTitle: 'Sie sind noch nicht an der Reihe',
  waitingText: 'Andere unterschreiben vor Ihnen. Sie bekommen eine Mail, wenn Sie an der Reihe sind.',
  preparingText: 'Das Dokument wird vorbereitet. Diese Seite öffnet es gleich.',
  endedTitle: 'Dieser Vorgang ist beendet',
  ended: {
    finished: 'Alle haben unterschrieben. Sie haben das unterschriebene Exemplar per Mail bekommen.',
    rejected: 'Jemand hat abgelehnt.',
    expired: 'Nicht alle haben rechtzeitig unterschrieben.',
    cancelled: 'Er wurde abgebrochen.',
    failed: 'Das Dokument konnte nicht verarbeitet werden; wer es geschickt hat, weiß Bescheid.',
  },

  finishedTitle: count => (count === 1 ? 'Das unterschriebene Dokument' : 'Die unterschriebenen Dokumente'),
  finishedText: count =>
    count === 1
      ? 'Alle haben unterschrieben; das Dokument ist gesiegelt und mit Zeitstempel versehen. Laden Sie es herunter und bewahren Sie die Datei auf: Ein Ausdruck beweist nichts.'
      : 'Alle haben unterschrieben; die Dokumente sind gesiegelt und mit Zeitstempel versehen. Laden Sie sie herunter und bewahren Sie die Dateien auf: Ein Ausdruck beweist nichts.',
  sealedTitle: count => (count === 1 ? 'Das gesiegelte Dokument' : 'Die gesiegelten Dokumente'),
  sealedText: count =>
    count === 1
      ? 'Das Unternehmen hat das Dokument gesiegelt und mit einem Zeitstempel versehen. Laden Sie es herunter und bewahren Sie die Datei auf: Ein Ausdruck beweist nichts.'
      : 'Das Unternehmen hat die Dokumente gesiegelt und mit einem Zeitstempel versehen. Laden Sie sie herunter und bewahren Sie die Dateien auf: Ein Ausdruck beweist nichts.',
  signedBy: 'Unterschrieben von',
  finishedOn: 'Fertig seit',
  finishedUnreadable:
    'Dieser Browser kann das Dokument nicht zeigen. Laden Sie es herunter, und öffnen Sie es mit einem PDF-Programm.',
  openFinished: count => (count === 1 ? 'Unterschriebenes Dokument öffnen' : 'Unterschriebene Dokumente öffnen'),

  homeTitle: 'Dokumente zum Unterschreiben',
  homeText:
    'Mailen Sie ein PDF an die Adresse von jemandem auf der Signaturdomain, und diese Person wird um ihre Unterschrift gebeten. Um selbst zu unterschreiben, mailen Sie es an „self“.',
  homeSetUp: 'Dieses Gerät einrichten',
  waitingForYou: 'Wartet auf Sie',
  nothingWaits: 'Nichts wartet auf Ihre Unterschrift.',
  fromUntil: (sender, deadline) => `von ${sender}, bis ${deadline}`,
  thisDevice: 'Dieses Gerät',
  deviceFacts: (name, since) => `${name}, eingerichtet am ${since}`,
  removeDevice: 'Dieses Gerät entfernen…',
  removeConfirm:
    'Sein Schlüssel wird gelöscht und sein Zertifikat widerrufen. Was Sie unterschrieben haben, bleibt gültig. Sie können dieses Gerät jederzeit wieder einrichten.',
  removing: 'Wird entfernt…',
  removed: 'Dieses Gerät ist entfernt.',

  trustTitle: 'Warum ein gelbes Zeichen?',
  trustIntro:
    'Die Unterschriften sind vollständig und mit jeder Software prüfbar. Adobe Reader zeigt ein gelbes Zeichen, bis er der Zertifizierungsstelle des Unternehmens vertraut.',
  trustDownload: 'Stammzertifikat des Unternehmens herunterladen',
  trustAdobe: 'In Adobe Reader',
  trustAdobeSteps: [
    'Öffnen Sie ein unterschriebenes Dokument und das Fenster Unterschriften.',
    'Öffnen Sie eine Unterschrift, Unterschriftseigenschaften, Zertifikat des Unterzeichners anzeigen.',
    'Wählen Sie das oberste Zertifikat der Liste, die Karte Vertrauenswürdigkeit, Zu vertrauenswürdigen Zertifikaten hinzufügen, dann OK.',
    'Vergleichen Sie den Fingerabdruck mit dem, den Ihre Administration nennt.',
  ],
  trustWindows: 'Für alle auf einmal (Windows-Gruppenrichtlinie)',
  trustWindowsText:
    'Importieren Sie das Stammzertifikat unter Computerkonfiguration, Windows-Einstellungen, Sicherheitseinstellungen, Richtlinien für öffentliche Schlüssel, Vertrauenswürdige Stammzertifizierungsstellen; und lassen Sie Adobe Reader dem Windows-Speicher vertrauen (Voreinstellungen, Unterschriften, Überprüfung, Windows-Integration).',
  trustOthers: 'Andere Software',
  trustOthersText: 'Die Datei ist ein PEM-Zertifikat: OpenSSL, pdfsig, Okular und andere nehmen sie, wie sie ist.',

  failedTitle: 'Das hat nicht geklappt',
  problem: {
    'not-found': 'Für dieses Gerät gibt es hier nichts.',
    nonce: 'Bitte versuchen Sie es noch einmal.',
    'bad-request': 'Das Gateway hat diese Seite nicht verstanden. Laden Sie sie neu und versuchen Sie es noch einmal.',
    'enrolment-refused':
      'Was Sie angegeben haben, stimmt nicht, gilt nicht mehr oder reicht nicht. Prüfen Sie Adresse, Passwort und Code, oder lassen Sie sich einen neuen Code geben.',
    'too-many-tries': 'Zu viele Versuche. Warten Sie einige Minuten, und lassen Sie sich dann einen neuen Code geben.',
    'certificate-refused':
      'Das Gateway hat diesem Gerät kein Zertifikat ausgestellt. Wenden Sie sich an Ihre Administration.',
    'comment-required': 'Bitte sagen Sie, warum.',
    'not-open': 'Dieser Vorgang ist nicht mehr offen.',
    'not-your-turn': 'Andere unterschreiben vor Ihnen.',
    'turn-lost': 'Das hat zu lange gedauert. Bitte unterschreiben Sie noch einmal.',
    busy: 'Gerade unterschreibt jemand anderes. Bitte versuchen Sie es in einigen Sekunden noch einmal.',
    'no-certificate': 'Dieses Gerät hat kein gültiges Zertifikat. Bitte versuchen Sie es noch einmal.',
    'bad-signature': 'Das Gateway konnte die Unterschrift nicht prüfen. Bitte versuchen Sie es noch einmal.',
    'no-token': 'Dieses Gerät ist noch nicht bereit. Bitte versuchen Sie es noch einmal.',
    'token-refused':
      'Dieses Gerät hat den Schlüssel verloren, mit dem es bestätigt. Entfernen Sie es auf der Startseite und richten Sie es neu ein.',
    'bad-approval': 'Ihre Bestätigung ließ sich nicht prüfen. Bitte öffnen Sie den Link noch einmal.',
    'no-more-tries':
      'Zu viele Bestätigungen dieses Vorgangs sind fehlgeschlagen; Sie können ihn nicht mehr unterschreiben. Bitten Sie die Person, die gefragt hat, das Dokument noch einmal zu schicken.',
    'more-proof': 'Dafür ist ein stärkerer Nachweis nötig als der, mit dem dieses Gerät eingerichtet wurde.',
    'passkey-needed': 'Dieses Dokument verlangt einen Passkey. Öffnen Sie den Link in einem Browser, der einen hat.',
    'passkey-refused':
      'Ihr Passkey ließ sich nicht prüfen. Bitte versuchen Sie es noch einmal, oder entfernen Sie dieses Gerät auf der Startseite und richten Sie es neu ein.',
    'password-paused':
      'Für diese Adresse wird gerade kein Passwort geprüft, damit niemand Ihr Konto sperren kann. Öffnen Sie den Link in einer Mail an Sie, nehmen Sie einen Code Ihrer Administration, oder warten Sie eine Stunde.',
    'try-later': 'Das Gateway ist beschäftigt. Bitte versuchen Sie es in einer Minute noch einmal.',
    internal:
      'Bei uns ist etwas schiefgegangen. Es ist nichts verloren; bitte versuchen Sie es in einer Minute noch einmal.',
  },
};
