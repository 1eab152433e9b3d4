/** The words of signature appearances, in the document's language. */
import type { Panel } from './appearance.ts';
import type { SignatoryMark } from './documents.ts';
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
  readonly serial: string;
  readonly vat: string;
  readonly company: string;
  readonly place: string;
  readonly device: string;
  readonly typed: string;
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
    serial: 'Serial number',
    vat: 'VAT number',
    company: 'Company',
    place: 'Place',
    device: 'Device',
    typed: 'typed name',
  },
  fr: {
    signed: 'Signé électroniquement par',
    certified: 'Certifié par',
    closed: 'Cacheté et clos par',
    level: 'Niveau',
    levels: { standard: 'Simple', advanced: 'Avancé' },
    time: 'Date',
    issuer: 'Certificat',
    serial: 'Numéro de série',
    vat: 'Numéro de TVA',
    company: 'Entreprise',
    place: 'Lieu',
    device: 'Appareil',
    typed: 'nom saisi au clavier',
  },
  de: {
    signed: 'Elektronisch signiert von',
    certified: 'Zertifiziert von',
    closed: 'Gesiegelt und abgeschlossen von',
    level: 'Stufe',
    levels: { standard: 'Einfach', advanced: 'Fortgeschritten' },
    time: 'Zeit',
    issuer: 'Zertifikat',
    serial: 'Seriennummer',
    vat: 'USt-IdNr.',
    company: 'Unternehmen',
    place: 'Ort',
    device: 'Gerät',
    typed: 'getippter Name',
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

/** @param certificate of the person's own; null where the company's seal signs */
export function signatoryPanel(
  language: Language,
  mark: SignatoryMark,
  certificate: { readonly issuer: string; readonly serial: string } | null,
): Panel {
  const texts = TEXTS[language];
  const rows: (readonly [string, string | null])[] = [
    [texts.company, mark.company],
    [texts.time, showTime(mark.signingTime, mark.utcOffset)],
    [texts.place, mark.place],
    [texts.device, mark.device],
    [texts.level, texts.levels[mark.level]],
    [texts.issuer, certificate?.issuer ?? null],
    [texts.serial, certificate?.serial ?? null],
  ];
  const { signature } = mark;
  return {
    caption: texts.signed,
    title: mark.name,
    rows: rows.filter((row): row is readonly [string, string] => row[1] !== null && row[1] !== ''),
    signature: signature && { mark: signature, note: signature.kind === 'typed' ? texts.typed : null },
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
