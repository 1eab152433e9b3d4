import type { DeviceTexts } from './catalogue.ts';

export const devicesFr: DeviceTexts = {
  proof: {
    password: 'votre mot de passe',
    'mailed-code': 'un code reçu par mail',
    'admin-code': 'un code de votre administrateur',
  },
  and: ' et ',
  or: ', ou ',
  needed: what => `Pour prouver que c’est vous\u00a0: ${what}.`,
  password: 'Votre mot de passe',
  passwordHint: 'celui de votre compte dans l’entreprise\u00a0; il y est vérifié et n’est conservé nulle part ici',

  waitingTitle: 'Confirmez sur votre autre appareil',
  waitingText: (names, address) =>
    `Vous signez déjà avec ${names}. Ouvrez-y ${address} et confirmez ce nouvel appareil.`,
  compare: 'Ce nombre doit s’y afficher\u00a0:',
  waiting: 'En attente de votre autre appareil…',
  notConfirmed: 'Cet appareil n’a pas été confirmé\u00a0: votre autre appareil a refusé, ou le délai est dépassé.',
  lostTitle: 'Vous ne l’avez plus\u00a0?',
  lostText:
    'Le nouvel appareil peut prendre sa place. L’ancien ne pourra plus signer\u00a0; ce que vous avez signé avec lui reste valable.',
  replace: name => `Remplacer «\u00a0${name}\u00a0»`,
  replacing: 'Remplacement…',
  replaceNeedsMore:
    'Il faut une preuve supplémentaire de votre identité. Donnez-la ci-dessous, ou confirmez sur votre autre appareil.',
  moreTitle: 'Ou donnez une preuve supplémentaire',
  startAgain: 'Recommencer',

  newcomerTitle: 'Ajouter un nouvel appareil\u00a0?',
  newcomerText: name =>
    `«\u00a0${name}\u00a0» veut signer à votre nom. Acceptez seulement si vous le tenez et s’il affiche ce nombre\u00a0:`,
  newcomerReplaces: name => `Il prend la place de «\u00a0${name}\u00a0», qui ne pourra plus signer.`,
  newcomerYes: 'Oui, il est à moi',
  newcomerNo: 'Non',
  answering: 'Un instant…',
  newcomerAdded: name => `«\u00a0${name}\u00a0» est ajouté.`,
  newcomerRefused: name =>
    `«\u00a0${name}\u00a0» est refusé. Quelqu’un connaît peut-être votre mot de passe ou lit votre mail\u00a0: prévenez votre administrateur.`,
  newcomerGone: 'Cet appareil n’attend plus.',

  yours: 'Vos appareils',
  since: date => `depuis le ${date}`,
  ended: date => `retiré le ${date}`,
  own: 'cet appareil',
  wasAdded: (name, date) =>
    `Un nouvel appareil signe pour vous\u00a0: «\u00a0${name}\u00a0», depuis le ${date}. S’il n’est pas à vous, retirez-le ci-dessous.`,
  wasRemoved: (name, date) =>
    `«\u00a0${name}\u00a0» a été retiré le ${date}. Si ce n’était pas vous, prévenez votre administrateur.`,
  gotIt: 'Entendu',
  removeOther: name => `Retirer «\u00a0${name}\u00a0»…`,
  removeOtherConfirm: name =>
    `«\u00a0${name}\u00a0» ne pourra plus signer et son certificat sera révoqué. Ce que vous avez signé avec lui reste valable. Appuyez encore une fois pour le retirer.`,
  removedOther: name => `«\u00a0${name}\u00a0» est retiré.`,
  rename: 'Renommer cet appareil…',
  name: 'Nom de cet appareil',
  saveName: 'Enregistrer',
  saving: 'Enregistrement…',

  proveTitle: 'Prouvez encore une fois que c’est vous',
  proveText:
    'Ce document demande une preuve plus forte que celle donnée lors de la configuration de cet appareil. C’est à faire une seule fois.',
  prove: 'Continuer',
  proving: 'Vérification…',

  passkeyTitle: 'Signez avec votre empreinte, votre visage ou votre code PIN',
  passkeyText:
    'Avec une clé d’accès, cet appareil les demande à chaque signature\u00a0: personne d’autre ne peut signer avec lui. Empreinte, visage et code ne quittent jamais l’appareil.',
  passkeyRequired:
    'Ce document demande une clé d’accès. Votre empreinte, votre visage ou votre code PIN ne quittent jamais l’appareil.',
  passkeyAdd: 'Ajouter une clé d’accès',
  passkeyAdding: 'Suivez votre appareil…',
  passkeyLater: 'Pas maintenant',
  passkeyDeclined: 'Aucune clé d’accès n’a été utilisée. Rien n’est signé\u00a0; réessayez.',
  passkeyNone:
    'Ce navigateur n’a pas de clés d’accès. Ouvrez le lien dans un autre navigateur, ou sur votre téléphone.',
};
