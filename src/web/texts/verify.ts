/** Texts of the verification page, which is loaded apart from the others. */
import type { Indication, SignatureKind, SubIndication } from '../../signatures/verify/result.ts';
import type { Texts } from './catalogue.ts';

export interface VerifyTexts {
  readonly title: string;
  readonly intro: string;
  readonly choose: string;
  readonly drop: string;
  readonly again: string;
  readonly checking: string;
  readonly good: string;
  readonly failed: string;
  readonly open: string;
  readonly none: string;
  readonly openText: string;
  readonly noneText: string;
  readonly goodText: string;
  readonly intactText: string;
  readonly changedText: string;
  readonly kind: Readonly<Record<SignatureKind, string>>;
  readonly state: Readonly<Record<Indication, string>>;
  readonly said: (kind: string, state: string) => string;
  readonly why: Readonly<Record<SubIndication, string>>;
  readonly signer: string;
  readonly organization: string;
  readonly issuer: string;
  readonly sealedBy: string;
  readonly report: string;
  readonly reportText: string;
  readonly document: string;
  readonly proven: string;
  readonly claimed: string;
  readonly unproven: string;
  readonly intact: string;
  readonly intactYes: string;
  readonly intactNo: string;
  readonly level: string;
  readonly algorithm: string;
  readonly changed: (revision: number, object: number | null) => string;
  readonly signatures: (count: number) => string;
  readonly tooBig: string;
  readonly tooOften: string;
  readonly busy: string;
  readonly offline: string;
  readonly more: string;
}

const en: VerifyTexts = {
  title: 'Check a signed file',
  intro:
    'Signed PDFs, signatures around a file (.p7m) and signed XML. The file is checked by this server and forgotten at once: nobody sees it, nothing is kept.',
  choose: 'Choose a file',
  drop: 'or drop it here',
  again: 'Check another file',
  checking: 'Checking…',
  good: 'Unchanged and valid',
  failed: 'Don’t rely on this file',
  open: 'Not confirmed',
  none: 'No signature found',
  goodText: 'The file is exactly as it was signed, and every signature in it is valid.',
  intactText: 'The file is exactly as it was signed. One question stays open, though.',
  changedText: 'It was changed after it was signed, or a signature in it is not genuine.',
  openText: 'Whether this file can be relied on is not known.',
  noneText: 'This file has no signature that can be checked here. That says nothing about its content.',
  kind: {
    signature: 'Signature',
    approval: 'Standard signature, drawn or typed',
    seal: 'Company seal',
    'certifying-seal': 'Company seal that certifies the document',
    'closing-seal': 'Company seal that closes the document',
    'document-timestamp': 'Timestamp of the whole document',
  },
  state: { 'TOTAL-PASSED': 'valid', INDETERMINATE: 'not confirmed', 'TOTAL-FAILED': 'not valid' },
  said: (kind, state) => `${kind}: ${state}`,
  why: {
    FORMAT_FAILURE: 'The file was changed after signing, or its signature is not built as it must be.',
    HASH_FAILURE: 'What was signed has been changed.',
    SIG_CRYPTO_FAILURE: 'The signature was not made with the key that it names.',
    REVOKED: 'The certificate had been revoked before it was used.',
    EXPIRED: 'It was made after its certificate had expired.',
    NOT_YET_VALID: 'It was made before its certificate became valid.',
    SIG_CONSTRAINTS_FAILURE: 'The signature lacks something that it must have.',
    CHAIN_CONSTRAINTS_FAILURE: 'The certificate is not for signing documents.',
    CERTIFICATE_CHAIN_GENERAL_FAILURE: 'The certificates do not fit each other.',
    CRYPTO_CONSTRAINTS_FAILURE: 'Its algorithm or key is no longer strong enough.',
    TIMESTAMP_ORDER_FAILURE: 'The times in it contradict each other.',
    NO_SIGNING_CERTIFICATE_FOUND: 'The signer’s certificate is missing.',
    NO_CERTIFICATE_CHAIN_FOUND:
      'This server does not know who issued the certificate, so it cannot confirm who signed.',
    REVOKED_NO_POE: 'The certificate was revoked, and nothing proves that it was used before that.',
    OUT_OF_BOUNDS_NO_POE: 'The certificate has expired, and nothing proves that it was used before that.',
    NO_POE: 'Nothing proves when it was made.',
    TRY_LATER: 'Whether the certificate was revoked is not known here.',
    SIGNED_DATA_NOT_FOUND: 'This is only the signature; the file that it is about is needed, too.',
    GENERIC: 'It could not be checked completely.',
  },
  signer: 'Who',
  organization: 'Of',
  issuer: 'Confirmed by',
  sealedBy: 'Sealed by',
  report: 'Record of an approval',
  reportText:
    'This is what the company’s gateway wrote down when somebody approved documents. Only that gateway can confirm it: its administrator runs “signpost verify”.',
  document: 'Document',
  proven: 'When',
  claimed: 'When, as claimed',
  unproven: 'no timestamp proves it',
  intact: 'Content',
  intactYes: 'unchanged since',
  intactNo: 'changed or not genuine',
  level: 'Level',
  algorithm: 'Algorithm',
  changed: (revision, object) =>
    object === null ? `changed in revision ${revision}` : `object ${object} was changed in revision ${revision}`,
  signatures: count => (count === 1 ? '1 signature' : `${count} signatures`),
  tooBig: 'This file is too big to be checked here.',
  tooOften: 'Too many files from here. Wait a minute.',
  busy: 'Other files are being checked just now. Try again in a few seconds.',
  offline: 'The connection was lost. Try again.',
  more: 'Details',
};

