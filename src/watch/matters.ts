/** What the watch speaks about: certificates that end, and faults that begin and end. */

export const CERTIFICATES = ['ca', 'seal', 'tsa', 'ocsp', 'tls', 'tsa-trust'] as const;
/** `tls` is http.tls.certificate, `tsa-trust` a root of an outside timestamp authority. */
export type WatchedCertificate = (typeof CERTIFICATES)[number];

/** A certificate in use. Its successor has another serial number, and is watched from the beginning. */
export interface Ending {
  readonly certificate: WatchedCertificate;
  /** The certificate's file, or what it is called. */
  readonly name: string;
  /** Hex. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export const FAULTS = [
  'certificate-ended',
  'certificate-unreadable',
  'crl',
  'ocsp',
  'timestamps',
  'clock',
  'disk',
  'outbox',
  'evidence',
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Tells several of one kind apart; usually empty. */
  readonly about: string;
  /** What exactly, in English, for the admin: no secret. */
  readonly detail: string;
}

/** What one look found. */
export interface Findings {
  readonly endings: readonly Ending[];
  readonly faults: readonly Fault[];
}

const DAY = 86_400_000;
/** Days before an end; the admin is told once for each. */
const WARNINGS = [1, 7, 14, 30] as const;

/**
 * The warning that is due so long before a certificate's end: the shortest that covers what is left; null before the
 * first. A certificate that lives for days is renewed by whoever made it; warnings longer than a third of its life
 * would come as long as it exists.
 */
export function dueWarning({ notBefore, notAfter }: Ending, now: Date): number | null {
  const left = notAfter.getTime() - now.getTime();
  const life = notAfter.getTime() - notBefore.getTime();
  return WARNINGS.find(days => left <= days * DAY && days * DAY <= life / 3) ?? null;
}

/** Whole days left, as people count them: at 6.2 days "7". */
export function daysLeft({ notAfter }: Pick<Ending, 'notAfter'>, now: Date): number {
  return Math.max(0, Math.ceil((notAfter.getTime() - now.getTime()) / DAY));
}
