/** What proves an approval: the transaction report, the company seal over it, and the device's signed call. */
import {
  BadReport,
  checkReport,
  formatReport,
  makeReport,
  parseReport,
  type Transaction,
} from '../signatures/report.ts';
import type { Deps } from './deps.ts';
import type { Device, Evidence, Session } from './model.ts';
import type { ReadEvidence } from './requests.ts';
import { unwrapTokenKey } from './token-key.ts';

type EvidenceDeps = Pick<Deps, 'store' | 'tokenSecret' | 'sealEvidence' | 'config'>;

/** Durable when it resolves. @throws TimestampUnavailable */
export async function storeEvidence(
  deps: EvidenceDeps,
  transaction: Omit<Transaction, 'userDn'> & { readonly name: string },
  tokenKey: { readonly wrapped: string; readonly bytes: Uint8Array },
  call: Uint8Array,
): Promise<Evidence> {
  const { company } = deps.config;
  const userDn = [`CN=${escapeDn(transaction.name)}`, `O=${escapeDn(company.name)}`, `C=${company.country}`].join(',');
  const text = formatReport(makeReport({ ...transaction, userDn }, tokenKey.bytes));
  const report = Buffer.from(text);
  const seal = await deps.sealEvidence(report, transaction.stopped);
  const { blobs } = deps.store;
  return {
    report: await blobs.put(report),
    seal: await blobs.put(seal),
    call: await blobs.put(call),
    tokenKey: tokenKey.wrapped,
  };
}

/** Null for a session that has none. */
export async function readEvidence(
  deps: Pick<Deps, 'store' | 'tokenSecret'>,
  { evidence, deviceId }: Session,
): Promise<ReadEvidence | null> {
  if (!evidence || deviceId === null) return null;
  const { blobs } = deps.store;
  const report = await blobs.get(evidence.report);
  return {
    report,
    seal: await blobs.get(evidence.seal),
    call: await blobs.get(evidence.call),
    fault: faultOf(report, unwrapTokenKey(deps.tokenSecret, deviceId, evidence.tokenKey)),
  };
}

function faultOf(report: Uint8Array, key: Uint8Array): string | null {
  try {
    checkReport(parseReport(Buffer.from(report).toString()), key);
    return null;
  } catch (error) {
    if (error instanceof BadReport) return error.message;
    throw error;
  }
}

/** The token key of a device, or null when it has sent none. */
export function tokenKeyOf(
  deps: Pick<Deps, 'tokenSecret'>,
  { id, tokenKey }: Device,
): { readonly wrapped: string; readonly bytes: Uint8Array } | null {
  return tokenKey === undefined ? null : { wrapped: tokenKey, bytes: unwrapTokenKey(deps.tokenSecret, id, tokenKey) };
}

/** RFC 4514 §2.4. */
function escapeDn(value: string): string {
  return value
    .replace(/["+,;<>\\]/g, character => `\\${character}`)
    .replace(/^[ #]/, start => `\\${start}`)
    .replace(/ $/, '\\ ');
}
