/**
 * What this gateway knows of a transaction report: whether it keeps that report, and whether one of its devices' token keys
 * answered for the data. Token keys stay in this process; the document child gets none.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { loadConfig, pathIn } from '../config/load.ts';
import { secretKey } from '../gateway/core.ts';
import type { Device } from '../requests/model.ts';
import { unwrapTokenKey } from '../requests/token-key.ts';
import { BadReport, checkReport, hashData, type TransactionReport } from '../signatures/report.ts';
import { type Answer, parseApproval, readReport } from '../signatures/verify/report.ts';
import { fault, passed } from '../signatures/verify/result.ts';
import { SqliteRequests } from '../store/sqlite-requests.ts';

/**
 * @param config path of the gateway's configuration
 * @returns null where the gateway's keys or its database can't be read, or the file is no report
 */
export async function askGateway(config: string, file: Uint8Array): Promise<Answer | null> {
  let report: TransactionReport;
  try {
    report = readReport(file);
  } catch (error) {
    if (error instanceof BadReport) return null;
    throw error;
  }
  try {
    return await answerFrom(config, file, report);
  } catch {
    // Not everybody who verifies may read the gateway's keys.
    return null;
  }
}

async function answerFrom(path: string, file: Uint8Array, report: TransactionReport): Promise<Answer | null> {
  const config = loadConfig(path);
  const secret = secretKey(config, 'token');
  const databaseFile = join(pathIn(config, config.state), 'signpost.db');
  if (!existsSync(databaseFile)) return null;
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 10_000 });
  try {
    const store = new SqliteRequests(database);
    const request = await store.find(parseApproval(report.data)?.request ?? '');
    const name = createHash('sha256').update(file).digest('hex');
    const session = request?.sessions.find(({ evidence }) => evidence?.report === name);
    const kept = session?.deviceId ? await store.findDevice(session.deviceId) : null;
    const devices = kept ? [kept] : await store.listDevices(null);
    return {
      verdict: verdictOf(
        report,
        devices.flatMap(device => keyOf(secret, device)),
      ),
      kept: kept !== null,
    };
  } finally {
    database.close();
  }
}

interface TokenKey {
  readonly device: string;
  readonly bytes: Uint8Array;
}

const keyOf = (secret: Uint8Array, { id, name, tokenKey }: Device): TokenKey[] =>
  tokenKey === undefined ? [] : [{ device: name, bytes: unwrapTokenKey(secret, id, tokenKey) }];

function verdictOf(report: TransactionReport, keys: readonly TokenKey[]): Answer['verdict'] {
  const mine = keys.filter(({ bytes }) => crc32(bytes) === report.keyChecksum || answers(report, bytes));
  if (mine.length === 0)
    return fault(
      'GENERIC',
      'this gateway has no device with the token key that the report names; ask the one that wrote it',
    );
  const faults: string[] = [];
  for (const { device, bytes } of mine) {
    try {
      checkReport(report, bytes);
      return passed(`the token key of the device “${device}” answered`);
    } catch (error) {
      if (!(error instanceof BadReport)) throw error;
      faults.push(error.message);
    }
  }
  return fault('HASH_FAILURE', `the report was changed: ${faults[0]}`);
}

/** Whatever checksum it claims. */
const answers = ({ nonce, data, hashData: hash }: TransactionReport, key: Uint8Array): boolean =>
  Buffer.compare(hashData(key, nonce, data), hash) === 0;
