import type { DeviceTexts } from './catalogue.ts';

export const devicesFr: DeviceTexts = {
  proof: {
    password: 'votre mot de passe',
    'mailed-code': 'un code reçu par courriel',
    'admin-code': 'un code de votre administrateur',
  },
  and: ' et ',
  or: ', ou ',
  needed: what => `Ce qui montre que c’est vous : ${what}.`,
  password: 'Votre mot de passe',
  passwordHint: 'celui de votre compte dans l’entreprise ; il y est vérifié et n’est conservé nulle part ici',

  quoted: name => `« ${name} »`,
  waitingTitle: 'Confirmez sur votre autre appareil',
  waitingText: (names, address) =>
    `Vous signez déjà avec ${names}. Ouvrez-y ${address} et confirmez ce nouvel appareil.`,
  compare: 'Ce nombre doit s’y afficher :',
  waiting: 'En attente de votre autre appareil…',
  notConfirmed: 'Cet appareil n’a pas été confirmé : votre autre appareil a refusé, ou le délai est passé.',
  lostTitle: 'Vous ne l’avez plus ?',
  lostText:
    'Le nouvel appareil peut prendre sa place. L’ancien ne pourra plus signer ; ce que vous avez signé avec lui reste valable.',
  replace: name => `Remplacer « ${name} »`,
  replacing: 'Remplacement…',
  replaceNeedsMore:
    'Il faut montrer davantage que c’est vous. Faites-le ci-dessous, ou confirmez sur votre autre appareil.',
  moreTitle: 'Ou montrez davantage',
  startAgain: 'Recommencer',

  newcomerTitle: 'Ajouter un nouvel appareil ?',
  newcomerText: name =>
    `« ${name} » veut signer à votre nom. Acceptez seulement si vous le tenez et s’il affiche ce nombre :`,
  newcomerReplaces: name => `Il prend la place de « ${name} », qui ne pourra plus signer.`,
  newcomerYes: 'Oui, il est à moi',
  newcomerNo: 'Non',
  answering: 'Un instant…',
  newcomerAdded: name => `« ${name} » est ajouté.`,
  newcomerRefused: name =>
    `« ${name} » est refusé. Quelqu’un connaît peut-être votre mot de passe ou lit votre courriel : prévenez votre administrateur.`,
  newcomerGone: 'Cet appareil n’attend plus.',

  yours: 'Vos appareils',
  since: date => `depuis le ${date}`,
  ended: date => `retiré le ${date}`,
  own: 'cet appareil',
  wasAdded: (name, date) =>
    `Un nouvel appareil signe pour vous : « ${name} », depuis le ${date}. S’il n’est pas à vous, retirez-le ci-dessous.`,
  wasRemoved: (name, date) =>
    `« ${name} » a été retiré le ${date}. Si ce n’était pas vous, prévenez votre administrateur.`,
  gotIt: 'Entendu',
  removeOther: name => `Retirer « ${name} »…`,
  removeOtherConfirm: name =>
    `« ${name} » ne pourra plus signer et son certificat sera révoqué. Ce que vous avez signé avec lui reste valable. Appuyez encore une fois pour le retirer.`,
  removedOther: name => `« ${name} » est retiré.`,
  rename: 'Renommer cet appareil…',
  name: 'Nom de cet appareil',
  saveName: 'Enregistrer',
  saving: 'Enregistrement…',

  proveTitle: 'Montrez encore une fois que c’est vous',
  proveText:
    'Ce document demande davantage que ce avec quoi cet appareil a été préparé. Vous ne le faites qu’une fois.',
  prove: 'Continuer',
  proving: 'Vérification…',

  passkeyTitle: 'Signez avec votre empreinte, votre visage ou votre code',
  passkeyText:
    'Avec une clé d’accès, cet appareil les demande à chaque signature : personne d’autre ne peut signer avec lui. Ils ne quittent jamais l’appareil.',
  passkeyRequired:
    'Ce document demande une clé d’accès. Votre empreinte, votre visage ou votre code ne quittent jamais l’appareil.',
  passkeyAdd: 'Ajouter une clé d’accès',
  passkeyAdding: 'Suivez votre appareil…',
  passkeyLater: 'Pas maintenant',
  passkeyDeclined: 'Aucune clé d’accès n’a été utilisée. Rien n’est signé ; réessayez.',
  passkeyNone:
    'Ce navigateur n’a pas de clés d’accès. Ouvrez le lien dans un autre navigateur, ou sur votre téléphone.',
};
