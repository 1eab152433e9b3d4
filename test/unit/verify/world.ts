/** Signed results of every kind, and what verifies them, for tests of verification. */

import type { Documents } from '../../../src/documents/documents.ts';
import type { DocumentLayout } from '../../../src/documents/layout.ts';
import { createDocuments } from '../../../src/documents/pipeline.ts';
import type { LoadedPki } from '../../../src/pki/load.ts';
import type { SignatureAlgorithm } from '../../../src/pki/pki.ts';
import type { FileReport, VerifyInput } from '../../../src/signatures/verify/result.ts';
import { verifyFile } from '../../../src/signatures/verify/verify.ts';
import {
  COMPANY,
  completeFor,
  makePki,
  makeSignatory,
  markOf,
  planFor,
  type Signatory,
  smallWorker,
} from '../../support/pades.ts';

export const NAMES = ['Jeanne Doé', 'Max Mustermann', 'Zoë Çelik', 'Ali Ben', 'Ida Li'] as const;

export interface World {
  readonly pki: LoadedPki;
  readonly documents: Documents;
  /** With this company's CA as anchor; `more` changes what is asked. */
  verify(file: Uint8Array, more?: Partial<VerifyInput>): Promise<FileReport>;
  /** The gateway's own list of what is revoked, as of now. */
  withCrl(): Promise<Partial<VerifyInput>>;
}

export async function makeWorld(algorithm: SignatureAlgorithm = 'ecdsa-p256-sha256'): Promise<World> {
  const pki = await makePki(algorithm);
  const documents = createDocuments({ worker: smallWorker, pki, company: COMPANY });
  return {
    pki,
    documents,
    verify: async (file, more = {}) =>
      verifyFile({
        file,
        content: null,
        anchors: pki.anchors,
        timestampAnchors: [],
        certificates: [],
        crls: [],
        now: new Date(),
        ...more,
      }),
    withCrl: async () => ({ crls: [await pki.ca.crl()] }),
  };
}

export interface SignedPdf {
  readonly layout: DocumentLayout;
  readonly signatories: readonly Signatory[];
  /** Certified, signed by nobody yet. */
  readonly certified: Uint8Array;
  /** After the last signatory. */
  readonly head: Uint8Array;
  readonly closed: Uint8Array;
}

/** @param order of the signatories; those left out don't sign */
export async function makeSigned(
  { pki, documents }: World,
  count: number,
  order: readonly number[] = Array.from({ length: count }, (_, i) => i),
  between: (head: Uint8Array) => Uint8Array = head => head,
): Promise<SignedPdf> {
  const names = Array.from({ length: count }, (_, i) => NAMES[i % NAMES.length]!);
  const { bytes: certified, layout } = await documents.prepare(new Uint8Array(), planFor(names));
  const signatories = await Promise.all(names.map(name => makeSignatory(pki, name)));
  let head = certified;
  for (const index of order) {
    const signatory = signatories[index]!;
    const prepared = await documents.prepareSignature(between(head), layout, markOf(signatory, index));
    head = await completeFor(documents, pki, prepared, signatory);
  }
  const closed = await documents.close(head, layout, new Date());
  return { layout, signatories, certified, head, closed };
}

/** mulberry32: the same numbers for the same seed. @returns below `limit` */
export function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return limit => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  };
}

export const LONG = process.env.SIGNPOST_LONG === '1';
