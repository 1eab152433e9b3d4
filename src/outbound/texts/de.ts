import type { Catalogue } from './catalogue.ts';

const yourDocuments = (count: number): string => (count === 1 ? 'Ihr Dokument' : `Ihre ${count} Dokumente`);
const theDocuments = (count: number): string =>
  count === 1 ? 'das unten genannte Dokument' : `die ${count} unten genannten Dokumente`;

export const de: Catalogue = {
  document: (name, pages) =>
    pages === 0 ? name : `${name} (${pages === 1 ? '1\u00a0Seite' : `${pages}\u00a0Seiten`})`,
  noSubject: 'Dokument zur Unterschrift',
  footer: company => `Signpost, der Unterschriftendienst von ${company}`,

  levels: {
    standard: 'Einfache elektronische Signatur',
    advanced: 'Fortgeschrittene elektronische Signatur',
    qualified: 'Qualifizierte elektronische Signatur',
    seal: 'Unternehmenssiegel',
  },
  levelByDefault: level => `${level} (Voreinstellung, weil Ihr Betreff keine nennt)`,

  labels: {
    request: 'Vorgangsnummer',
    from: 'Angefragt von',
    level: 'Stufe',
    document: count => (count === 1 ? 'Dokument' : 'Dokumente'),
    signatory: count => (count === 1 ? 'Unterschrift von' : 'Unterschriften von'),
    signatoriesInOrder: 'Unterschriften, in dieser Reihenfolge',
    copies: 'Kopie an',
    until: 'Offen bis',
    passedOver: 'Nicht beachtet',
    signedBy: 'Unterschrieben von',
    signedAt: 'Unterschrieben am',
    notSigned: 'Nicht unterschrieben von',
    reason: 'Grund',
    device: 'Gerät',
    time: 'Zeitpunkt',
  },

  accepted: {
    title: 'Ihr Vorgang ist eröffnet',
    lead: signatories =>
      signatories === 1
        ? 'Der Link zum Unterschreiben geht per Mail an die unten genannte Person.'
        : `Jede der ${signatories} unten genannten Personen erhält ihren eigenen Link per Mail.`,
    next: 'Sobald alle unterschrieben haben, erhalten Sie und alle anderen Beteiligten das unterschriebene Exemplar per Mail.',
    nextInOrder:
      'Die Genannten werden nacheinander gefragt. Nach der letzten Unterschrift erhalten Sie und alle anderen Beteiligten das unterschriebene Exemplar per Mail.',
  },
  pleaseSign: {
    title: sender => `${sender} bittet um Ihre Unterschrift`,
    lead: (sender, count) => `${sender} bittet Sie, ${theDocuments(count)} zu unterschreiben.`,
    titleSelf: count => `${yourDocuments(count)} zur Unterschrift`,
    leadSelf: count => `Sie möchten ${theDocuments(count)} selbst unterschreiben.`,
    quote: sender => `${sender} schreibt:`,
    what: 'Öffnen Sie den Link auf dem Telefon oder Computer, lesen Sie, und unterschreiben Sie oder lehnen Sie ab. Durch das Öffnen allein wird nichts unterschrieben.',
    button: 'Ansehen und unterschreiben',
    scan: 'Sie lesen dies am Computer? Scannen Sie den Code mit dem Telefon.',
    qrAlt: 'QR-Code mit dem Link zum Dokument',
    linkBelow: 'Oder öffnen Sie diesen Link:',
    yours: 'Der Link ist nur für Sie und öffnet sich nur auf Ihrem eigenen Gerät. Bitte leiten Sie ihn nicht weiter.',
  },
  reminder: {
    title: sender => `Erinnerung: ${sender} wartet auf Ihre Unterschrift`,
    titleSelf: 'Erinnerung: Ihre Unterschrift fehlt noch',
    lead: (sender, count, until) =>
      `${sender} hat Sie gebeten, ${theDocuments(count)} zu unterschreiben. Das ist möglich bis ${until}.`,
    leadSelf: (count, until) => `Sie wollten ${theDocuments(count)} unterschreiben. Das ist möglich bis ${until}.`,
  },
  signedByOne: {
    title: signatory => `${signatory} hat unterschrieben`,
    lead: left =>
      left === 1
        ? 'Eine Unterschrift fehlt noch. Danach erhalten Sie das unterschriebene Exemplar.'
        : `${left} Unterschriften fehlen noch. Danach erhalten Sie das unterschriebene Exemplar.`,
  },
  finished: {
    title: count => (count === 1 ? 'Unterschrieben: Ihr Exemplar' : `Unterschrieben: Ihre ${count} Dokumente`),
    lead: (count, signatories) =>
      `${signatories === 1 ? 'Die Unterschrift ist' : 'Alle Unterschriften sind'} geleistet. ${count === 1 ? 'Das unterschriebene Dokument hängt' : 'Die unterschriebenen Dokumente hängen'} an, gesiegelt und mit Zeitstempel. Bitte bewahren Sie ${count === 1 ? 'diese Datei' : 'diese Dateien'} auf: Ein Ausdruck beweist nichts.`,
    otherFiles:
      'Andere Dateien als PDFs werden so signiert, wie sie geschickt wurden: Eine .p7m-Datei enthält die Datei mit allen Signaturen, eine .p7s-Datei die Signaturen der Datei daneben, eine gesiegelte XML-Datei ihr Siegel. OpenSSL, „signpost verify“ und andere Programme für CAdES und XAdES prüfen sie.',
    trust:
      'Adobe Reader zeigt ein gelbes statt eines grünen Zeichens, bis Ihr Computer der Zertifizierungsstelle des Unternehmens vertraut; die Unterschriften sind trotzdem gültig.',
    trustLink: 'So richten Sie das ein:',
  },
  finishedLink: {
    lead: (count, signatories) =>
      `${signatories === 1 ? 'Die Unterschrift ist' : 'Alle Unterschriften sind'} geleistet. ${count === 1 ? 'Das unterschriebene Dokument ist' : 'Die unterschriebenen Dokumente sind'} zu groß für Ihr Postfach und ${count === 1 ? 'hängt' : 'hängen'} deshalb nicht an: Bitte laden Sie ${count === 1 ? 'es' : 'sie'} herunter und bewahren Sie ${count === 1 ? 'die Datei' : 'die Dateien'} auf; ein Ausdruck beweist nichts.`,
    button: 'Ansehen und herunterladen',
    yours: 'Der Link öffnet sich nur auf Ihrem eigenen Gerät; es einzurichten dauert 30 Sekunden.',
  },
  sealed: {
    title: count => (count === 1 ? 'Gesiegelt: Ihr Exemplar' : `Gesiegelt: Ihre ${count} Dokumente`),
    lead: count =>
      `Das Unternehmen hat ${count === 1 ? 'das Dokument' : 'die Dokumente'} gesiegelt und mit einem Zeitstempel versehen; ${count === 1 ? 'es hängt' : 'sie hängen'} an. Bitte bewahren Sie ${count === 1 ? 'diese Datei' : 'diese Dateien'} auf: Ein Ausdruck beweist nichts.`,
    linkLead: count =>
      `Das Unternehmen hat ${count === 1 ? 'das Dokument' : 'die Dokumente'} gesiegelt und mit einem Zeitstempel versehen. ${count === 1 ? 'Es ist zu groß für Ihr Postfach und hängt' : 'Sie sind zu groß für Ihr Postfach und hängen'} deshalb nicht an: Bitte laden Sie ${count === 1 ? 'es' : 'sie'} herunter und bewahren Sie ${count === 1 ? 'die Datei' : 'die Dateien'} auf; ein Ausdruck beweist nichts.`,
  },
  rejected: {
    title: signatory => `${signatory} hat abgelehnt`,
    titleSelf: 'Sie haben abgelehnt',
    lead: 'Der Vorgang ist beendet, ohne dass ein unterschriebenes Dokument entstanden ist.',
    noReason: 'Ein Grund wurde nicht genannt.',
    quote: signatory => `${signatory} schreibt:`,
    nothingToDo: 'Sie müssen nichts tun. Bereits geleistete Unterschriften haben keine Wirkung.',
    senderNext: 'Für einen neuen Versuch ändern Sie das Dokument, falls nötig, und schicken Sie es noch einmal.',
  },
  expired: {
    title: 'Die Frist ist abgelaufen',
    lead: until =>
      `Der Vorgang war offen bis ${until} und ist beendet, ohne dass ein unterschriebenes Dokument entstanden ist.`,
    nothingToDo: 'Sie müssen nichts tun. Bereits geleistete Unterschriften haben keine Wirkung.',
    senderNext:
      'Für einen neuen Versuch schicken Sie das Dokument noch einmal. Mit [due 14 days] im Betreff bleibt mehr Zeit.',
  },
  cancelled: {
    title: 'Der Vorgang wurde abgebrochen',
    lead: sender =>
      `Der Vorgang von ${sender} wurde abgebrochen, ohne dass ein unterschriebenes Dokument entstanden ist.`,
    leadSelf: 'Ihr Vorgang wurde abgebrochen, ohne dass ein unterschriebenes Dokument entstanden ist.',
    nothingToDo:
      'Sie müssen nichts tun. Bereits geleistete Unterschriften haben keine Wirkung, und die Links gelten nicht mehr.',
  },
  failed: {
    title: 'Ihr Dokument kann nicht unterschrieben werden',
    lead: 'Wir hatten Ihre Mail angenommen, konnten das Dokument dann aber nicht vorbereiten oder fertigstellen. Der Vorgang ist beendet; niemand muss mehr etwas tun.',
    next: 'Schicken Sie das geänderte Dokument noch einmal. Gelingt es wieder nicht, nennen Sie bitte Ihrer Administration die Vorgangsnummer.',
    reasons: {
      'not-pdf': 'Die Datei ist kein PDF. Bitte speichern oder drucken Sie sie als PDF.',
      damaged: 'Das PDF ist beschädigt. Bitte erzeugen Sie es neu, etwa mit „Als PDF drucken“.',
      encrypted:
        'Das PDF ist mit einem Passwort geschützt. Bitte entfernen Sie den Schutz oder nutzen Sie „Als PDF drucken“.',
      javascript: 'Das PDF enthält Skripte, die die Anzeige verändern können. Bitte nutzen Sie „Als PDF drucken“.',
      launch: 'Das PDF kann andere Programme starten. Bitte nutzen Sie „Als PDF drucken“.',
      xfa: 'Das PDF ist ein dynamisches Formular (XFA). Bitte füllen Sie es aus und nutzen Sie „Als PDF drucken“.',
      'external-stream': 'Das PDF holt Teile seines Inhalts von anderswo. Bitte nutzen Sie „Als PDF drucken“.',
      'executable-attachment': 'Im PDF steckt ein Programm als Anhang. Bitte entfernen Sie es.',
      'optional-content':
        'Das PDF hat Ebenen, die verschiedene Inhalte zeigen können. Bitte nutzen Sie „Als PDF drucken“.',
      'certified-no-changes':
        'Das PDF ist bereits signiert, und eine frühere Signatur verbietet weitere. Bitten Sie den Unterzeichner um eine Fassung, die andere signieren dürfen.',
      'already-signed-standard':
        'Das PDF ist bereits signiert; auf seine Seiten darf nichts mehr gezeichnet werden. Bitten Sie um fortgeschrittene Signaturen.',
      'too-many-pages': 'Das PDF hat mehr Seiten, als dieser Dienst erlaubt. Bitte teilen Sie es.',
      'too-complex': 'Das PDF ist für diesen Dienst zu aufwendig. Bitte nutzen Sie „Als PDF drucken“.',
      'too-slow': 'Das Lesen des PDFs hat zu lange gedauert. Bitte nutzen Sie „Als PDF drucken“.',
    },
  },
  undeliverable: {
    title: person => `${person} ist nicht erreichbar`,
    lead: person => `Unsere Nachricht zu diesem Vorgang an ${person} kam zurück: Sie ist nicht zustellbar.`,
    signatoryNext:
      'Ohne unsere Nachricht kann diese Person nicht unterschreiben. Bitte geben Sie ihr oder Ihrer Administration Bescheid; sobald die Adresse wieder funktioniert, senden Sie das Dokument noch einmal.',
    next: 'Bitte teilen Sie dieser Person selbst mit, wie es um den Vorgang steht, und Ihrer Administration, dass die Adresse nicht funktioniert.',
  },
  left: {
    title: person => `${person} kann nicht unterschreiben`,
    lead: person =>
      `${person} ist nicht mehr im Verzeichnis des Unternehmens, oder das Konto ist gesperrt. Ihr Vorgang wartet noch auf diese Unterschrift.`,
    next: 'Ist das Konto nur gesperrt, kann Ihre Administration es entsperren, und der Link in unserer Nachricht gilt wieder. Sonst brechen Sie den Vorgang ab und senden Sie das Dokument an jemand anderen.',
  },
  enrolmentCode: {
    title: 'Ihr Code zum Einrichten dieses Geräts',
    lead: 'Geben Sie diesen Code auf der Seite ein, auf der Sie ihn angefordert haben:',
    validity: minutes => `Er gilt einmal, ${minutes === 1 ? '1 Minute' : `${minutes} Minuten`} lang.`,
    notYou:
      'Wenn Sie ihn nicht angefordert haben, tun Sie nichts: Ohne den Code geschieht nichts. Geben Sie den Code niemandem, auch nicht am Telefon.',
  },
  deviceEnrolled: {
    title: 'Ein neues Gerät kann für Sie unterschreiben',
    lead: 'Dieses Gerät wurde eingerichtet, um in Ihrem Namen zu unterschreiben:',
    notYou: 'Wenn Sie das nicht waren, sagen Sie es sofort Ihrer Administration: Sie kann das Gerät sperren.',
  },
  deviceRemoved: {
    title: 'Ein Gerät kann nicht mehr für Sie unterschreiben',
    lead: 'Dieses Gerät wurde entfernt und kann nicht mehr in Ihrem Namen unterschreiben:',
    notYou:
      'Wenn Sie das nicht erwartet haben, sagen Sie es Ihrer Administration. Was Sie damit unterschrieben haben, bleibt gültig.',
  },
};
