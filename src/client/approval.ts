/**
 * What a person approves at the level Standard, as text: both sides write it from what they know, and the device compares
 * byte for byte. So the gateway can't have anything approved that the device did not show.
 */
import type { Level } from '../requests/model.ts';
import { utf8 } from './bytes.ts';

export interface Approval {
  /** Request number. */
  readonly request: string;
  readonly company: string;
  readonly level: Level;
  readonly sender: { readonly name: string; readonly mail: string };
  /** Who approves. */
  readonly signatory: { readonly name: string; readonly mail: string };
  readonly subject: string;
  /** In their order; SHA-256 in lower-case hex of the bytes that the device holds. */
  readonly documents: readonly { readonly name: string; readonly sha256: string }[];
  /** As the person granted it; null for none. */
  readonly place: string | null;
}

/** UTF-8, lines ended by CRLF; the same for the same approval. */
export function approvalData(approval: Approval): Uint8Array<ArrayBuffer> {
  const { request, company, level, sender, signatory, subject, documents, place } = approval;
  const lines = [
    `Request: ${line(request)}`,
    `Level: ${level}`,
    `Company: ${line(company)}`,
    `Asked by: ${line(sender.name)} <${line(sender.mail)}>`,
    `Signed by: ${line(signatory.name)} <${line(signatory.mail)}>`,
    `Subject: ${line(subject)}`,
    `Place: ${place === null ? '-' : line(place)}`,
    ...documents.map(({ name, sha256 }) => `Document: SHA-256 ${sha256} ${line(name)}`),
  ];
  return utf8(lines.map(text => `${text}\r\n`).join(''));
}

/** One line: no name can look like a line of its own. */
function line(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}

/** "J.D.": what stands as paraph when the person draws none. */
export function initials(name: string): string {
  const words = name.normalize('NFC').split(/[\s\-'’.]+/u);
  const letters = words.map(word => /^[\p{L}\p{N}]\p{M}*/u.exec(word)?.[0] ?? '').filter(letter => letter !== '');
  const kept = letters.length > 4 ? [...letters.slice(0, 2), ...letters.slice(-2)] : letters;
  return kept.length === 0 ? name.trim().slice(0, 4) : kept.map(letter => letter.toUpperCase()).join('');
}

/** The longest place that is shown and bound. */
export const PLACE_LIMIT = 80;

/** A place fit to be shown: one short line; null for nothing. */
export function cleanPlace(place: string | null): string | null {
  const text = (place ?? '')
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return text === '' ? null : [...text].slice(0, PLACE_LIMIT).join('').trim();
}
