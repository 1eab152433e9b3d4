/** Refusals in French. SMTP replies have no accents: they are dropped on the way (../refusal.ts). */
import { fr as mails } from '../../outbound/texts/fr.ts';
import { quoted, size } from '../refusal.ts';
import type { Translations } from './catalogue.ts';

const HOW =
  'Joignez le PDF à un nouveau message adressé à nom@domaine-de-signature, comme vous l’enverriez à cette personne.';
const WITHOUT_OUTSIDERS =
  'Envoyez le message à signer sans ce destinataire\u00a0; une fois le document signé, transmettez-lui la copie signée.';
const MANY = 'Attendez un peu, puis renvoyez ce message.';

export const fr: Translations = {
  notAuthenticated: () => [
    'Seules les personnes de cette entreprise peuvent demander des signatures, et cette connexion n’a pas dit qui vous êtes.',
    'Envoyez le message depuis votre compte de l’entreprise (avec votre identifiant) et réessayez.',
  ],
  unknownLogin: () => [
    'Votre identifiant est inconnu du service de signature. Demandez à votre administrateur de l’ajouter à l’annuaire.',
  ],
  unknownSender: address => [
    `L’adresse d’expéditeur ${quoted(address)} n’appartient à personne dans l’annuaire de l’entreprise.`,
    'Envoyez depuis votre adresse de l’entreprise, ou demandez à votre administrateur d’ajouter celle-ci à l’annuaire.',
  ],
  senderIsNotLogin: address => [
    `Vous êtes connecté sous un autre nom que ${quoted(address)}. Personne ne peut demander de signatures au nom d’un autre.`,
    'Envoyez depuis votre propre adresse.',
  ],
  notOurDomain: address => [
    `Seules les personnes de cette entreprise peuvent demander des signatures, et ${quoted(address)} n’est pas dans un de ses domaines.`,
    'Envoyez le message depuis votre adresse et votre compte de l’entreprise.',
  ],
  notProven: domain => [
    `Rien ne prouve que ce message vient de ${domain} (le détail est ci-dessus).`,
    'Envoyez-le depuis votre compte de l’entreprise (avec votre identifiant). Si vous l’avez fait, montrez cette réponse à votre administrateur.',
  ],
  tooManyStrangers: () => ['Trop de messages sans identifiant arrivent en ce moment. L’envoi sera retenté.'],
  relaySenderDiffers: address => [
    `La ligne From du message nomme une autre adresse que celle de l’envoi, ${quoted(address)}. Par ce serveur, les deux doivent être la même.`,
    'Écrivez la même adresse dans From, ou envoyez le message avec votre identifiant.',
  ],
  senderDiffers: field => [
    `La ligne ${field} du message nomme quelqu’un d’autre que la personne qui l’a envoyé. Renvoyez-le depuis votre propre adresse.`,
  ],
  nullSender: () => [
    'Cette adresse n’accepte pas de message automatique. Seule une personne peut demander une signature.',
  ],
  checkAddress: () => ['Cette adresse ne sert qu’à signpost check et n’est valable que quelques minutes.'],
  bounceAddress: () => [
    'Cette adresse ne reçoit que des rapports de livraison. Écrivez à la personne qui doit signer.',
  ],
  requestAddress: () => [
    'Le message va aussi à l’adresse d’une demande qui existe déjà\u00a0; il ne peut donc pas en ouvrir une nouvelle.',
    'Écrivez aux personnes qui doivent signer, et répondez à l’autre demande dans un message à part.',
  ],
  notYourRequest: () => [
    'Il n’y a pas de demande vous concernant à cette adresse. Répondez à un message reçu du service de signature, depuis l’adresse où vous l’avez reçu.',
  ],
  onlyTheSender: () => [
    'Seule la personne qui a demandé les signatures peut faire cela. Une réponse «\u00a0statut\u00a0» vous dit où en est la demande\u00a0; «\u00a0refuser\u00a0: motif\u00a0» est pour ceux qui doivent signer.',
  ],
  onlySignatories: () => [
    'Seule une personne qui doit signer peut refuser. La personne qui a fait la demande y met fin par «\u00a0annuler\u00a0».',
  ],
  tooManyReplies: () => [
    'Vous avez écrit trop souvent à cette demande aujourd’hui\u00a0; rien n’a donc été fait. Réessayez demain.',
  ],
  serviceAddress: () => [
    'Le service de signature lui-même ne lit pas de courrier. Écrivez à la personne qui doit signer.',
  ],
  unknownRecipient: address => [`${quoted(address)} est inconnu ici.`],
  badRecipients: () => [
    'Personne n’a été invité à signer, car tous les destinataires ne sont pas connus (liste ci-dessus).',
    'Corrigez les noms et renvoyez le message.',
  ],
  externalRecipient: address => [
    `${quoted(address)} est hors de cette entreprise et ne peut pas encore participer.`,
    WITHOUT_OUTSIDERS,
  ],
  externalBefore: address => [
    `Ce message est aussi adressé à ${quoted(address)}, qui est hors de cette entreprise.`,
    WITHOUT_OUTSIDERS,
  ],
  badRecipientSyntax: () => ['Ce n’est pas une adresse possible sur le domaine de signature.'],
  hiddenRecipient: addresses => [
    `La copie cachée (Cci) n’est pas possible ici\u00a0: ${addresses.slice(0, 5).map(quoted).join(', ')} ne figure ni dans À ni dans Cc.`,
    'Mettez dans À tous ceux qui signent, et dans Cc tous ceux qui reçoivent une copie.',
  ],
  noSignatory: () => [
    'Personne dans la ligne À n’est sur le domaine de signature\u00a0: personne ne signerait.',
    'Mettez dans À ceux qui signent (nom@domaine-de-signature, ou self@ pour vous-même)\u00a0; Cc ne reçoit qu’une copie.',
  ],
  groupTooLarge: (address, most) => [
    `${quoted(address)} désigne plus de ${most} personnes, qui ne peuvent pas toutes être invitées d’un coup.`,
    'Écrivez aux personnes qui doivent signer, ou à un groupe plus petit.',
  ],
  emptyGroup: address => [
    `${quoted(address)} est un groupe où il n’y a personne à inviter.`,
    'Écrivez aux personnes qui doivent signer, ou demandez à votre administrateur de regarder les membres du groupe.',
  ],
  mayNotAsk: level => [
    `Personne n’a été invité à signer\u00a0: selon les règles de cette entreprise vous ne pouvez pas demander à tous le niveau ${level} (liste ci-dessus).`,
    'Retirez ces personnes, ou demandez à votre administrateur qui peut les inviter.',
  ],
  ambiguousEntry: () => [
    'Votre adresse ou votre identifiant appartient à deux entrées de l’annuaire de l’entreprise\u00a0: impossible de savoir qui vous êtes.',
    'Demandez à votre administrateur de corriger l’annuaire\u00a0; le journal du service nomme les deux entrées.',
  ],
  sealNotAllowed: () => [
    'Vous ne pouvez pas faire apposer le cachet de l’entreprise.',
    'Pour signer vous-même, écrivez à self@ sans [seal]\u00a0; pour le cachet, adressez-vous à votre administrateur.',
  ],
  sealHasNoSignatory: names => [
    `Le cachet de l’entreprise n’est la signature de personne\u00a0: ${names.slice(0, 5).map(quoted).join(', ')} ne signerait rien.`,
    'Pour le cachet, écrivez à seal@ seul et mettez les autres dans Cc\u00a0; pour qu’ils signent, enlevez seal.',
  ],
  sealInCc: () => ['L’adresse du cachet est dans Cc, où elle ne fait rien. Mettez-la dans À, seule.'],
  tooBig: limit => [
    `Le message est trop gros. La limite est de ${size(limit).replace('iB', 'io')} pour tout le message (les pièces jointes grossissent d’un tiers en route).`,
    'Réduisez le PDF, par exemple avec une qualité d’image plus basse, et renvoyez-le.',
  ],
  malformed: () => [
    'Le message est mal formé (le détail est ci-dessus). Pour que rien ne soit mal lu, il n’a pas été accepté.',
    'Écrivez un nouveau message dans un logiciel de messagerie ordinaire et joignez-y le PDF.',
  ],
  badAddressField: field => [
    `La ligne ${field} du message ne peut pas être lue sans deviner (le détail est ci-dessus).`,
    'Écrivez des adresses simples comme nom@entreprise.com, séparées par des virgules, et renvoyez-le.',
  ],
  automatic: () => ['Un message automatique ou de liste n’ouvre pas de demande. Une personne doit l’envoyer.'],
  twoLevels: (first, second) => [
    `L’objet demande deux niveaux, ${first} et ${second}. N’en écrivez qu’un, par exemple [${first}].`,
  ],
  nearMiss: (written, word) => [`${quoted(written)} dans l’objet ressemble à un niveau mal écrit. Écrivez [${word}].`],
  hiddenLevel: (written, higher, used, offered) => [
    `L’objet dit ${quoted(written)}, mais la demande serait signée au niveau ${used}.`,
    `Pour obtenir ce que vous voulez, écrivez [${higher}] ou [${used}] dans l’objet.`,
    ...(offered ? [] : [`(Le niveau ${higher} n’est pas proposé ici.)`]),
  ],
  notOffered: (level, offered) => [
    `Le niveau ${level} n’est pas proposé ici. Écrivez ${offered.map(name => `[${name}]`).join(' ou ')}, ou aucun niveau.`,
  ],
  badDue: written => [
    `Le délai ${quoted(written)} est incompréhensible. Écrivez par exemple [due 2026-12-31] ou [due 5 days], une seule fois.`,
  ],
  dueInPast: written => [`Le délai ${quoted(written)} est déjà passé. Écrivez-en un plus tardif.`],
  dueTooLate: (written, days) => [
    `Le délai ${quoted(written)} est trop lointain. Une demande peut rester ouverte ${days} jours au plus.`,
  ],
  badSubject: () => [
    'L’objet ne peut pas être lu\u00a0: ses caractères ont un codage inconnu ou abîmé. Écrivez un nouveau message avec un objet simple.',
  ],
  noDocument: (forwarded, otherFiles = false) => [
    `Aucun ${otherFiles ? 'fichier' : 'PDF'} n’est joint\u00a0: il n’y a rien à signer.`,
    ...(forwarded ? ['Un PDF à l’intérieur d’un message joint ne compte pas\u00a0: joignez le PDF lui-même.'] : []),
    HOW,
  ],
  notAPdf: name => [
    `La pièce jointe ${quoted(name)} porte le nom d’un PDF, mais n’en est pas un.`,
    'Ouvrez-la dans le logiciel qui l’a faite, choisissez «\u00a0Enregistrer en PDF\u00a0» ou «\u00a0Imprimer en PDF\u00a0», et envoyez ce fichier.',
  ],
  emptyAttachment: name => [
    `La pièce jointe ${quoted(name)} est vide.`,
    'Vérifiez que le fichier s’ouvre sur votre ordinateur, et joignez-le de nouveau.',
  ],
  standardNeedsPdf: name => [
    `${quoted(name)} n’est pas un PDF et n’a pas de page où dessiner une signature\u00a0: le niveau standard n’est pas possible.`,
    'Écrivez [advanced] dans l’objet, ou enregistrez le document en PDF et envoyez celui-ci.',
  ],
  xml: name => [
    `${quoted(name)} ne peut pas être signé comme XML (le détail est ci-dessus).`,
    'Corrigez le fichier, ou enregistrez son contenu en PDF, et envoyez celui-ci.',
  ],
  winmail: () => [
    'Outlook a emballé les pièces jointes dans winmail.dat, que personne d’autre ne peut ouvrir.',
    'Dans Outlook, choisissez Format du texte > HTML (ou Fichier > Options > Courrier > format RTF\u00a0: convertir en HTML), et renvoyez le message.',
  ],
  archive: name => [`${quoted(name)} est une archive. Décompressez-la et joignez le PDF lui-même.`],
  office: name => [
    `${quoted(name)} est un document bureautique, qui s’affiche autrement sur chaque machine.`,
    'Enregistrez-le en PDF («\u00a0Enregistrer sous\u00a0» ou «\u00a0Exporter\u00a0», type PDF) et joignez celui-ci.',
  ],
  encryptedMail: () => [
    'Le message est chiffré et le service de signature ne peut pas l’ouvrir. Envoyez-le sans chiffrement\u00a0: il ne quitte pas l’entreprise.',
  ],
  changeableDocument: () => [
    'Une pièce jointe voyage comme simple texte\u00a0: des espaces pourraient y changer en route sans briser la signature du message.',
    'Envoyez le message depuis votre compte professionnel (avec votre identifiant), ou enregistrez le document en PDF et joignez celui-ci.',
  ],
  opaqueSigned: () => [
    'Le message est enfermé dans sa propre signature (S/MIME opaque).',
    'Choisissez dans votre messagerie «\u00a0envoyer le message signé en texte clair\u00a0», ou envoyez-le sans signature de messagerie.',
  ],
  partialMessage: () => [
    'Le message arrive en morceaux, ou sa pièce jointe est ailleurs. Envoyez-le entier, en un seul message.',
  ],
  tooManyDocuments: limit => [
    `Il y a trop de PDF dans un même message. Envoyez-en ${limit} au plus, ou réunissez-les.`,
  ],
  document: (name, reason) => [`${quoted(name)}\u00a0: ${mails.failed.reasons[reason]}`],
  tooManyRequests: (limit, allowed) => [
    {
      'per-sender': `Vous avez ${allowed} demandes qui attendent encore des signatures, le plus que l’on puisse avoir.`,
      'per-pair': `Une des personnes a déjà ${allowed} documents de vous à signer, le plus qui puisse attendre.`,
      'per-day': `Vous avez envoyé ${allowed} demandes en 24 heures, le plus que l’on puisse envoyer.`,
    }[limit],
    limit === 'per-day' ? 'Renvoyez celle-ci demain, ou adressez-vous à votre administrateur.' : MANY,
  ],
  directoryUnavailable: () => ['L’annuaire de l’entreprise ne répond pas en ce moment. L’envoi sera retenté.'],
  dnsUnavailable: () => [
    'Impossible de savoir en ce moment qui a envoyé ce message\u00a0: les serveurs de noms ne répondent pas. L’envoi sera retenté.',
  ],
  ourFault: () => ['Le service de signature a un problème en ce moment. L’envoi sera retenté.'],
  diskFull: () => ['Le service de signature n’a plus de place en ce moment. L’envoi sera retenté.'],
  noVerdict: () => [
    'Ce message n’est pas passé par le contrôle d’entrée du service de signature. L’envoi sera retenté.',
  ],
};
