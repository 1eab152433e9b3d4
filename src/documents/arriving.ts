/** A document as it arrives: an unsigned one is rewritten, a signed one only added to. Runs in the worker's child process only. */
import type { Inspection } from './documents.ts';
import { type FirstRevision, firstRevision } from './first-revision.ts';
import { type Limits, openDocument } from './inspect.ts';
import type { LayoutPlan } from './layout.ts';
import { openSigned } from './signed-document.ts';
import { signedRevision } from './signed-revision.ts';

/** @throws DocumentRefused */
export async function inspect(pdf: Uint8Array, limits: Limits): Promise<Inspection> {
  return openSigned(pdf, limits)?.inspection ?? (await openDocument(pdf, limits)).inspection;
}

/** The revision that lays down what is filled in later. @throws DocumentRefused */
export async function layDown(pdf: Uint8Array, plan: LayoutPlan, limits: Limits): Promise<FirstRevision> {
  const signed = openSigned(pdf, limits);
  return signed === null ? firstRevision(pdf, plan, limits) : signedRevision(signed, plan);
}
