/** Refusals in German. SMTP replies have no umlauts: they are written out on the way (../refusal.ts). */
import { de as mails } from '../../outbound/texts/de.ts';
import { quoted, size } from '../refusal.ts';
import type { Translations } from './catalogue.ts';

const HOW = 'Hängen Sie das PDF an eine neue Mail an name@Signaturdomain, so wie Sie es der Person mailen würden.';
const WITHOUT_OUTSIDERS =
  'Senden Sie die Mail zum Unterschreiben ohne diesen Empfänger; ist sie unterschrieben, leiten Sie ihm die Kopie weiter.';
const MANY = 'Warten Sie ein wenig, und senden Sie diese Mail dann noch einmal.';

export const de: Translations = {
  notAuthenticated: () => [
    'Nur Personen dieses Unternehmens dürfen um Unterschriften bitten, und diese Verbindung sagt nicht, wer Sie sind.',
    'Senden Sie die Mail von Ihrem Firmenkonto (mit Ihrer Anmeldung), und versuchen Sie es noch einmal.',
  ],
  unknownLogin: () => [
    'Ihre Anmeldung ist dem Signaturdienst nicht bekannt. Bitten Sie Ihre Administration, sie ins Verzeichnis aufzunehmen.',
  ],
  unknownSender: address => [
    `Die Absenderadresse ${quoted(address)} gehört niemandem im Verzeichnis des Unternehmens.`,
    'Senden Sie von Ihrer Firmenadresse, oder bitten Sie Ihre Administration, diese ins Verzeichnis aufzunehmen.',
  ],
  senderIsNotLogin: address => [
    `Sie sind als jemand anderes angemeldet als ${quoted(address)}. Niemand kann in fremdem Namen um Unterschriften bitten.`,
    'Senden Sie von Ihrer eigenen Adresse.',
  ],
  notOurDomain: address => [
    `Nur Personen dieses Unternehmens dürfen um Unterschriften bitten, und ${quoted(address)} ist in keiner seiner Maildomains.`,
    'Senden Sie die Mail von Ihrer Firmenadresse und Ihrem Firmenkonto.',
  ],
  notProven: domain => [
    `Nichts beweist, dass diese Mail von ${domain} kommt (Näheres oben).`,
    'Senden Sie sie von Ihrem Firmenkonto (mit Ihrer Anmeldung). Haben Sie das getan, zeigen Sie diese Antwort Ihrer Administration.',
  ],
  tooManyStrangers: () => ['Gerade kommt zu viel Mail ohne Anmeldung. Die Mail wird noch einmal versucht.'],
  relaySenderDiffers: address => [
    `Die Zeile From der Mail nennt eine andere Adresse als die, mit der sie gesendet wird, ${quoted(address)}. Über diesen Server müssen beide gleich sein.`,
    'Schreiben Sie dieselbe Adresse in From, oder senden Sie die Mail mit Ihrer Anmeldung.',
  ],
  senderDiffers: field => [
    `Die Zeile ${field} der Mail nennt jemand anderen als die Person, die sie gesendet hat. Senden Sie sie von Ihrer eigenen Adresse.`,
  ],
  nullSender: () => ['Diese Adresse nimmt keine automatische Mail. Nur ein Mensch kann um eine Unterschrift bitten.'],
  checkAddress: () => ['Diese Adresse ist nur für signpost check da und gilt wenige Minuten.'],
  bounceAddress: () => ['Diese Adresse nimmt nur Zustellberichte. Schreiben Sie der Person, die unterschreiben soll.'],
  requestAddress: () => [
    'Die Mail geht auch an die Adresse eines Vorgangs, den es schon gibt; so kann sie keinen neuen eröffnen.',
    'Schreiben Sie an die Personen, die unterschreiben sollen, und antworten Sie dem anderen Vorgang in einer eigenen Mail.',
  ],
  notYourRequest: () => [
    'Unter dieser Adresse gibt es keinen Vorgang von Ihnen. Antworten Sie auf eine Mail, die Sie vom Signaturdienst bekamen, und von der Adresse, an die sie ging.',
  ],
  onlyTheSender: () => [
    'Das kann nur die Person, die um die Unterschriften gebeten hat. Mit „status“ erfahren Sie, wie es um den Vorgang steht; „ablehnen: Grund“ ist für die, die unterschreiben sollen.',
  ],
  onlySignatories: () => [
    'Ablehnen kann nur, wer unterschreiben soll. Die Person, die gefragt hat, beendet den Vorgang mit „abbrechen“.',
  ],
  tooManyReplies: () => [
    'Sie haben heute zu oft an diesen Vorgang geschrieben; daher ist nichts geschehen. Versuchen Sie es morgen wieder.',
  ],
  serviceAddress: () => [
    'Der Signaturdienst selbst liest keine Mail. Schreiben Sie der Person, die unterschreiben soll.',
  ],
  unknownRecipient: address => [`${quoted(address)} ist hier nicht bekannt.`],
  badRecipients: () => [
    'Niemand wurde um eine Unterschrift gebeten, weil nicht alle Empfänger bekannt sind (Liste oben).',
    'Berichtigen Sie die Namen, und senden Sie die Mail noch einmal.',
  ],
  externalRecipient: address => [
    `${quoted(address)} gehört nicht zu diesem Unternehmen und kann noch nicht mitmachen.`,
    WITHOUT_OUTSIDERS,
  ],
  externalBefore: address => [
    `Diese Mail geht auch an ${quoted(address)} außerhalb dieses Unternehmens.`,
    WITHOUT_OUTSIDERS,
  ],
  badRecipientSyntax: () => ['Das ist keine Adresse, die es auf der Signaturdomain geben kann.'],
  hiddenRecipient: addresses => [
    `Bcc geht hier nicht: ${addresses.slice(0, 5).map(quoted).join(', ')} steht weder in An noch in Cc.`,
    'Schreiben Sie alle, die unterschreiben, in An und alle, die eine Kopie bekommen, in Cc.',
  ],
  noSignatory: () => [
    'Niemand in der Zeile An ist auf der Signaturdomain; es würde also niemand unterschreiben.',
    'Schreiben Sie in An, wer unterschreibt (name@Signaturdomain, oder self@ für Sie selbst); Cc bekommt nur eine Kopie.',
  ],
  groupTooLarge: (address, most) => [
    `${quoted(address)} steht für mehr als ${most} Personen, die nicht alle auf einmal gebeten werden können.`,
    'Schreiben Sie an die Personen, die unterschreiben sollen, oder an eine kleinere Gruppe.',
  ],
  emptyGroup: address => [
    `${quoted(address)} ist eine Gruppe, in der niemand ist, der gebeten werden könnte.`,
    'Schreiben Sie an die Personen, die unterschreiben sollen, oder bitten Sie Ihre Administration, die Gruppe anzusehen.',
  ],
  mayNotAsk: level => [
    `Niemand wurde um eine Unterschrift gebeten: Nach den Regeln des Unternehmens dürfen Sie nicht alle auf der Stufe ${level} bitten (Liste oben).`,
    'Lassen Sie diese Personen weg, oder fragen Sie Ihre Administration, wer sie bitten darf.',
  ],
  ambiguousEntry: () => [
    'Ihre Adresse oder Ihr Login gehört zu zwei Einträgen im Verzeichnis des Unternehmens; wer Sie sind, ist nicht sicher.',
    'Bitten Sie Ihre Administration, das Verzeichnis zu berichtigen; das Protokoll des Dienstes nennt beide Einträge.',
  ],
  sealNotAllowed: () => [
    'Sie dürfen keine Dokumente mit dem Siegel des Unternehmens versehen lassen.',
    'Um selbst zu unterschreiben, schreiben Sie an self@ ohne [seal]; fürs Siegel fragen Sie Ihre Administration.',
  ],
  sealHasNoSignatory: names => [
    `Das Unternehmenssiegel ist keine Unterschrift einer Person; ${names.slice(0, 5).map(quoted).join(', ')} würde nichts unterschreiben.`,
    'Fürs Siegel schreiben Sie an seal@ allein und die anderen in Cc; damit sie unterschreiben, lassen Sie seal weg.',
  ],
  sealInCc: () => ['Die Siegeladresse steht in Cc, wo sie nichts bewirkt. Schreiben Sie sie in An, allein.'],
  tooBig: limit => [
    `Die Mail ist zu groß. Die Grenze ist ${size(limit)} für die ganze Mail (Anhänge wachsen unterwegs um ein Drittel).`,
    'Machen Sie das PDF kleiner, etwa mit geringerer Bildqualität, und senden Sie es noch einmal.',
  ],
  malformed: () => [
    'Die Mail ist nicht wohlgeformt (Näheres oben). Damit nichts falsch gelesen wird, wurde sie nicht angenommen.',
    'Schreiben Sie eine neue Mail in einem gewöhnlichen Mailprogramm, und hängen Sie das PDF dort an.',
  ],
  badAddressField: field => [
    `Die Zeile ${field} der Mail ist nicht ohne Raten zu lesen (Näheres oben).`,
    'Schreiben Sie einfache Adressen wie name@firma.com, durch Kommas getrennt, und senden Sie sie noch einmal.',
  ],
  automatic: () => ['Automatische Mail und Mail von Listen eröffnet keinen Vorgang. Ein Mensch muss sie senden.'],
  twoLevels: (first, second) => [
    `Der Betreff nennt zwei Stufen, ${first} und ${second}. Schreiben Sie nur eine, zum Beispiel [${first}].`,
  ],
  nearMiss: (written, word) => [
    `${quoted(written)} im Betreff sieht nach einer falsch geschriebenen Stufe aus. Schreiben Sie [${word}].`,
  ],
  hiddenLevel: (written, higher, used, offered) => [
    `Der Betreff sagt ${quoted(written)}, unterschrieben würde aber auf der Stufe ${used}.`,
    `Damit Sie bekommen, was Sie meinen, schreiben Sie [${higher}] oder [${used}] in den Betreff.`,
    ...(offered ? [] : [`(Die Stufe ${higher} wird hier nicht angeboten.)`]),
  ],
  notOffered: (level, offered) => [
    `Die Stufe ${level} wird hier nicht angeboten. Schreiben Sie ${offered.map(name => `[${name}]`).join(' oder ')}, oder gar keine.`,
  ],
  badDue: written => [
    `Die Frist ${quoted(written)} ist unverständlich. Schreiben Sie zum Beispiel [due 2026-12-31] oder [due 5 days], einmal.`,
  ],
  dueInPast: written => [`Die Frist ${quoted(written)} ist schon vorbei. Schreiben Sie eine spätere.`],
  dueTooLate: (written, days) => [
    `Die Frist ${quoted(written)} ist zu weit weg. Ein Vorgang kann höchstens ${days} Tage offen bleiben.`,
  ],
  badSubject: () => [
    'Der Betreff ist nicht lesbar: Seine Zeichen sind unbekannt oder falsch kodiert. Schreiben Sie eine neue Mail mit einfachem Betreff.',
  ],
  noDocument: (forwarded, otherFiles = false) => [
    `Es ist ${otherFiles ? 'keine Datei' : 'kein PDF'} angehängt; es gibt also nichts zu unterschreiben.`,
    ...(forwarded ? ['Ein PDF in einer angehängten Mail zählt nicht: Hängen Sie das PDF selbst an.'] : []),
    HOW,
  ],
  notAPdf: name => [
    `Der Anhang ${quoted(name)} heißt wie ein PDF, ist aber keines.`,
    'Öffnen Sie ihn in dem Programm, das ihn gemacht hat, wählen Sie „Als PDF speichern“ oder „Als PDF drucken“, und senden Sie diese Datei.',
  ],
  emptyAttachment: name => [
    `Der Anhang ${quoted(name)} ist leer.`,
    'Sehen Sie nach, ob sich die Datei bei Ihnen öffnen lässt, und hängen Sie sie noch einmal an.',
  ],
  standardNeedsPdf: name => [
    `${quoted(name)} ist kein PDF und hat keine Seite zum Zeichnen: Die Stufe standard ist nicht möglich.`,
    'Schreiben Sie [advanced] in den Betreff, oder speichern Sie das Dokument als PDF, und senden Sie das.',
  ],
  xml: name => [
    `${quoted(name)} kann nicht als XML unterschrieben werden (Näheres oben).`,
    'Berichtigen Sie die Datei, oder speichern Sie ihren Inhalt als PDF, und senden Sie das.',
  ],
  winmail: () => [
    'Outlook hat die Anhänge in winmail.dat gepackt, was sonst niemand öffnen kann.',
    'Wählen Sie in Outlook Text formatieren > HTML (oder Datei > Optionen > E-Mail > Rich-Text: In HTML konvertieren), und senden Sie die Mail noch einmal.',
  ],
  archive: name => [`${quoted(name)} ist ein Archiv. Entpacken Sie es, und hängen Sie das PDF selbst an.`],
  office: name => [
    `${quoted(name)} ist ein Office-Dokument, das auf jedem Rechner anders aussieht.`,
    'Speichern Sie es als PDF („Speichern unter“ oder „Exportieren“, Typ PDF), und hängen Sie das an.',
  ],
  encryptedMail: () => [
    'Die Mail ist verschlüsselt, und der Signaturdienst kann sie nicht öffnen. Senden Sie sie unverschlüsselt; sie verlässt das Unternehmen nicht.',
  ],
  changeableDocument: () => [
    'Ein Anhang wird als reiner Text übertragen; Leerzeichen darin könnten sich unterwegs ändern, ohne dass die Signatur der Mail bricht.',
    'Senden Sie die Mail von Ihrem Firmenkonto (mit Ihrer Anmeldung), oder speichern Sie das Dokument als PDF und hängen Sie dieses an.',
  ],
  opaqueSigned: () => [
    'Die Mail steckt in ihrer eigenen Signatur (opakes S/MIME).',
    'Wählen Sie im Mailprogramm „signierte Nachricht als Klartext senden“, oder senden Sie sie ohne Mailsignatur.',
  ],
  partialMessage: () => [
    'Die Mail kommt in Stücken, oder ihr Anhang liegt anderswo. Senden Sie sie ganz, als eine Mail.',
  ],
  tooManyDocuments: limit => [
    `Es sind zu viele PDFs in einer Mail. Senden Sie höchstens ${limit}, oder fügen Sie sie zusammen.`,
  ],
  document: (name, reason) => [`${quoted(name)}: ${mails.failed.reasons[reason]}`],
  tooManyRequests: (limit, allowed) => [
    {
      'per-sender': `Sie haben ${allowed} Vorgänge, die noch auf Unterschriften warten; mehr darf eine Person nicht haben.`,
      'per-pair': `Eine der Personen hat schon ${allowed} Dokumente von Ihnen zu unterschreiben; mehr dürfen nicht warten.`,
      'per-day': `Sie haben in 24 Stunden ${allowed} Vorgänge gesendet; mehr darf eine Person nicht senden.`,
    }[limit],
    limit === 'per-day' ? 'Senden Sie diesen morgen noch einmal, oder fragen Sie Ihre Administration.' : MANY,
  ],
  directoryUnavailable: () => [
    'Das Verzeichnis des Unternehmens antwortet gerade nicht. Die Mail wird noch einmal versucht.',
  ],
  dnsUnavailable: () => [
    'Wer diese Mail gesendet hat, ist gerade nicht festzustellen, weil Nameserver nicht antworten. Die Mail wird noch einmal versucht.',
  ],
  ourFault: () => ['Der Signaturdienst hat gerade ein Problem. Die Mail wird noch einmal versucht.'],
  diskFull: () => ['Der Signaturdienst hat gerade keinen Platz. Die Mail wird noch einmal versucht.'],
  noVerdict: () => [
    'Diese Mail kam nicht durch die Eingangskontrolle des Signaturdienstes. Sie wird noch einmal versucht.',
  ],
};
