/** What the signature page says, in the languages of its readers. */
import type { LayoutPlan } from './layout.ts';

export interface PageTexts {
  readonly title: string;
  readonly request: string;
  readonly level: string;
  readonly seal: string;
  readonly signatureOf: string;
  readonly note: string;
}

export const PAGE_TEXTS: Readonly<Record<LayoutPlan['language'], PageTexts>> = {
  en: {
    title: 'Signatures',
    request: 'Request',
    level: 'Level',
    seal: 'Company seal',
    signatureOf: 'Signature of',
    note: 'This page was added for the signatures. Any PDF reader that checks signatures can verify them.',
  },
  fr: {
    title: 'Signatures',
    request: 'Demande',
    level: 'Niveau',
    seal: 'Cachet de l’entreprise',
    signatureOf: 'Signature de',
    note: 'Cette page a été ajoutée pour les signatures. Tout lecteur PDF qui contrôle les signatures peut les vérifier.',
  },
  de: {
    title: 'Unterschriften',
    request: 'Vorgang',
    level: 'Niveau',
    seal: 'Unternehmenssiegel',
    signatureOf: 'Unterschrift von',
    note: 'Diese Seite wurde für die Unterschriften angefügt. Jeder PDF-Leser mit Signaturprüfung kann sie prüfen.',
  },
};
