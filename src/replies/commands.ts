/** What people may write to a request, in their own language. Nothing here signs (EXPERIENCE.md section 6). */
import type { Command } from '../requests/by-reply.ts';

/** Folded: lower case, without accents. */
const WORDS: Readonly<Record<'status' | 'remind' | 'cancel', readonly string[]>> = {
  status: ['status', 'stand', 'statut', 'etat'],
  remind: ['remind', 'reminder', 'erinnern', 'erinnerung', 'rappel', 'rappeler', 'relancer'],
  cancel: ['cancel', 'abbrechen', 'stornieren', 'zuruckziehen', 'annuler'],
};
const REJECT = ['reject', 'decline', 'ablehnen', 'refuser', 'rejeter'];
const EXTEND = /^(?:extend|prolonger|verlangern)(?:\s+(?:by|um|de))?\s+(\d{1,3})\s*(?:days?|tage?n?|jours?)$/;

/**
 * The command that a line is as a whole, or null: a sentence that has a command's word in it is none.
 *
 * @param line the first line of a reply (first-line.ts)
 */
export function parseCommand(line: string): Command | null {
  const text = line.replace(/^["'`*«»„“”‘’\s]+|["'`*«»“”‘’\s]+$/gu, '');
  const bare = fold(text.replace(/[\s.!?]+$/u, ''));
  for (const name of ['status', 'remind', 'cancel'] as const) if (WORDS[name].includes(bare)) return { name };
  const days = EXTEND.exec(bare)?.[1];
  if (days !== undefined && Number(days) > 0) return { name: 'extend', days: Number(days) };
  const [, word = bare, reason = ''] = /^([^:]+?)(?:\s*:|\s+[-\u2013\u2014]\s)(.*)$/u.exec(text) ?? [];
  if (!REJECT.includes(fold(word))) return null;
  return { name: 'reject', reason: reason.trim() === '' ? null : reason.trim() };
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