const fr: VerifyTexts = {
  title: 'Vérifier un fichier signé',
  intro:
    'PDF signés, signatures autour d’un fichier (.p7m) et XML signés. Le fichier est vérifié par ce serveur et aussitôt oublié\u00a0: personne ne le voit, rien n’est conservé.',
  choose: 'Choisir un fichier',
  drop: 'ou le déposer ici',
  again: 'Vérifier un autre fichier',
  checking: 'Vérification…',
  good: 'Inchangé et valide',
  failed: 'Ne vous fiez pas à ce fichier',
  open: 'Non confirmé',
  none: 'Aucune signature trouvée',
  goodText: 'Le fichier est exactement tel qu’il a été signé, et toutes ses signatures sont valides.',
  intactText: 'Le fichier est exactement tel qu’il a été signé. Une question reste pourtant ouverte.',
  changedText: 'Il a été modifié après la signature, ou l’une de ses signatures n’est pas authentique.',
  openText: 'On ne sait pas si l’on peut se fier à ce fichier.',
  noneText: 'Ce fichier n’a aucune signature vérifiable ici. Cela ne dit rien de son contenu.',
  kind: {
    signature: 'Signature',
    approval: 'Signature simple (standard), tracée ou saisie au clavier',
    seal: 'Cachet de l’entreprise',
    'certifying-seal': 'Cachet de l’entreprise qui certifie le document',
    'closing-seal': 'Cachet de l’entreprise qui clôt le document',
    'document-timestamp': 'Horodatage du document entier',
  },
  state: { 'TOTAL-PASSED': 'valide', INDETERMINATE: 'non confirmé', 'TOTAL-FAILED': 'non valide' },
  said: (kind, state) => `${kind}\u00a0: ${state}`,
  why: {
    FORMAT_FAILURE: 'Le fichier a été modifié après la signature, ou sa signature n’est pas construite comme il faut.',
    HASH_FAILURE: 'Ce qui a été signé a été modifié.',
    SIG_CRYPTO_FAILURE: 'La signature n’a pas été faite avec la clé qu’elle nomme.',
    REVOKED: 'Le certificat avait été révoqué avant son utilisation.',
    EXPIRED: 'Elle a été faite après l’expiration de son certificat.',
    NOT_YET_VALID: 'Elle a été faite avant que son certificat ne soit valable.',
    SIG_CONSTRAINTS_FAILURE: 'Il manque à la signature un élément obligatoire.',
    CHAIN_CONSTRAINTS_FAILURE: 'Le certificat n’est pas destiné à signer des documents.',
    CERTIFICATE_CHAIN_GENERAL_FAILURE: 'Les certificats ne s’accordent pas entre eux.',
    CRYPTO_CONSTRAINTS_FAILURE: 'Son algorithme ou sa clé n’est plus assez solide.',
    TIMESTAMP_ORDER_FAILURE: 'Les heures qu’elle contient se contredisent.',
    NO_SIGNING_CERTIFICATE_FOUND: 'Le certificat du signataire manque.',
    NO_CERTIFICATE_CHAIN_FOUND:
      'Ce serveur ne sait pas qui a délivré le certificat\u00a0; il ne peut donc pas confirmer qui a signé.',
    REVOKED_NO_POE: 'Le certificat a été révoqué, et rien ne prouve qu’il ait été utilisé avant.',
    OUT_OF_BOUNDS_NO_POE: 'Le certificat a expiré, et rien ne prouve qu’il ait été utilisé avant.',
    NO_POE: 'Rien ne prouve quand elle a été faite.',
    TRY_LATER: 'On ne sait pas ici si le certificat a été révoqué.',
    SIGNED_DATA_NOT_FOUND: 'Ce n’est que la signature\u00a0; il faut aussi le fichier qu’elle concerne.',
    GENERIC: 'Elle n’a pas pu être vérifiée entièrement.',
  },
  signer: 'Qui',
  organization: 'De',
  issuer: 'Confirmé par',
  sealedBy: 'Cacheté par',
  report: 'Procès-verbal d’une approbation',
  reportText:
    'C’est ce que la passerelle de l’entreprise a consigné lors de l’approbation de documents. Elle seule peut le confirmer\u00a0: son administrateur lance «\u00a0signpost verify\u00a0».',
  document: 'Document',
  proven: 'Quand',
  claimed: 'Quand, selon le signataire',
  unproven: 'aucun horodatage ne le prouve',
  intact: 'Contenu',
  intactYes: 'inchangé depuis',
  intactNo: 'modifié ou non authentique',
  level: 'Niveau',
  algorithm: 'Algorithme',
  changed: (revision, object) =>
    object === null ? `modifié dans la révision ${revision}` : `objet ${object} modifié dans la révision ${revision}`,
  signatures: count => (count === 1 ? '1 signature' : `${count} signatures`),
  tooBig: 'Ce fichier est trop grand pour être vérifié ici.',
  tooOften: 'Trop de fichiers depuis cet endroit. Attendez une minute.',
  busy: 'D’autres fichiers sont en cours de vérification. Réessayez dans quelques secondes.',
  offline: 'La connexion a été perdue. Réessayez.',
  more: 'Détails',
};

