/**
 * Keeps signed files provable (PAdES B-LTA, ETSI EN 319 142-1 §6.3): before the newest document timestamp ages, fresh
 * validation data for everything in the file and a new document timestamp over all of it are appended. What is in the
 * file is only ever added to. Any signed PDF, ours or others': everything that reads it runs in the document child.
 */
import { createHash } from 'node:crypto';
import type { CertificateAuthority, Pki, ValidationData } from '../pki/pki.ts';
import { digestByteRange } from '../signatures/signed-attributes.ts';
import type { FileReport, SignatureReport, SubIndication } from '../signatures/verify/result.ts';
import { show } from '../signatures/verify/revocation.ts';
import { verifyInChild } from '../signatures/verify/run.ts';
import type { HeldSignature } from './extension.ts';
import { join, putContents } from './increment.ts';
import type { DocumentWorker } from './worker.ts';

/** The file can't be extended, or it would not help; `message` says why, in words for whoever asked. */
export class ExtensionRefused extends Error {
  override readonly name = 'ExtensionRefused';
}

export interface Extender {
  /**
   * The file with fresh validation data and a new document timestamp at its end.
   * @throws ExtensionRefused; DocumentRefused; TimestampUnavailable; DocumentWorkerUnavailable
   */
  extend(file: Uint8Array): Promise<Uint8Array>;
  /**
   * When the certificate of the newest document timestamp ends: from then on that timestamp proves nothing by itself.
   * Null without a document timestamp. @throws DocumentRefused; DocumentWorkerUnavailable
   */
  timestampEnd(file: Uint8Array): Promise<Date | null>;
}

export interface ExtenderParts {
  readonly worker: Pick<DocumentWorker, 'extendable' | 'extension' | 'verify'>;
  readonly pki: Pick<Pki, 'anchors' | 'intermediates' | 'timestamps' | 'validationData'> & {
    readonly ca: Pick<CertificateAuthority, 'crls'>;
  };
  /** Roots of outside timestamp authorities, DER. */
  readonly timestampAnchors: readonly Uint8Array[];
  readonly now: () => Date;
}

export function createExtender({ worker, pki, timestampAnchors, now }: ExtenderParts): Extender {
  async function verify(file: Uint8Array): Promise<FileReport> {
    const { anchors, intermediates: certificates } = pki;
    const trust = { anchors, timestampAnchors, certificates, crls: await pki.ca.crls() };
    return verifyInChild(worker, { ...trust, file, content: null, now: now() });
  }

  return {
    async extend(file) {
      const held = await worker.extendable(file);
      if (held === null) throw new ExtensionRefused('it is not signed; there is nothing to extend');
      const before = await verify(file);
      checkHolds(before);
      const { appended, byteRange } = await worker.extension(file, await evidence(pki, held.signatures));
      const bytes = join(file, appended);
      const { token } = await pki.timestamps.stamp(digestByteRange(bytes, byteRange));
      const extended = putContents(bytes, byteRange, token);
      checkNoWorse(before, await verify(extended));
      return extended;
    },

    async timestampEnd(file) {
      return (await worker.extendable(file))?.timestampEnd ?? null;
    },
  };
}

/** What later validation of each signature needs; a certificate that signed or stamped several is asked about once. */
async function evidence(pki: Pick<Pki, 'validationData'>, held: readonly HeldSignature[]) {
  const known = new Map<string, Promise<ValidationData>>();
  const about = (chain: readonly Uint8Array[]): Promise<ValidationData> => {
    const key = createHash('sha256').update(Buffer.concat(chain)).digest('hex');
    const data = known.get(key) ?? pki.validationData(chain);
    known.set(key, data);
    return data;
  };
  return Promise.all(
    held.map(async ({ contents, chains }) => {
      const all = await Promise.all(chains.map(about));
      const data: ValidationData = {
        certificates: all.flatMap(({ certificates }) => certificates),
        ocsps: all.flatMap(({ ocsps }) => ocsps),
        crls: all.flatMap(({ crls }) => crls),
      };
      return { contents, data };
    }),
  );
}

/** Questions about whom to trust that a fresh timestamp neither answers nor makes worse. */
const OPEN: ReadonlySet<SubIndication | null> = new Set<SubIndication | null>([
  null,
  'NO_CERTIFICATE_CHAIN_FOUND',
  'TRY_LATER',
]);

/** @throws ExtensionRefused that names the signature which no longer holds */
function checkHolds({ signatures, indication, reason }: FileReport): void {
  const isTimestamp = ({ kind }: SignatureReport): boolean => kind === 'document-timestamp';
  // Where the newest timestamp has aged, that is why what it covers can't be proven.
  const byCause = [...signatures.filter(isTimestamp).toReversed(), ...signatures.filter(one => !isTimestamp(one))];
  const bad = signatures.find(({ intact }) => !intact) ?? byCause.find(isDoubtful);
  if (bad) throw new ExtensionRefused(`${titleOf(bad)} does not hold any more: ${bad.reason}`);
  // Of the file as a whole, such as a signature that was removed.
  if (indication === 'TOTAL-FAILED' || signatures.length === 0) throw new ExtensionRefused(reason);
}

const isDoubtful = ({ subIndication, revocation }: SignatureReport): boolean =>
  !OPEN.has(subIndication) || revocation.some(({ status }) => status === 'revoked');

/** Every signature is as good as it was, and the new timestamp holds. @throws ExtensionRefused */
function checkNoWorse(before: FileReport, after: FileReport): void {
  checkHolds(after);
  for (const old of before.signatures) {
    const same = after.signatures.find(({ field }) => field === old.field);
    if (same === undefined || (old.indication === 'TOTAL-PASSED' && same.indication !== 'TOTAL-PASSED'))
      throw new ExtensionRefused(
        `extended, ${titleOf(old)} could no longer be checked: ${same?.reason ?? 'it is gone'}`,
      );
  }
}

/** "the document timestamp of 2026-11-24 … by …", "the signature of … (field …)" */
function titleOf({ kind, signer, field, timestamps }: SignatureReport): string {
  const who = signer?.name ?? 'nobody known';
  const where = field === null ? '' : ` (field ${field})`;
  if (kind !== 'document-timestamp') return `the signature of ${who}${where}`;
  const time = timestamps[0]?.time ?? null;
  return `the document timestamp of ${time === null ? 'an unknown time' : show(time)} by ${who}${where}`;
}
