import type { DeviceTexts } from './catalogue.ts';

export const devicesDe: DeviceTexts = {
  proof: {
    password: 'Ihr Passwort',
    'mailed-code': 'ein Code per Mail',
    'admin-code': 'ein Code von Ihrer Administration',
  },
  and: ' und ',
  or: ' oder ',
  needed: what => `So weisen Sie sich aus: ${what}.`,
  password: 'Ihr Passwort',
  passwordHint: 'das Ihres Kontos im Unternehmen; es wird dort geprüft und hier nirgends aufbewahrt',

  waitingTitle: 'Bestätigen Sie auf Ihrem anderen Gerät',
  waitingText: (names, address) =>
    `Sie unterschreiben schon mit ${names}. Öffnen Sie dort ${address} und bestätigen Sie dieses neue Gerät.`,
  compare: 'Diese Zahl muss auch dort stehen:',
  waiting: 'Ihr anderes Gerät wird gefragt…',
  notConfirmed: 'Dieses Gerät wurde nicht bestätigt: Ihr anderes Gerät hat Nein gesagt, oder es hat zu lange gedauert.',
  lostTitle: 'Haben Sie es nicht mehr?',
  lostText:
    'Das neue Gerät kann seinen Platz einnehmen. Das alte kann dann nicht mehr unterschreiben; was Sie damit unterschrieben haben, bleibt gültig.',
  replace: name => `„${name}“ ersetzen`,
  replacing: 'Wird ersetzt…',
  replaceNeedsMore:
    'Dafür müssen Sie sich zusätzlich ausweisen. Tun Sie es unten, oder bestätigen Sie auf Ihrem anderen Gerät.',
  moreTitle: 'Oder weisen Sie sich zusätzlich aus',
  startAgain: 'Neu beginnen',

  newcomerTitle: 'Ein neues Gerät hinzufügen?',
  newcomerText: name =>
    `„${name}“ will für Sie unterschreiben. Sagen Sie nur Ja, wenn Sie es in der Hand haben und es diese Zahl zeigt:`,
  newcomerReplaces: name => `Es nimmt den Platz von „${name}“ ein, das dann nicht mehr unterschreiben kann.`,
  newcomerYes: 'Ja, es ist meines',
  newcomerNo: 'Nein',
  answering: 'Einen Moment…',
  newcomerAdded: name => `„${name}“ ist hinzugefügt.`,
  newcomerRefused: name =>
    `„${name}“ ist abgewiesen. Jemand kennt vielleicht Ihr Passwort oder liest Ihre Mail: Sagen Sie es Ihrer Administration.`,
  newcomerGone: 'Dieses Gerät wartet nicht mehr.',

  yours: 'Ihre Geräte',
  since: date => `seit ${date}`,
  ended: date => `entfernt am ${date}`,
  own: 'dieses Gerät',
  wasAdded: (name, date) =>
    `Ein neues Gerät unterschreibt für Sie: „${name}“, seit ${date}. Ist es nicht Ihres, entfernen Sie es unten.`,
  wasRemoved: (name, date) =>
    `„${name}“ wurde am ${date} entfernt. Waren Sie das nicht, sagen Sie es Ihrer Administration.`,
  gotIt: 'In Ordnung',
  removeOther: name => `„${name}“ entfernen…`,
  removeOtherConfirm: name =>
    `„${name}“ kann dann nicht mehr unterschreiben, und sein Zertifikat wird widerrufen. Was Sie damit unterschrieben haben, bleibt gültig. Drücken Sie noch einmal, um es zu entfernen.`,
  removedOther: name => `„${name}“ ist entfernt.`,
  rename: 'Dieses Gerät umbenennen…',
  name: 'Name dieses Geräts',
  saveName: 'Speichern',
  saving: 'Wird gespeichert…',

  proveTitle: 'Weisen Sie sich noch einmal aus',
  proveText:
    'Dieses Dokument verlangt einen stärkeren Nachweis als den, mit dem dieses Gerät eingerichtet wurde. Das ist nur einmal nötig.',
  prove: 'Weiter',
  proving: 'Wird geprüft…',

  passkeyTitle: 'Unterschreiben Sie mit Fingerabdruck, Gesicht oder PIN',
  passkeyText:
    'Mit einem Passkey fragt dieses Gerät bei jeder Unterschrift danach, sodass niemand sonst damit unterschreiben kann. Fingerabdruck, Gesicht und PIN verlassen das Gerät nie.',
  passkeyRequired: 'Dieses Dokument verlangt einen Passkey. Fingerabdruck, Gesicht oder PIN verlassen das Gerät nie.',
  passkeyAdd: 'Passkey hinzufügen',
  passkeyAdding: 'Folgen Sie Ihrem Gerät…',
  passkeyLater: 'Jetzt nicht',
  passkeyDeclined: 'Es wurde kein Passkey benutzt. Nichts ist unterschrieben; versuchen Sie es noch einmal.',
  passkeyNone:
    'Dieser Browser hat keine Passkeys. Öffnen Sie den Link in einem anderen Browser oder auf Ihrem Telefon.',
};
