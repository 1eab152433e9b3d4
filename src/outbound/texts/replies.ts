/** Sentences of the mails that answer a reply, or pass one on (reply-letters.ts), once per language. */
import type { Language } from '../../directory/directory.ts';
import type { RequestState } from '../../requests/model.ts';

/** What a reply can do, and what to write, in the reader's language (replies/commands.ts). */
type Hint = readonly [does: string, command: string];

export interface ReplyTexts {
  /** How a request stands, in one sentence; `date`: its end, or until when it is open. */
  states: Record<RequestState, (date: string, signed: number, of: number) => string>;
  status: { title: string };
  reminded: { title: string; lead(names: string): string };
  remindedBefore: { title: string; lead(again: string): string };
  nobodyToRemind: { title: string; lead: string };
  prolonged: { title: string; lead(until: string): string };
  tooLong: { title: string; lead(latest: string): string };
  ended: { title: string };
  allSigned: { title: string };
  notYourTurn: { title: string; lead: string };
  signedAlready: { title: string; lead: string };
  reasonMissing: { title: string; lead: string };
  help: {
    title: string;
    lead: string;
    sender: readonly Hint[];
    signatory: readonly Hint[];
    copy: readonly Hint[];
    /** Nothing is signed by mail. */
    toSign: string;
    toAsk(sender: string): string;
  };
  /** In the mails that may be answered so. */
  hints: { sender: string; signatory: string };
  away: { title(person: string): string; lead(person: string): string; quote: string; next: string };
  deadline: { summary(subject: string): string; description(sender: string, request: string): string };
}

const en: ReplyTexts = {
  states: {
    preparing: () => 'The documents are being prepared.',
    open: (date, signed, of) => `Signed so far: ${signed} of ${of}. The request is open until ${date}.`,
    closing: () => 'Everybody has signed; the signed copy is being made.',
    finished: date => `The request was finished on ${date}; every party got the signed copy by mail.`,
    rejected: date => `A signatory rejected it on ${date}, and the request ended without a signed document.`,
    expired: date => `The time to sign ran out on ${date}, and the request ended without a signed document.`,
    cancelled: date => `The request was cancelled on ${date}.`,
    failed: date => `The document could not be signed; the request ended on ${date}.`,
  },
  status: { title: 'How the request stands' },
  reminded: { title: 'The reminder is on its way', lead: names => `Reminded: ${names}.` },
  remindedBefore: {
    title: 'No reminder was sent',
    lead: again =>
      `Everybody who still has to sign had a mail about it only a short while ago. Try again after ${again}.`,
  },
  nobodyToRemind: { title: 'No reminder was sent', lead: 'At the moment nobody is being waited for.' },
  prolonged: {
    title: 'There is more time to sign',
    lead: until => `The request is now open until ${until}. Everybody who still has to sign is told.`,
  },
  tooLong: {
    title: 'The time was not extended',
    lead: latest => `This request can stay open until ${latest} at most.`,
  },
  ended: { title: 'This request has ended' },
  allSigned: { title: 'It is too late for that' },
  notYourTurn: {
    title: 'It isn’t your turn yet',
    lead: 'Others sign before you; you get a mail when it is your turn.',
  },
  signedAlready: {
    title: 'You have signed already',
    lead: 'So you can no longer reject it. Please talk to the sender.',
  },
  reasonMissing: {
    title: 'Please say why',
    lead: 'To reject, a reason is needed. Reply with “reject:” and your reason in the same line.',
  },
  help: {
    title: 'Your reply was not understood',
    lead: 'Nobody has read it: this address is a machine’s. It knows only these words, in the first line of a reply:',
    sender: [
      ['How the request stands', 'status'],
      ['Remind who still has to sign', 'remind'],
      ['Five more days to sign', 'extend 5 days'],
      ['End the request', 'cancel'],
    ],
    signatory: [
      ['How the request stands', 'status'],
      ['Reject, which ends the request', 'reject: your reason'],
    ],
    copy: [['How the request stands', 'status']],
    toSign: 'Nothing is ever signed by reply. To sign, use the button in the mail you got.',
    toAsk: sender => `To ask or tell something, write to ${sender}.`,
  },
  hints: {
    sender: 'You can reply to this mail with one of these words: status, remind, extend 5 days, cancel.',
    signatory: 'To reject by mail, reply “reject:” and your reason in the same line. Nothing is ever signed by reply.',
  },
  away: {
    title: person => `${person} may be away`,
    lead: person => `Our mail about this request to ${person} got an automatic answer.`,
    quote: 'The answer says:',
    next: 'The request goes on. If it can’t wait, reply “extend 5 days” or “cancel”, or ask somebody else with a new mail.',
  },
  deadline: {
    summary: subject => `Sign by now: ${subject}`,
    description: (sender, request) =>
      `${sender} asked for your signature. The link is in the mail from Signpost (request number ${request}).`,
  },
};

