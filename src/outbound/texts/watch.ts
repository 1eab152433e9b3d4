/** Mails to the admin: what ends soon, what went wrong, and what works again. */
import type { Language } from '../../directory/directory.ts';
import type { FaultKind, WatchedCertificate } from '../../watch/matters.ts';

export interface WatchTexts {
  /** As it stands after "ends". */
  certificates: Record<WatchedCertificate, { name: string; next: string }>;
  endingTitle(certificate: string, days: number): string;
  endingLead(certificate: string): string;
  ends: string;
  file: string;
  faults: Record<FaultKind, { title: string; next: string }>;
  faultLead: string;
  detail: string;
  since: string;
  mendedTitle(fault: string): string;
  mendedLead: string;
  check: string;
}

const en: WatchTexts = {
  certificates: {
    ca: {
      name: 'company’s certificate authority',
      next: 'Make its successor now (signpost keys rotate ca; docs/key-ceremony.md). Without it no new certificates can be issued, and nobody can sign.',
    },
    seal: {
      name: 'company seal',
      next: 'Renew it before that day (signpost keys renew seal). Without it no document can be prepared or closed.',
    },
    tsa: {
      name: 'timestamp authority',
      next: 'Renew it before that day (signpost keys renew tsa). Without it no document gets a timestamp.',
    },
    ocsp: {
      name: 'OCSP responder',
      next: 'The gateway renews it by itself, and this time it could not. Its log says why.',
    },
    tls: {
      name: 'web server',
      next: 'Renew it as you got it (certbot or the like). The gateway loads the new files by itself. Without it no phone reaches the gateway.',
    },
    'tsa-trust': {
      name: 'outside timestamp authority’s root',
      next: 'Ask the authority for its new root, and put it into the file. Without it, its timestamps are not believed any more.',
    },
  },
  endingTitle: (certificate, days) =>
    `The certificate of the ${certificate} ends ${days === 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${days} days`}`,
  endingLead: certificate => `This certificate of the ${certificate} will soon not be valid any more.`,
  ends: 'Ends',
  file: 'Certificate',
  faults: {
    'certificate-ended': {
      title: 'A certificate has ended',
      next: 'Renew it now: what depends on it doesn’t work.',
    },
    'certificate-unreadable': {
      title: 'A certificate can’t be read',
      next: 'Put the file back in order: at its next start the gateway will need it.',
    },
    crl: {
      title: 'There is no current list of revoked certificates',
      next: 'Those who check signatures may reject them. The gateway makes the list anew every day: its log says why it could not.',
    },
    ocsp: {
      title: 'The OCSP responder gives no good answers',
      next: 'Those who check signatures may reject them. The gateway’s log says more.',
    },
    timestamps: {
      title: 'No timestamp authority answers',
      next: 'Nothing can be signed until one does; people are asked to try again later. Look at timestamps.authorities, and at the network.',
    },
    clock: {
      title: 'The clock is in doubt',
      next: 'No timestamps are made meanwhile. Check the time of the machine (timedatectl), then restart the gateway: that acknowledges it.',
    },
    disk: {
      title: 'The disk is nearly full',
      next: 'Make room where the state is. When it is full, new mail is put off and nobody can sign; nothing is lost.',
    },
    outbox: {
      title: 'Mails to people don’t go out',
      next: 'The Postfix that takes our mail doesn’t take it. Look at its log, and at mail.smtp.',
    },
    evidence: {
      title: 'The evidence log is not timestamped',
      next: 'Until it is, its newest entries could be changed unseen. Look at the timestamp authorities.',
    },
  },
  faultLead: 'The gateway looked after itself, and found a fault that needs you.',
  detail: 'Found',
  since: 'Since',
  mendedTitle: fault => `Over: ${fault}`,
  mendedLead: 'The gateway looked again: this fault is over. You need do nothing.',
  check: '“signpost check” on the gateway’s machine shows everything.',
};

const fr: WatchTexts = {
  certificates: {
    ca: {
      name: 'de l’autorité de certification de l’entreprise',
      next: 'Créez dès maintenant celui qui lui succède (signpost keys rotate ca\u00a0; docs/key-ceremony.md). Sans lui, plus aucun certificat ne peut être délivré, et personne ne peut signer.',
    },
    seal: {
      name: 'du cachet de l’entreprise',
      next: 'Renouvelez-le avant ce jour (signpost keys renew seal). Sans lui, aucun document ne peut être préparé ni terminé.',
    },
    tsa: {
      name: 'de l’autorité d’horodatage',
      next: 'Renouvelez-le avant ce jour (signpost keys renew tsa). Sans lui, aucun document ne reçoit d’horodatage.',
    },
    ocsp: {
      name: 'du répondeur OCSP',
      next: 'La passerelle le renouvelle elle-même\u00a0; cette fois, elle n’y est pas parvenue. Son journal dit pourquoi.',
    },
    tls: {
      name: 'du serveur web',
      next: 'Renouvelez-le comme vous l’avez obtenu (certbot ou autre). La passerelle charge elle-même les nouveaux fichiers. Sans lui, aucun téléphone n’atteint la passerelle.',
    },
    'tsa-trust': {
      name: 'racine d’une autorité d’horodatage externe',
      next: 'Demandez à cette autorité sa nouvelle racine et mettez-la dans le fichier. Sans elle, on ne se fie plus à ses horodatages.',
    },
  },
  endingTitle: (certificate, days) =>
    `Le certificat ${certificate} expire ${days === 0 ? 'aujourd’hui' : days === 1 ? 'demain' : `dans ${days} jours`}`,
  endingLead: certificate => `Ce certificat ${certificate} ne sera bientôt plus valable.`,
  ends: 'Expire',
  file: 'Certificat',
  faults: {
    'certificate-ended': {
      title: 'Un certificat a expiré',
      next: 'Renouvelez-le maintenant\u00a0: ce qui en dépend ne fonctionne pas.',
    },
    'certificate-unreadable': {
      title: 'Un certificat est illisible',
      next: 'Remettez le fichier en ordre\u00a0: la passerelle en aura besoin à son prochain démarrage.',
    },
    crl: {
      title: 'Il n’y a pas de liste de révocation à jour',
      next: 'Ceux qui vérifient des signatures pourraient les rejeter. La passerelle refait la liste chaque jour\u00a0: son journal dit pourquoi elle n’a pas pu.',
    },
    ocsp: {
      title: 'Le répondeur OCSP ne répond pas correctement',
      next: 'Ceux qui vérifient des signatures pourraient les rejeter. Le journal de la passerelle en dit plus.',
    },
    timestamps: {
      title: 'Aucune autorité d’horodatage ne répond',
      next: 'D’ici là, rien ne peut être signé\u00a0; on demande à chacun de réessayer plus tard. Vérifiez timestamps.authorities et le réseau.',
    },
    clock: {
      title: 'L’heure de la machine est douteuse',
      next: 'Entre-temps, aucun horodatage n’est fait. Vérifiez l’heure de la machine (timedatectl), puis redémarrez la passerelle\u00a0: cela la confirme.',
    },
    disk: {
      title: 'Le disque est presque plein',
      next: 'Faites de la place là où se trouvent les données. Une fois le disque plein, les nouveaux mails sont remis à plus tard et personne ne peut signer\u00a0; rien n’est perdu.',
    },
    outbox: {
      title: 'Les mails ne partent plus',
      next: 'Le serveur Postfix qui prend nos mails ne les prend plus. Regardez son journal et vérifiez mail.smtp.',
    },
    evidence: {
      title: 'Le journal de preuves n’est pas horodaté',
      next: 'Tant qu’il ne l’est pas, ses dernières entrées pourraient être changées sans que cela se voie. Vérifiez les autorités d’horodatage.',
    },
  },
  faultLead: 'La passerelle s’est contrôlée et a trouvé un défaut pour lequel elle a besoin de vous.',
  detail: 'Constat',
  since: 'Depuis',
  mendedTitle: fault => `Rétabli\u00a0: ${fault}`,
  mendedLead: 'La passerelle s’est contrôlée de nouveau\u00a0: ce défaut a disparu. Vous n’avez rien à faire.',
  check: '«\u00a0signpost check\u00a0», sur la machine de la passerelle, montre tout.',
};

const de: WatchTexts = {
  certificates: {
    ca: {
      name: 'der Zertifizierungsstelle des Unternehmens',
      next: 'Erzeugen Sie jetzt seinen Nachfolger (signpost keys rotate ca; docs/key-ceremony.md). Ohne ihn können keine Zertifikate mehr ausgestellt werden, und niemand kann unterschreiben.',
    },
    seal: {
      name: 'des Unternehmenssiegels',
      next: 'Erneuern Sie es vor diesem Tag (signpost keys renew seal). Ohne es kann kein Dokument vorbereitet oder fertiggestellt werden.',
    },
    tsa: {
      name: 'der Zeitstempelstelle',
      next: 'Erneuern Sie es vor diesem Tag (signpost keys renew tsa). Ohne es bekommt kein Dokument einen Zeitstempel.',
    },
    ocsp: {
      name: 'des OCSP-Dienstes',
      next: 'Das Gateway erneuert es selbst; diesmal gelang es nicht. Warum, steht in seinem Protokoll.',
    },
    tls: {
      name: 'des Webservers',
      next: 'Erneuern Sie es so, wie Sie es bekommen haben (certbot oder Ähnliches). Das Gateway lädt die neuen Dateien selbst. Ohne es erreicht kein Telefon das Gateway.',
    },
    'tsa-trust': {
      name: 'der Wurzel einer fremden Zeitstempelstelle',
      next: 'Fragen Sie die Stelle nach ihrer neuen Wurzel und legen Sie sie in die Datei. Ohne sie wird ihren Zeitstempeln nicht mehr geglaubt.',
    },
  },
  endingTitle: (certificate, days) =>
    `Das Zertifikat ${certificate} läuft ${days === 0 ? 'heute' : days === 1 ? 'morgen' : `in ${days} Tagen`} ab`,
  endingLead: certificate => `Dieses Zertifikat ${certificate} ist bald nicht mehr gültig.`,
  ends: 'Läuft ab',
  file: 'Zertifikat',
  faults: {
    'certificate-ended': {
      title: 'Ein Zertifikat ist abgelaufen',
      next: 'Erneuern Sie es jetzt: Was von ihm abhängt, geht nicht.',
    },
    'certificate-unreadable': {
      title: 'Ein Zertifikat ist nicht lesbar',
      next: 'Bringen Sie die Datei in Ordnung: Beim nächsten Start braucht das Gateway sie.',
    },
    crl: {
      title: 'Es gibt keine aktuelle Sperrliste',
      next: 'Wer Unterschriften prüft, könnte sie zurückweisen. Das Gateway erneuert die Liste jeden Tag: Warum es das nicht konnte, steht in seinem Protokoll.',
    },
    ocsp: {
      title: 'Der OCSP-Dienst antwortet nicht richtig',
      next: 'Wer Unterschriften prüft, könnte sie zurückweisen. Mehr steht im Protokoll des Gateways.',
    },
    timestamps: {
      title: 'Keine Zeitstempelstelle antwortet',
      next: 'Bis eine antwortet, kann nichts unterschrieben werden; die Leute werden auf später vertröstet. Prüfen Sie timestamps.authorities und das Netz.',
    },
    clock: {
      title: 'Die Uhr ist zweifelhaft',
      next: 'Bis dahin gibt es keine Zeitstempel. Prüfen Sie die Uhrzeit der Maschine (timedatectl) und starten Sie das Gateway neu: Damit gilt sie als bestätigt.',
    },
    disk: {
      title: 'Die Festplatte ist fast voll',
      next: 'Schaffen Sie Platz, wo die Daten liegen. Ist sie voll, wird neue Post aufgeschoben und niemand kann unterschreiben; verloren geht nichts.',
    },
    outbox: {
      title: 'Nachrichten gehen nicht hinaus',
      next: 'Der Postfix, der unsere Nachrichten nimmt, nimmt sie nicht. Sehen Sie in sein Protokoll und prüfen Sie mail.smtp.',
    },
    evidence: {
      title: 'Das Beweisprotokoll hat keinen Zeitstempel',
      next: 'Bis es einen hat, könnten seine neuesten Einträge unbemerkt geändert werden. Prüfen Sie die Zeitstempelstellen.',
    },
  },
  faultLead: 'Das Gateway hat sich selbst geprüft und einen Fehler gefunden, für den es Sie braucht.',
  detail: 'Befund',
  since: 'Seit',
  mendedTitle: fault => `Behoben: ${fault}`,
  mendedLead: 'Das Gateway hat wieder nachgesehen: Dieser Fehler ist behoben. Sie müssen nichts tun.',
  check: '„signpost check“ auf der Maschine des Gateways zeigt alles.',
};

export const WATCH_TEXTS: Readonly<Record<Language, WatchTexts>> = { en, fr, de };
