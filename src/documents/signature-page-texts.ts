/** What the signature page says, in the languages of its readers. */
import type { LayoutPlan } from './layout.ts';

export interface PageTexts {
  readonly title: string;
  readonly request: string;
  readonly seal: string;
  readonly signatureOf: string;
  readonly paraphOf: string;
  readonly vat: string;
  readonly note: string;
}

export const PAGE_TEXTS: Readonly<Record<LayoutPlan['language'], PageTexts>> = {
  en: {
    title: 'Signatures',
    request: 'Request',
    seal: 'Company seal',
    signatureOf: 'Signature of',
    paraphOf: 'Initials of',
    vat: 'VAT',
    note: 'This page was added for the signatures. Any PDF reader that checks signatures can verify them.',
  },
  fr: {
    title: 'Signatures',
    request: 'Demande',
    seal: 'Cachet de l’entreprise',
    signatureOf: 'Signature de',
    paraphOf: 'Paraphe de',
    vat: 'TVA',
    note: 'Cette page a été ajoutée pour les signatures. Tout lecteur PDF qui contrôle les signatures peut les vérifier.',
  },
  de: {
    title: 'Unterschriften',
    request: 'Vorgang',
    seal: 'Unternehmenssiegel',
    signatureOf: 'Unterschrift von',
    paraphOf: 'Kürzel von',
    vat: 'USt-IdNr.',
    note: 'Diese Seite wurde für die Unterschriften angefügt. Jeder PDF-Leser mit Signaturprüfung kann sie prüfen.',
  },
};