const de: ReplyTexts = {
  states: {
    preparing: () => 'Die Dokumente werden vorbereitet.',
    open: (date, signed, of) => `Bisher unterschrieben: ${signed} von ${of}. Der Vorgang ist offen bis ${date}.`,
    closing: () => 'Alle haben unterschrieben; das unterschriebene Exemplar wird gerade erstellt.',
    finished: date => `Der Vorgang wurde am ${date} abgeschlossen; alle Beteiligten haben das Exemplar per Mail.`,
    rejected: date => `Am ${date} wurde die Unterschrift abgelehnt; der Vorgang endete ohne unterschriebenes Dokument.`,
    expired: date => `Die Frist lief am ${date} ab; der Vorgang endete ohne unterschriebenes Dokument.`,
    cancelled: date => `Der Vorgang wurde am ${date} abgebrochen.`,
    failed: date => `Das Dokument konnte nicht unterschrieben werden; der Vorgang endete am ${date}.`,
  },
  status: { title: 'So steht es um den Vorgang' },
  reminded: { title: 'Die Erinnerung ist unterwegs', lead: names => `Erinnert: ${names}.` },
  remindedBefore: {
    title: 'Es wurde niemand erinnert',
    lead: again =>
      `Alle, deren Unterschrift fehlt, haben erst kürzlich eine Mail dazu bekommen. Wieder möglich ab ${again}.`,
  },
  nobodyToRemind: { title: 'Es wurde niemand erinnert', lead: 'Im Moment wird auf niemanden gewartet.' },
  prolonged: {
    title: 'Die Frist ist verlängert',
    lead: until => `Der Vorgang ist jetzt offen bis ${until}. Alle, deren Unterschrift fehlt, erfahren es per Mail.`,
  },
  tooLong: {
    title: 'Die Frist wurde nicht verlängert',
    lead: latest => `Dieser Vorgang kann längstens bis ${latest} offen bleiben.`,
  },
  ended: { title: 'Dieser Vorgang ist beendet' },
  allSigned: { title: 'Dafür ist es zu spät' },
  notYourTurn: {
    title: 'Sie sind noch nicht an der Reihe',
    lead: 'Andere unterschreiben vor Ihnen; Sie erhalten eine Mail, wenn Sie an der Reihe sind.',
  },
  signedAlready: {
    title: 'Sie haben schon unterschrieben',
    lead: 'Daher können Sie nicht mehr ablehnen. Bitte sprechen Sie mit der Person, die gefragt hat.',
  },
  reasonMissing: {
    title: 'Bitte nennen Sie den Grund',
    lead: 'Zum Ablehnen ist ein Grund nötig. Antworten Sie mit „ablehnen:“ und dem Grund in derselben Zeile.',
  },
  help: {
    title: 'Ihre Antwort wurde nicht verstanden',
    lead: 'Niemand hat sie gelesen: An dieser Adresse antwortet eine Maschine. Sie kennt nur diese Wörter, in der ersten Zeile einer Antwort:',
    sender: [
      ['Wie es um den Vorgang steht', 'status'],
      ['Alle erinnern, deren Unterschrift fehlt', 'erinnern'],
      ['Fünf Tage mehr Zeit', 'verlängern um 5 Tage'],
      ['Den Vorgang beenden', 'abbrechen'],
    ],
    signatory: [
      ['Wie es um den Vorgang steht', 'status'],
      ['Ablehnen, was den Vorgang beendet', 'ablehnen: Ihr Grund'],
    ],
    copy: [['Wie es um den Vorgang steht', 'status']],
    toSign: 'Durch eine Antwort wird nie etwas unterschrieben. Zum Unterschreiben dient der Knopf in der Mail an Sie.',
    toAsk: sender => `Wenn Sie etwas fragen oder sagen möchten, schreiben Sie an ${sender}.`,
  },
  hints: {
    sender:
      'Auf diese Mail können Sie mit diesen Wörtern antworten: status, erinnern, verlängern um 5 Tage, abbrechen.',
    signatory:
      'Zum Ablehnen per Mail antworten Sie „ablehnen:“ und den Grund in derselben Zeile. Unterschrieben wird durch eine Antwort nie.',
  },
  away: {
    title: person => `${person} ist vielleicht abwesend`,
    lead: person => `Auf unsere Mail zu diesem Vorgang an ${person} kam eine automatische Antwort.`,
    quote: 'Darin steht:',
    next: 'Der Vorgang läuft weiter. Wenn es eilt, antworten Sie „verlängern um 5 Tage“ oder „abbrechen“, oder fragen Sie mit einer neuen Mail jemand anderen.',
  },
  deadline: {
    summary: subject => `Unterschrift fällig: ${subject}`,
    description: (sender, request) =>
      `${sender} bittet um Ihre Unterschrift. Der Link steht in der Mail von Signpost (Vorgangsnummer ${request}).`,
  },
};

