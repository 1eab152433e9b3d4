import type { Catalogue } from './catalogue.ts';

/** In French zero is singular too (CLDR plural rules). */
const one = (count: number): boolean => count < 2;
const theDocuments = (count: number): string =>
  one(count) ? 'le document indiqué ci-dessous' : `les ${count} documents indiqués ci-dessous`;

export const fr: Catalogue = {
  document: (name, pages) => (pages === 0 ? name : `${name} (${pages}\u00a0${one(pages) ? 'page' : 'pages'})`),
  noSubject: 'Document à signer',
  footer: company => `Signpost, le service de signature de ${company}`,

  levels: {
    standard: 'Signature électronique simple',
    advanced: 'Signature électronique avancée',
    qualified: 'Signature électronique qualifiée',
    seal: 'Cachet de l’entreprise',
  },
  levelByDefault: level => `${level} (niveau par défaut, car votre objet n’en indique aucun)`,

  labels: {
    request: 'Numéro de demande',
    from: 'Demandé par',
    level: 'Niveau',
    document: count => (one(count) ? 'Document' : 'Documents'),
    signatory: count => (one(count) ? 'Signataire' : 'Signataires'),
    signatoriesInOrder: 'Signataires, dans cet ordre',
    copies: 'Copie à',
    until: 'Ouvert jusqu’au',
    passedOver: 'Ignoré',
    signedBy: 'Signé par',
    signedAt: 'Signé le',
    notSigned: 'Non signé par',
    reason: 'Motif',
    device: 'Appareil',
    time: 'Date',
  },

  accepted: {
    title: 'Votre demande est acceptée',
    lead: signatories =>
      one(signatories)
        ? 'Le signataire reçoit un lien personnel par mail.'
        : `Chacun des ${signatories} signataires reçoit un lien personnel par mail.`,
    next: 'Quand tout le monde aura signé, vous et toutes les autres parties recevrez l’exemplaire signé par mail.',
    nextInOrder:
      'Ils sont sollicités l’un après l’autre. Après la dernière signature, vous et toutes les autres parties recevrez l’exemplaire signé par mail.',
  },
  pleaseSign: {
    title: sender => `${sender} vous demande de signer`,
    lead: (sender, count) => `${sender} vous invite à signer ${theDocuments(count)}.`,
    titleSelf: count => (one(count) ? 'Votre document à signer' : `Vos ${count} documents à signer`),
    leadSelf: count => `Vous avez demandé à signer vous-même ${theDocuments(count)}.`,
    quote: sender => `${sender} écrit\u00a0:`,
    what: 'Ouvrez le lien sur votre téléphone ou votre ordinateur, lisez, puis signez ou refusez. Ouvrir le lien ne signe rien.',
    button: 'Consulter et signer',
    scan: 'Vous lisez ce mail sur un ordinateur\u00a0? Scannez le code avec votre téléphone.',
    qrAlt: 'Code QR contenant le lien vers le document',
    linkBelow: 'Ou ouvrez ce lien\u00a0:',
    yours: 'Ce lien est pour vous seul et ne s’ouvre que sur votre propre appareil. Merci de ne pas le transférer.',
  },
  reminder: {
    title: sender => `Rappel\u00a0: ${sender} attend votre signature`,
    titleSelf: 'Rappel\u00a0: votre signature manque encore',
    lead: (sender, count, until) =>
      `${sender} vous a demandé de signer ${theDocuments(count)}. Vous pouvez le faire jusqu’au ${until}.`,
    leadSelf: (count, until) =>
      `Vous avez demandé à signer ${theDocuments(count)}. Vous pouvez le faire jusqu’au ${until}.`,
  },
  signedByOne: {
    title: signatory => `${signatory} a signé`,
    lead: left =>
      one(left)
        ? 'Il manque encore une signature. Vous recevrez ensuite l’exemplaire signé.'
        : `Il manque encore ${left} signatures. Vous recevrez ensuite l’exemplaire signé.`,
  },
  finished: {
    title: count => (one(count) ? 'Signé\u00a0: votre exemplaire du document' : `Signés\u00a0: vos ${count} documents`),
    lead: (count, signatories) =>
      `${one(signatories) ? 'Le signataire a' : 'Tous les signataires ont'} signé. ${one(count) ? 'Le document signé est joint' : 'Les documents signés sont joints'} à ce mail, ${one(count) ? 'cacheté et horodaté' : 'cachetés et horodatés'}. Merci de conserver ${one(count) ? 'ce fichier' : 'ces fichiers'}\u00a0: une impression ne prouve rien.`,
    otherFiles:
      'Les fichiers autres que PDF sont signés tels qu’ils ont été envoyés\u00a0: un fichier .p7m contient le fichier et toutes les signatures, un fichier .p7s les signatures du fichier voisin, et un fichier XML cacheté contient son cachet. OpenSSL, «\u00a0signpost verify\u00a0» et d’autres logiciels CAdES et XAdES les vérifient.',
    trust:
      'Adobe Reader affiche un signe jaune au lieu d’un vert tant que votre ordinateur ne fait pas confiance à l’autorité de certification de l’entreprise\u00a0; les signatures sont valables malgré tout.',
    trustLink: 'Comment lui faire confiance\u00a0:',
  },
  finishedLink: {
    lead: (count, signatories) =>
      `${one(signatories) ? 'Le signataire a' : 'Tous les signataires ont'} signé. ${one(count) ? 'Le document signé est trop volumineux' : 'Les documents signés sont trop volumineux'} pour votre boîte aux lettres et ${one(count) ? 'n’est donc pas joint' : 'ne sont donc pas joints'}\u00a0: merci de ${one(count) ? 'le télécharger et de conserver ce fichier' : 'les télécharger et de conserver ces fichiers'}\u00a0; une impression ne prouve rien.`,
    button: 'Voir et télécharger',
    yours: 'Le lien ne s’ouvre que sur votre propre appareil\u00a0; le configurer prend 30 secondes.',
  },
  sealed: {
    title: count =>
      one(count) ? 'Cacheté\u00a0: votre exemplaire du document' : `Cachetés\u00a0: vos ${count} documents`,
    lead: count =>
      `L’entreprise a cacheté et horodaté ${one(count) ? 'le document, joint' : 'les documents, joints'} à ce mail. Merci de conserver ${one(count) ? 'ce fichier' : 'ces fichiers'}\u00a0: une impression ne prouve rien.`,
    linkLead: count =>
      `L’entreprise a cacheté et horodaté ${one(count) ? 'le document. Il est trop volumineux' : 'les documents. Ils sont trop volumineux'} pour votre boîte aux lettres et ${one(count) ? 'n’est donc pas joint' : 'ne sont donc pas joints'}\u00a0: merci de ${one(count) ? 'le télécharger et de conserver ce fichier' : 'les télécharger et de conserver ces fichiers'}\u00a0; une impression ne prouve rien.`,
  },
  rejected: {
    title: signatory => `${signatory} a refusé de signer`,
    titleSelf: 'Vous avez refusé de signer',
    lead: 'La demande a pris fin sans document signé.',
    noReason: 'Aucun motif n’a été donné.',
    quote: signatory => `${signatory} écrit\u00a0:`,
    nothingToDo: 'Vous n’avez rien à faire. Les signatures déjà données sont sans effet.',
    senderNext: 'Pour réessayer, modifiez le document si nécessaire et envoyez-le de nouveau.',
  },
  expired: {
    title: 'Le délai de signature est écoulé',
    lead: until => `La demande était ouverte jusqu’au ${until} et a pris fin sans document signé.`,
    nothingToDo: 'Vous n’avez rien à faire. Les signatures déjà données sont sans effet.',
    senderNext:
      'Pour réessayer, envoyez de nouveau le document. Avec [due 14 days] dans l’objet, les signataires ont plus de temps.',
  },
  cancelled: {
    title: 'La demande a été annulée',
    lead: sender => `La demande de ${sender} a été annulée et a pris fin sans document signé.`,
    leadSelf: 'Votre demande a été annulée et a pris fin sans document signé.',
    nothingToDo:
      'Vous n’avez rien à faire. Les signatures déjà données sont sans effet et les liens ne fonctionnent plus.',
  },
  failed: {
    title: 'Votre document ne peut pas être signé',
    lead: 'Nous avions accepté votre demande, mais nous n’avons pas pu préparer ou terminer le document. La demande a pris fin\u00a0; plus personne n’a rien à faire.',
    next: 'Une fois le document modifié, envoyez-le de nouveau. En cas de nouvel échec, indiquez le numéro de demande à votre administrateur.',
    reasons: {
      'not-pdf': 'Le fichier n’est pas un PDF. Enregistrez-le ou imprimez-le en PDF.',
      damaged: 'Le PDF est endommagé. Refaites-le, par exemple avec «\u00a0Imprimer en PDF\u00a0».',
      encrypted:
        'Le PDF est protégé par un mot de passe. Retirez la protection ou utilisez «\u00a0Imprimer en PDF\u00a0».',
      javascript:
        'Le PDF contient des scripts qui peuvent modifier l’affichage. Utilisez «\u00a0Imprimer en PDF\u00a0».',
      launch: 'Le PDF peut lancer d’autres programmes. Utilisez «\u00a0Imprimer en PDF\u00a0».',
      xfa: 'Le PDF est un formulaire dynamique (XFA). Remplissez-le et utilisez «\u00a0Imprimer en PDF\u00a0».',
      'external-stream': 'Le PDF prend une partie de son contenu ailleurs. Utilisez «\u00a0Imprimer en PDF\u00a0».',
      'executable-attachment': 'Un programme est joint à l’intérieur du PDF. Retirez-le.',
      'optional-content':
        'Le PDF a des calques qui peuvent montrer des contenus différents. Utilisez «\u00a0Imprimer en PDF\u00a0».',
      'certified-no-changes':
        'Le PDF est déjà signé, et une signature antérieure en interdit d’autres. Demandez à son signataire un exemplaire que d’autres puissent signer.',
      'already-signed-standard':
        'Le PDF est déjà signé\u00a0: rien ne peut plus être dessiné sur ses pages. Demandez des signatures avancées.',
      'too-many-pages': 'Le PDF a plus de pages que ce service n’en permet. Divisez-le.',
      'too-complex': 'Le PDF est trop complexe pour ce service. Utilisez «\u00a0Imprimer en PDF\u00a0».',
      'too-slow': 'La lecture du PDF a pris trop de temps. Utilisez «\u00a0Imprimer en PDF\u00a0».',
    },
  },
  undeliverable: {
    title: person => `${person} n’est pas joignable`,
    lead: person =>
      `Notre mail à ${person} au sujet de cette demande nous est revenu\u00a0: il ne peut pas être remis.`,
    signatoryNext:
      'Sans notre mail, cette personne ne peut pas signer. Prévenez-la ou votre administrateur\u00a0; quand l’adresse fonctionne de nouveau, renvoyez le document.',
    next: 'Veuillez informer vous-même cette personne de l’état de la demande, et signaler à votre administrateur que l’adresse ne fonctionne pas.',
  },
  left: {
    title: person => `${person} ne peut pas signer`,
    lead: person =>
      `${person} n’est plus dans l’annuaire de l’entreprise, ou le compte est bloqué. Votre demande attend toujours cette signature.`,
    next: 'Si le compte est seulement bloqué, votre administrateur peut le débloquer, et le lien de notre mail fonctionnera de nouveau. Sinon, annulez la demande et envoyez le document à quelqu’un d’autre.',
  },
  enrolmentCode: {
    title: 'Votre code pour configurer cet appareil',
    lead: 'Saisissez ce code sur la page où vous l’avez demandé\u00a0:',
    validity: minutes =>
      `Il fonctionne une seule fois, pendant ${minutes}\u00a0${one(minutes) ? 'minute' : 'minutes'}.`,
    notYou:
      'Si vous n’avez rien demandé, ne faites rien\u00a0: sans le code, rien ne se passe. Ne donnez jamais ce code à personne, même par téléphone.',
  },
  deviceEnrolled: {
    title: 'Un nouvel appareil peut signer pour vous',
    lead: 'Cet appareil a été configuré pour signer en votre nom\u00a0:',
    notYou: 'Si ce n’était pas vous, prévenez tout de suite votre administrateur\u00a0: il peut bloquer l’appareil.',
  },
  deviceRemoved: {
    title: 'Un appareil ne peut plus signer pour vous',
    lead: 'Cet appareil a été retiré et ne peut plus signer en votre nom\u00a0:',
    notYou:
      'Si vous ne vous y attendiez pas, prévenez votre administrateur. Ce que vous avez signé avec reste valable.',
  },
};