const de: VerifyTexts = {
  title: 'Signierte Datei prüfen',
  intro:
    'Signierte PDFs, Signaturen um eine Datei (.p7m) und signiertes XML. Die Datei wird von diesem Server geprüft und sofort vergessen: Niemand sieht sie, nichts wird aufbewahrt.',
  choose: 'Datei wählen',
  drop: 'oder hier ablegen',
  again: 'Weitere Datei prüfen',
  checking: 'Wird geprüft…',
  good: 'Unverändert und gültig',
  failed: 'Verlassen Sie sich nicht auf diese Datei',
  open: 'Nicht bestätigt',
  none: 'Keine Signatur gefunden',
  goodText: 'Die Datei ist genau so, wie sie signiert wurde, und jede Signatur darin ist gültig.',
  intactText: 'Die Datei ist genau so, wie sie signiert wurde. Eine Frage bleibt jedoch offen.',
  changedText: 'Sie wurde nach dem Signieren verändert, oder eine Signatur darin ist nicht echt.',
  openText: 'Ob man sich auf diese Datei verlassen kann, ist nicht bekannt.',
  noneText: 'Diese Datei hat keine Signatur, die hier geprüft werden kann. Über ihren Inhalt sagt das nichts.',
  kind: {
    signature: 'Signatur',
    approval: 'Einfache Signatur (Standard), gezeichnet oder getippt',
    seal: 'Unternehmenssiegel',
    'certifying-seal': 'Unternehmenssiegel, das das Dokument zertifiziert',
    'closing-seal': 'Unternehmenssiegel, das das Dokument abschließt',
    'document-timestamp': 'Zeitstempel des ganzen Dokuments',
  },
  state: { 'TOTAL-PASSED': 'gültig', INDETERMINATE: 'nicht bestätigt', 'TOTAL-FAILED': 'ungültig' },
  said: (kind, state) => `${kind}: ${state}`,
  why: {
    FORMAT_FAILURE: 'Die Datei wurde nach dem Signieren verändert, oder ihre Signatur ist nicht richtig gebaut.',
    HASH_FAILURE: 'Was signiert wurde, ist verändert worden.',
    SIG_CRYPTO_FAILURE: 'Die Signatur wurde nicht mit dem Schlüssel gemacht, den sie nennt.',
    REVOKED: 'Das Zertifikat war vor seinem Gebrauch widerrufen worden.',
    EXPIRED: 'Sie wurde gemacht, nachdem ihr Zertifikat abgelaufen war.',
    NOT_YET_VALID: 'Sie wurde gemacht, bevor ihr Zertifikat gültig war.',
    SIG_CONSTRAINTS_FAILURE: 'Der Signatur fehlt etwas, das sie haben muss.',
    CHAIN_CONSTRAINTS_FAILURE: 'Das Zertifikat ist nicht zum Signieren von Dokumenten da.',
    CERTIFICATE_CHAIN_GENERAL_FAILURE: 'Die Zertifikate passen nicht zueinander.',
    CRYPTO_CONSTRAINTS_FAILURE: 'Algorithmus oder Schlüssel ist nicht mehr stark genug.',
    TIMESTAMP_ORDER_FAILURE: 'Die Zeiten darin widersprechen einander.',
    NO_SIGNING_CERTIFICATE_FOUND: 'Das Zertifikat der unterzeichnenden Person fehlt.',
    NO_CERTIFICATE_CHAIN_FOUND:
      'Dieser Server kennt den Aussteller des Zertifikats nicht und kann daher nicht bestätigen, wer signiert hat.',
    REVOKED_NO_POE: 'Das Zertifikat wurde widerrufen, und nichts beweist, dass es vorher benutzt wurde.',
    OUT_OF_BOUNDS_NO_POE: 'Das Zertifikat ist abgelaufen, und nichts beweist, dass es vorher benutzt wurde.',
    NO_POE: 'Nichts beweist, wann sie gemacht wurde.',
    TRY_LATER: 'Ob das Zertifikat widerrufen wurde, ist hier nicht bekannt.',
    SIGNED_DATA_NOT_FOUND: 'Das ist nur die Signatur; die Datei, um die es geht, wird auch gebraucht.',
    GENERIC: 'Sie konnte nicht vollständig geprüft werden.',
  },
  signer: 'Wer',
  organization: 'Von',
  issuer: 'Bestätigt durch',
  sealedBy: 'Gesiegelt durch',
  report: 'Protokoll einer Zustimmung',
  reportText:
    'Das hat das Gateway des Unternehmens festgehalten, als jemand Dokumenten zustimmte. Nur dieses Gateway kann es bestätigen: Wer es verwaltet, ruft „signpost verify“ auf.',
  document: 'Dokument',
  proven: 'Wann',
  claimed: 'Wann, nach eigener Angabe',
  unproven: 'kein Zeitstempel beweist es',
  intact: 'Inhalt',
  intactYes: 'seitdem unverändert',
  intactNo: 'verändert oder nicht echt',
  level: 'Stufe',
  algorithm: 'Algorithmus',
  changed: (revision, object) =>
    object === null ? `in Revision ${revision} verändert` : `Objekt ${object} wurde in Revision ${revision} verändert`,
  signatures: count => (count === 1 ? '1 Signatur' : `${count} Signaturen`),
  tooBig: 'Diese Datei ist zu groß, um hier geprüft zu werden.',
  tooOften: 'Zu viele Dateien von hier. Warten Sie eine Minute.',
  busy: 'Gerade werden andere Dateien geprüft. Versuchen Sie es in einigen Sekunden noch einmal.',
  offline: 'Die Verbindung ist abgebrochen. Versuchen Sie es noch einmal.',
  more: 'Einzelheiten',
};

export const VERIFY_TEXTS: Readonly<Record<Texts['language'], VerifyTexts>> = { en, fr, de };