const fr: ReplyTexts = {
  states: {
    preparing: () => 'Les documents sont en cours de préparation.',
    open: (date, signed, of) => `Signatures\u00a0: ${signed} sur ${of}. La demande est ouverte jusqu’au ${date}.`,
    closing: () => 'Tout le monde a signé\u00a0; l’exemplaire signé est en cours de préparation.',
    finished: date =>
      `La demande s’est terminée le ${date}\u00a0; toutes les parties ont reçu l’exemplaire signé par mail.`,
    rejected: date => `Un signataire a refusé le ${date}\u00a0; la demande a pris fin sans document signé.`,
    expired: date => `Le délai de signature a pris fin le ${date}, sans document signé.`,
    cancelled: date => `La demande a été annulée le ${date}.`,
    failed: date => `Le document n’a pas pu être signé\u00a0; la demande a pris fin le ${date}.`,
  },
  status: { title: 'Où en est la demande' },
  reminded: { title: 'Le rappel est parti', lead: names => `Rappel envoyé à\u00a0: ${names}.` },
  remindedBefore: {
    title: 'Aucun rappel n’a été envoyé',
    lead: again => `Tous ceux qui doivent encore signer ont reçu un mail il y a peu. Réessayez après le ${again}.`,
  },
  nobodyToRemind: { title: 'Aucun rappel n’a été envoyé', lead: 'En ce moment, personne n’est attendu.' },
  prolonged: {
    title: 'Le délai est prolongé',
    lead: until =>
      `La demande est maintenant ouverte jusqu’au ${until}. Tous ceux qui doivent encore signer sont prévenus.`,
  },
  tooLong: {
    title: 'Le délai n’a pas été prolongé',
    lead: latest => `Cette demande peut rester ouverte jusqu’au ${latest} au plus tard.`,
  },
  ended: { title: 'Cette demande est terminée' },
  allSigned: { title: 'Il est trop tard' },
  notYourTurn: {
    title: 'Ce n’est pas encore votre tour',
    lead: 'D’autres signent avant vous\u00a0; vous recevrez un mail quand ce sera votre tour.',
  },
  signedAlready: {
    title: 'Vous avez déjà signé',
    lead: 'Vous ne pouvez donc plus refuser. Merci d’en parler à la personne qui a fait la demande.',
  },
  reasonMissing: {
    title: 'Merci d’indiquer le motif',
    lead: 'Pour refuser, il faut un motif. Répondez «\u00a0refuser\u00a0:\u00a0» suivi du motif sur la même ligne.',
  },
  help: {
    title: 'Votre réponse n’a pas été comprise',
    lead: 'Personne ne l’a lue\u00a0: cette adresse est celle d’une machine. Elle ne connaît que ces mots, sur la première ligne d’une réponse\u00a0:',
    sender: [
      ['Où en est la demande', 'statut'],
      ['Rappel à ceux qui doivent encore signer', 'rappel'],
      ['Cinq jours de plus pour signer', 'prolonger de 5 jours'],
      ['Mettre fin à la demande', 'annuler'],
    ],
    signatory: [
      ['Où en est la demande', 'statut'],
      ['Refuser, ce qui met fin à la demande', 'refuser\u00a0: votre motif'],
    ],
    copy: [['Où en est la demande', 'statut']],
    toSign: 'Une réponse ne signe jamais rien. Pour signer, utilisez le bouton du mail que vous avez reçu.',
    toAsk: sender => `Pour demander ou dire quelque chose, écrivez à ${sender}.`,
  },
  hints: {
    sender: 'Vous pouvez répondre à ce mail par l’un de ces mots\u00a0: statut, rappel, prolonger de 5 jours, annuler.',
    signatory:
      'Pour refuser par mail, répondez «\u00a0refuser\u00a0:\u00a0» suivi du motif sur la même ligne. Une réponse ne signe jamais rien.',
  },
  away: {
    title: person => `${person} est peut-être en congé`,
    lead: person => `Notre mail à ${person} au sujet de cette demande a reçu une réponse automatique.`,
    quote: 'La réponse dit\u00a0:',
    next: 'La demande continue. Si c’est urgent, répondez «\u00a0prolonger de 5 jours\u00a0» ou «\u00a0annuler\u00a0», ou sollicitez quelqu’un d’autre par un nouveau mail.',
  },
  deadline: {
    summary: subject => `À signer maintenant\u00a0: ${subject}`,
    description: (sender, request) =>
      `${sender} demande votre signature. Le lien se trouve dans le mail de Signpost (numéro de demande ${request}).`,
  },
};

export const REPLY_TEXTS: Readonly<Record<Language, ReplyTexts>> = { en, fr, de };
