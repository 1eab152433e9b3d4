/**
 * Transaction reports (../report.ts): who approved which documents, when. Two things confirm one: the HMAC, which only the
 * gateway can recompute that keeps the device's token key, and the company seal, which lies beside it as detached CAdES.
 */
import { type Approval, approvalData } from '../../client/approval.ts';
import { LEVELS } from '../../requests/model.ts';
import { BadReport, isReport, parseReport, type TransactionReport } from '../report.ts';
import {
  type FileReport,
  fault,
  passed,
  type SignatureReport,
  type TransactionFacts,
  type Verdict,
  type VerifyInput,
  worst,
} from './result.ts';
import { show } from './revocation.ts';
import { concludeFile, nameOf } from './sentences.ts';
import { verifyCms } from './single.ts';

/** What the gateway that wrote a report knows of it. */
export interface Answer {
  /** Whether the device's token key answered for these data. */
  readonly verdict: Verdict;
  /** The gateway keeps this very report. */
  readonly kept: boolean;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function isReportFile(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 9)).toString() === 'Started: ' && isReport(Buffer.from(file).toString());
}

/** Form and seal; the gateway's answer is added by `answered`. */
export function verifyReport(input: VerifyInput): FileReport {
  let report: TransactionReport;
  try {
    report = readReport(input.file);
  } catch (error) {
    if (!(error instanceof BadReport)) throw error;
    return concludeFile('report', [], [fault('FORMAT_FAILURE', error.message)]);
  }
  const seal = input.seal ? verifyCms({ ...input, file: input.seal, content: input.file }) : null;
  const transaction = factsIn(report);
  if (seal !== null && seal.signatures.length === 0)
    return { ...concludeFile('report', [], [seal]), reason: seal.reason, transaction };
  return conclude(seal?.signatures ?? [], transaction, null);
}

/** @throws BadReport */
export function readReport(file: Uint8Array): TransactionReport {
  try {
    return parseReport(decoder.decode(file));
  } catch (error) {
    if (error instanceof TypeError) throw new BadReport('it is not UTF-8');
    throw error;
  }
}

/** What is said of a report once its gateway was asked. @param report of `verifyReport` */
export function answered(report: FileReport, answer: Answer): FileReport {
  const { transaction, signatures, indication } = report;
  const isSealBroken = signatures.length === 0 && indication === 'TOTAL-FAILED';
  return transaction && !isSealBroken ? conclude(signatures, transaction, answer) : report;
}

const UNKNOWN = fault(
  'GENERIC',
  'only the gateway that wrote it keeps the token key by which the device’s answer can be confirmed; ask there',
);
const UNPROTECTED = fault(
  'GENERIC',
  'the device answered for these documents, but times, name and address are protected by the seal alone, which is missing (FILE.p7s)',
);

function conclude(seals: readonly SignatureReport[], transaction: TransactionFacts, answer: Answer | null): FileReport {
  const doubt = answer === null ? UNKNOWN : faultOf(seals, answer);
  const stranger = seals.find(({ kind }) => kind !== 'seal');
  const noSeal = stranger && fault('SIG_CONSTRAINTS_FAILURE', `${nameOf(stranger)} signed it, who is no company`);
  const faults = [doubt, noSeal].filter(one => one !== null && one !== undefined);
  const verdict = worst([...faults, ...seals]);
  if (verdict !== null && verdict.indication !== 'TOTAL-PASSED')
    return { ...concludeFile('report', seals, faults), transaction };
  return { format: 'report', ...passed(sentence(transaction)), signatures: seals, transaction };
}

function faultOf(seals: readonly SignatureReport[], { verdict, kept }: Answer): Verdict | null {
  if (verdict.indication !== 'TOTAL-PASSED') return verdict;
  return seals.length === 0 && !kept ? UNPROTECTED : null;
}

function sentence({ approval, signatory, stopped }: TransactionFacts): string {
  const when = show(stopped);
  if (approval === null) return `${signatory} approved these data on ${when}, and the person’s own device answered.`;
  const documents = approval.documents.map(({ name, sha256 }) => `${name} (SHA-256 ${sha256})`).join(', ');
  return `${approval.signatory.name} approved ${documents} on ${when}, and the person’s own device answered for exactly that.`;
}

function factsIn({ started, stopped, userDn, userIp, data }: TransactionReport): TransactionFacts {
  return { started, stopped, signatory: userDn, address: userIp, approval: parseApproval(data) };
}

const PERSON = '(.*) <([^<>]*)>';
const HEAD = [
  /^Request: (.*)$/,
  /^Level: (.*)$/,
  /^Company: (.*)$/,
  new RegExp(`^Asked by: ${PERSON}$`),
  new RegExp(`^Signed by: ${PERSON}$`),
  /^Subject: (.*)$/,
  /^Place: (.*)$/,
];

/** What `approvalData` wrote; null for other data. */
export function parseApproval(data: Uint8Array): Approval | null {
  const lines = Buffer.from(data).toString().split('\r\n');
  const [request, level, company, sender, signatory, subject, place] = HEAD.map((form, i) => form.exec(lines[i] ?? ''));
  const known = LEVELS.find(one => one === level?.[1]);
  if (!request || !known || !company || !sender || !signatory || !subject || !place) return null;
  const approval: Approval = {
    request: request[1]!,
    level: known,
    company: company[1]!,
    sender: { name: sender[1]!, mail: sender[2]! },
    signatory: { name: signatory[1]!, mail: signatory[2]! },
    subject: subject[1]!,
    place: place[1] === '-' ? null : place[1]!,
    documents: lines.slice(HEAD.length, -1).map(line => {
      const [, sha256 = '', name = ''] = /^Document: SHA-256 ([0-9a-f]{64}) (.*)$/.exec(line) ?? [];
      return { name, sha256 };
    }),
  };
  return Buffer.compare(approvalData(approval), data) === 0 ? approval : null;
}
