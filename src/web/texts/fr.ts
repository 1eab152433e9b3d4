import type { Texts } from './catalogue.ts';
import { devicesFr } from './devices/fr.ts';
import { fileSize } from './file-size.ts';

export const fr: Texts = {
  language: 'fr',
  loading: 'Un instant…',
  retry: 'Réessayer',
  cancel: 'Annuler',
  offline: 'La connexion a été perdue. Rien n’est perdu de notre côté\u00a0: réessayez une fois reconnecté.',
  quoted: name => `«\u00a0${name}\u00a0»`,
  yourDevice: person => `Cet appareil signe pour ${person}`,
  browserOn: (browser, system) => `${browser} sur ${system}`,
  otherBrowser: 'Navigateur',

  enrolTitle: 'Configurer cet appareil (30 secondes)',
  enrolIntro:
    'Pour voir et signer des documents, ce navigateur crée une clé de signature qui ne le quitte jamais. Il nous faut seulement savoir que c’est vous.',
  address: 'Votre adresse professionnelle',
  addressHint: 'par exemple nom@entreprise.fr',
  code: 'Votre code',
  codeHint: 'donné par votre administrateur, ou reçu par mail',
  sendCode: 'M’envoyer un code',
  sending: 'Envoi…',
  codeSent: 'Si cette adresse peut recevoir un code par mail, il est en route. Il est valable quelques minutes.',
  setUp: 'Configurer',
  settingUp: 'Création de votre clé…',
  badAddress: 'Saisissez votre adresse professionnelle, par exemple nom@entreprise.fr.',
  badCode: 'Un code a six ou neuf chiffres.',
  insecure:
    'Cette page n’a pas été ouverte par une connexion sécurisée\u00a0: le navigateur ne peut pas créer de clé. Ouvrez-la en https.',
  noStorage:
    'Ce navigateur ne conserve rien ici, comme en navigation privée\u00a0: votre clé n’aurait pas de place. Ouvrez le lien dans une fenêtre normale, ou dans un autre navigateur.',

  devices: devicesFr,

  unknownTitle: 'Rien à signer ici',
  unknownText:
    'Ce lien n’est pas destiné à la personne qui utilise cet appareil, ou il n’est plus valable. Ouvrez le lien de votre propre mail, sur votre propre appareil.',
  unknownOther: 'Configurer cet appareil pour quelqu’un d’autre',

  asksYou: sender => `${sender} demande votre signature`,
  from: 'De',
  subject: 'Objet',
  until: 'Date limite',
  signatories: 'Signataires',
  you: 'vous',
  state: {
    waiting: 'en attente',
    open: 'doit signer',
    signed: 'a signé',
    rejected: 'a refusé',
    closed: 'n’a pas signé',
  },
  document: name => `Document ${name}`,
  documents: count => `${count} documents`,
  pages: count => (count <= 1 ? `${count} page` : `${count} pages`),
  size: bytes => fileSize(bytes, 'fr'),
  notShown:
    'Seul un programme fait pour ce type de fichier peut l’afficher. Téléchargez-le et regardez-le avant de signer\u00a0: c’est exactement le fichier de ce SHA-256 qui est signé.',
  signaturePages: count => (count === 1 ? 'page de signatures' : `${count} pages de signatures`),
  page: number => `Page ${number}`,
  zoomIn: 'Agrandir',
  zoomOut: 'Réduire',
  zoomed: percent => `Zoom ${percent} pour cent`,
  download: 'Télécharger',
  downloading: percent => `Réception du document\u00a0: ${percent}\u00a0%`,
  unreadable:
    'Ce navigateur ne peut pas afficher le document\u00a0; vous ne pouvez donc pas le signer ici. Essayez un autre navigateur ou appareil.',
  sign: 'Signer…',
  reject: 'Refuser…',
  later: 'Plus tard',
  laterTitle: 'Rien n’est décidé',
  laterText: deadline => `Rouvrez le lien de votre mail quand vous voulez, jusqu’au ${deadline}.`,
  laterOpen: 'Rouvrir le document',

  confirmTitle: 'Signer\u00a0?',
  confirm: (what, name) =>
    `Vous, ${name}, signez ${what} avec une signature électronique avancée. Elle ne peut pas être retirée.`,
  confirmStandard: (what, name) =>
    `Vous, ${name}, signez ${what} avec une signature électronique simple (standard)\u00a0: ce que vous voyez ci-dessous, cacheté par l’entreprise. Elle ne peut pas être retirée.`,
  pad: {
    signature: {
      title: 'Tracez votre signature',
      hint: '',
      area: 'Zone où tracer votre signature. Si vous ne pouvez pas tracer, choisissez «\u00a0Au clavier\u00a0».',
      typed: 'Votre nom, en guise de signature',
      missing: 'Tracez d’abord votre signature, ou choisissez «\u00a0Au clavier\u00a0».',
      picture: 'Votre signature',
    },
    paraph: {
      title: 'Votre paraphe',
      hint: 'Il figure au bas de chaque page.',
      area: 'Zone où tracer votre paraphe. Si vous ne pouvez pas tracer, choisissez «\u00a0Au clavier\u00a0».',
      typed: 'Vos initiales',
      missing: 'Tracez d’abord votre paraphe, ou choisissez «\u00a0Au clavier\u00a0».',
      picture: 'Votre paraphe',
    },
    hint: 'Au doigt, au stylet ou à la souris.',
    turn: 'Vous pouvez tourner votre téléphone.',
    undo: 'Annuler le trait',
    clear: 'Effacer',
    typeInstead: 'Au clavier',
    drawInstead: 'À la main',
    done: 'Terminé',
    remember: 'Mémoriser sur mon appareil',
  },
  place: {
    title: 'Lieu indiqué dans le document',
    none: 'Aucun',
    city: 'Ville',
    here: 'Mes coordonnées',
    locating: 'Recherche de votre position…',
    denied: 'Votre appareil ne donne pas sa position.',
  },
  signNow: 'Signer maintenant',
  signing: 'Signature…',
  step: {
    certificate: 'Obtention de votre certificat…',
    turn: 'Réservation de votre tour…',
    waiting: 'Quelqu’un d’autre signe\u00a0; ce sera ensuite votre tour…',
    checking: 'Contrôle de ce que vous signez…',
    passkey: 'Votre appareil demande votre empreinte, votre visage ou votre code PIN…',
    sending: 'Signature et horodatage…',
  },
  tampered: 'Non signé\u00a0: le document a changé',
  tamperedText: reason =>
    `Ce qui devait être signé n’est pas ce qui vous a été montré (${reason}). Votre appareil a refusé de signer. Prévenez votre administrateur.`,

  rejectTitle: 'Refuser cette demande\u00a0?',
  rejectText: sender =>
    `Plus personne ne pourra signer ensuite. ${sender} et toutes les parties en seront informés par mail.`,
  comment: 'Pourquoi\u00a0?',
  commentOptional: 'facultatif\u00a0; lisible par toutes les parties',
  commentRequired: 'lisible par toutes les parties',
  rejectNow: 'Refuser',
  rejecting: 'Refus en cours…',

  signedTitle: 'Signé',
  signedText: name => `Merci, ${name}. Votre signature est dans le document.`,
  next: names => `Doivent encore signer\u00a0: ${names}.`,
  nobodyNext: 'Vous étiez la dernière personne à signer. Le document reçoit maintenant le cachet de l’entreprise.',
  byMail: 'Vous recevrez l’exemplaire signé par mail.',
  rejectedTitle: 'Refusé',
  rejectedText: 'Vous avez refusé cette demande. Toutes les parties en ont été informées par mail.',
  waitingTitle: 'Ce n’est pas encore votre tour',
  waitingText: 'D’autres signent avant vous. Vous recevrez un mail quand ce sera votre tour.',
  preparingText: 'Le document est en préparation. Cette page l’ouvrira dans un instant.',
  endedTitle: 'Cette demande est terminée',
  ended: {
    finished: 'Tout le monde a signé. Vous avez reçu l’exemplaire signé par mail.',
    rejected: 'Un des signataires l’a refusée.',
    expired: 'Tout le monde n’a pas signé à temps.',
    cancelled: 'Elle a été annulée.',
    failed: 'Le document n’a pas pu être traité\u00a0; son expéditeur en a été informé.',
  },

  finishedTitle: count => (count === 1 ? 'Le document signé' : 'Les documents signés'),
  finishedText: count =>
    count === 1
      ? 'Tout le monde a signé\u00a0; le document est cacheté et horodaté. Téléchargez-le et conservez le fichier\u00a0: une impression ne prouve rien.'
      : 'Tout le monde a signé\u00a0; les documents sont cachetés et horodatés. Téléchargez-les et conservez les fichiers\u00a0: une impression ne prouve rien.',
  sealedTitle: count => (count === 1 ? 'Le document cacheté' : 'Les documents cachetés'),
  sealedText: count =>
    count === 1
      ? 'L’entreprise a cacheté et horodaté le document. Téléchargez-le et conservez le fichier\u00a0: une impression ne prouve rien.'
      : 'L’entreprise a cacheté et horodaté les documents. Téléchargez-les et conservez les fichiers\u00a0: une impression ne prouve rien.',
  signedBy: 'Signé par',
  finishedOn: 'Terminé le',
  finishedUnreadable:
    'Ce navigateur ne peut pas afficher le document. Téléchargez-le et ouvrez-le avec un lecteur de PDF.',
  openFinished: count => (count === 1 ? 'Ouvrir le document signé' : 'Ouvrir les documents signés'),

  homeTitle: 'Documents à signer',
  homeText:
    'Envoyez un PDF à l’adresse de quelqu’un dans le domaine de signature\u00a0: on lui demandera de le signer. Envoyez-le à «\u00a0self\u00a0» pour le signer vous-même.',
  homeSetUp: 'Configurer cet appareil',
  waitingForYou: 'En attente de votre signature',
  nothingWaits: 'Rien n’attend votre signature.',
  fromUntil: (sender, deadline) => `de ${sender}, jusqu’au ${deadline}`,
  thisDevice: 'Cet appareil',
  deviceFacts: (name, since) => `${name}, configuré le ${since}`,
  removeDevice: 'Retirer cet appareil…',
  removeConfirm:
    'Sa clé est effacée et son certificat révoqué. Ce que vous avez signé reste valable. Vous pourrez configurer cet appareil à nouveau à tout moment.',
  removing: 'Retrait…',
  removed: 'Cet appareil a été retiré.',

  trustTitle: 'Pourquoi un signe jaune\u00a0?',
  trustIntro:
    'Les signatures sont complètes et vérifiables avec n’importe quel logiciel. Adobe Reader affiche un signe jaune tant que l’autorité de certification de l’entreprise n’y est pas approuvée.',
  trustDownload: 'Télécharger le certificat racine de l’entreprise',
  trustAdobe: 'Dans Adobe Reader',
  trustAdobeSteps: [
    'Ouvrez un document signé et le panneau Signatures.',
    'Ouvrez une signature, Propriétés de la signature, Afficher le certificat du signataire.',
    'Choisissez le certificat le plus haut de la liste, l’onglet Approbation, Ajouter aux certificats approuvés, puis OK.',
    'Comparez son empreinte avec celle que donne votre administrateur.',
  ],
  trustWindows: 'Pour tout le monde (stratégie de groupe Windows)',
  trustWindowsText:
    'Importez le certificat racine sous Configuration ordinateur, Paramètres Windows, Paramètres de sécurité, Stratégies de clé publique, Autorités de certification racines de confiance\u00a0; et laissez Adobe Reader approuver le magasin Windows (Préférences, Signatures, Vérification, Intégration Windows).',
  trustOthers: 'Autres logiciels',
  trustOthersText: 'Le fichier est un certificat PEM\u00a0: OpenSSL, pdfsig, Okular et d’autres le prennent tel quel.',

  failedTitle: 'Cela n’a pas fonctionné',
  problem: {
    'not-found': 'Il n’y a rien ici pour cet appareil.',
    nonce: 'Veuillez réessayer.',
    'bad-request': 'La passerelle n’a pas compris cette page. Rechargez-la et réessayez.',
    'enrolment-refused':
      'Ce que vous avez donné est faux, n’est plus valable ou ne suffit pas. Vérifiez adresse, mot de passe et code, ou demandez un nouveau code.',
    'too-many-tries': 'Trop d’essais. Attendez quelques minutes, puis demandez un nouveau code.',
    'certificate-refused':
      'La passerelle n’a pas délivré de certificat à cet appareil. Adressez-vous à votre administrateur.',
    'comment-required': 'Veuillez dire pourquoi.',
    'not-open': 'Cette demande n’est plus ouverte.',
    'not-your-turn': 'D’autres signent avant vous.',
    'turn-lost': 'Cela a pris trop de temps. Veuillez signer à nouveau.',
    busy: 'Quelqu’un d’autre signe en ce moment. Réessayez dans quelques secondes.',
    'no-certificate': 'Cet appareil n’a pas de certificat valable. Veuillez réessayer.',
    'bad-signature': 'La passerelle n’a pas pu contrôler la signature. Veuillez réessayer.',
    'no-token': 'Cet appareil n’est pas encore prêt. Veuillez réessayer.',
    'token-refused':
      'Cet appareil a perdu la clé avec laquelle il approuve. Retirez-le sur la page d’accueil et configurez-le à nouveau.',
    'bad-approval': 'La passerelle n’a pas pu vérifier votre approbation. Veuillez rouvrir le lien.',
    'no-more-tries':
      'Trop d’approbations de cette demande ont échoué\u00a0; vous ne pouvez plus la signer. Demandez à l’expéditeur de l’envoyer à nouveau.',
    'more-proof': 'Il faut une preuve plus forte que celle donnée lors de la configuration de cet appareil.',
    'passkey-needed': 'Ce document demande une clé d’accès. Ouvrez le lien dans un navigateur qui en a une.',
    'passkey-refused':
      'Votre clé d’accès n’a pas pu être vérifiée. Réessayez, ou retirez cet appareil sur la page d’accueil et configurez-le à nouveau.',
    'password-paused':
      'Pour l’instant, aucun mot de passe n’est essayé pour cette adresse, afin que personne ne puisse bloquer votre compte. Ouvrez le lien d’un mail qui vous est adressé, utilisez un code de votre administrateur, ou attendez une heure.',
    'try-later': 'La passerelle est occupée. Réessayez dans une minute.',
    internal: 'Un problème est survenu de notre côté. Rien n’est perdu\u00a0; réessayez dans une minute.',
  },
};
