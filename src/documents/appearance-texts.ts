/** The words of signature appearances, in the document's language. */
import type { Panel } from './appearance.ts';
import type { DocumentLayout, SignatoryLevel } from './layout.ts';

type Language = NonNullable<DocumentLayout['language']>;

interface Texts {
  readonly signed: string;
  readonly certified: string;
  readonly closed: string;
  readonly level: string;
  readonly levels: Readonly<Record<SignatoryLevel, string>>;
  readonly time: string;
  readonly issuer: string;
  readonly vat: string;
}

const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    signed: 'Signed electronically by',
    certified: 'Certified by',
    closed: 'Sealed and closed by',
    level: 'Level',
    levels: { standard: 'Standard', advanced: 'Advanced' },
    time: 'Time',
    issuer: 'Certificate',
    vat: 'VAT number',
  },
  fr: {
    signed: 'Signé électroniquement par',
    certified: 'Certifié par',
    closed: 'Cacheté et clos par',
    level: 'Niveau',
    levels: { standard: 'Simple', advanced: 'Avancé' },
    time: 'Date',
    issuer: 'Certificat',
    vat: 'Numéro de TVA',
  },
  de: {
    signed: 'Elektronisch signiert von',
    certified: 'Zertifiziert von',
    closed: 'Gesiegelt und abgeschlossen von',
    level: 'Niveau',
    levels: { standard: 'Einfach', advanced: 'Fortgeschritten' },
    time: 'Zeit',
    issuer: 'Zertifikat',
    vat: 'USt-IdNr.',
  },
};

const two = (value: number) => String(value).padStart(2, '0');

/** Date and time to the second with the offset, the same in every language. @param utcOffset minutes east of UTC */
export function showTime(time: Date, utcOffset: number): string {
  const local = new Date(time.getTime() + utcOffset * 60_000).toISOString();
  const offset = Math.abs(utcOffset);
  const zone = offset === 0 ? '' : `${utcOffset < 0 ? '−' : '+'}${two(Math.floor(offset / 60))}:${two(offset % 60)}`;
  return `${local.slice(0, 10)} ${local.slice(11, 19)} UTC${zone}`;
}

export interface Shown {
  readonly time: Date;
  readonly utcOffset: number;
  /** Who issued the signer's certificate, in short. */
  readonly issuer: string;
}

export function signatoryPanel(language: Language, name: string, level: SignatoryLevel, shown: Shown): Panel {
  const texts = TEXTS[language];
  return {
    caption: texts.signed,
    title: name,
    rows: [
      [texts.level, texts.levels[level]],
      [texts.time, showTime(shown.time, shown.utcOffset)],
      [texts.issuer, shown.issuer],
    ],
  };
}

export function sealPanel(
  language: Language,
  kind: 'certified' | 'closed',
  company: { readonly name: string; readonly vat: string | null },
  shown: Shown,
): Panel {
  const texts = TEXTS[language];
  return {
    caption: texts[kind],
    title: company.name,
    rows: [
      ...(company.vat === null ? [] : [[texts.vat, company.vat] as const]),
      [texts.time, showTime(shown.time, shown.utcOffset)],
      [texts.issuer, shown.issuer],
    ],
  };
}
