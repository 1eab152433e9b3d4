/** What somebody must show to set up a device, and at which levels the device may then sign. */
import type { Config } from '../config/schema.ts';
import type { SignatoryLevel } from '../documents/layout.ts';
import { type Device, type Level, PROOFS, type Proof } from './model.ts';

/** Any one of these sets is enough. */
export type Alternatives = readonly (readonly Proof[])[];

type Policy = Pick<Config['enrolment'], 'mailedCode' | 'proofs'>;

/**
 * How much each is worth. What a mailed code shows, everybody with access to the mailbox can show; an admin has seen or
 * heard the person. Two factors together are worth an admin's code.
 */
const WORTH: Readonly<Record<Proof, number>> = { 'mailed-code': 1, password: 2, 'admin-code': 3 };
const STRONG = 3;

/** What a device needs to sign at this level. */
export function alternativesFor(policy: Policy, level: Level): Alternatives {
  if (policy.proofs) return policy.proofs[signatoryLevel(level)];
  return policy.mailedCode ? [['mailed-code'], ['admin-code']] : [['admin-code']];
}

/** What a device needs to sign at any level at all. */
export function allAlternatives(policy: Policy): Alternatives {
  const all = [...alternativesFor(policy, 'standard'), ...alternativesFor(policy, 'advanced')];
  return all.filter((set, index) => all.findIndex(other => sameSet(other, set)) === index);
}

export function signatoryLevel(level: Level): SignatoryLevel {
  return level === 'standard' ? 'standard' : 'advanced';
}

export function satisfies(shown: readonly Proof[], alternatives: Alternatives): boolean {
  return alternatives.some(set => set.every(proof => shown.includes(proof)));
}

/** What is missing of each alternative; nothing where one is complete. */
export function missing(shown: readonly Proof[], alternatives: Alternatives): Alternatives {
  if (satisfies(shown, alternatives)) return [];
  return alternatives.map(set => set.filter(proof => !shown.includes(proof)));
}

/** Devices of earlier versions have shown at least the weakest that was possible. */
export function proofsOf(device: Pick<Device, 'proofs'>, policy: Policy): readonly Proof[] {
  return device.proofs ?? (policy.mailedCode ? ['mailed-code'] : ['admin-code']);
}

export function withProofs(shown: readonly Proof[], more: readonly Proof[]): readonly Proof[] {
  return PROOFS.filter(proof => shown.includes(proof) || more.includes(proof));
}

function worth(shown: readonly Proof[]): number {
  return shown.reduce((sum, proof) => sum + WORTH[proof], 0);
}

/** Enough to set up a device beside an active one that doesn't confirm it. */
export function isStrong(shown: readonly Proof[]): boolean {
  return worth(shown) >= STRONG;
}

/** Enough to take the place of a device with these proofs: what protected it before is never got round. */
export function coversReplaced(shown: readonly Proof[], replaced: readonly Proof[]): boolean {
  return worth(shown) >= Math.min(worth(replaced), STRONG);
}

function sameSet(a: readonly Proof[], b: readonly Proof[]): boolean {
  return a.length === b.length && a.every(proof => b.includes(proof));
}
