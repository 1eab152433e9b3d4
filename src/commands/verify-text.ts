/** A verification's result as text for a terminal. */
import type {
  Change,
  FileReport,
  RevocationFact,
  SignatureKind,
  SignatureReport,
  TimestampReport,
} from '../signatures/verify/result.ts';
import { show } from '../signatures/verify/revocation.ts';

const KINDS: Readonly<Record<SignatureKind, string>> = {
  signature: 'Advanced signature',
  approval: 'Standard signature (drawn or typed)',
  seal: 'Company seal',
  'certifying-seal': 'Certifying company seal',
  'closing-seal': 'Closing company seal',
  'document-timestamp': 'Document timestamp',
};

export function verificationText(name: string, report: FileReport): string {
  const head = [`${name}: ${verdict(report)}`, `  ${report.reason}`, ...transactionRows(report.transaction)].join('\n');
  return [head, ...report.signatures.map(signatureText)].join('\n\n');
}

const verdict = ({ indication, subIndication }: Pick<FileReport, 'indication' | 'subIndication'>): string =>
  subIndication === null ? indication : `${indication} (${subIndication})`;

function transactionRows(transaction: FileReport['transaction']): string[] {
  if (!transaction) return [];
  const { approval, signatory, stopped, address } = transaction;
  const person = ({ name, mail }: { readonly name: string; readonly mail: string }): string => `${name} <${mail}>`;
  const rows: (readonly [string, string])[] = [
    ['Approved by', approval ? `${person(approval.signatory)} (${signatory})` : signatory],
    ['When', show(stopped)],
    ['From', address],
  ];
  if (approval) {
    rows.push(['Level', approval.level], ['Company', approval.company], ['Request', approval.request]);
    rows.push(['Asked by', person(approval.sender)], ['Subject', approval.subject]);
    if (approval.place !== null) rows.push(['Place', approval.place]);
    for (const { name, sha256 } of approval.documents) rows.push(['Document', `${name}, SHA-256 ${sha256}`]);
  }
  return rows.map(row);
}

/** The company's seal stands for a person whom it names. */
function whose({ person, signer }: SignatureReport): string {
  const by = signer?.name ?? 'nobody known';
  return person === null ? `by ${by}` : `of ${person}, sealed by ${by}`;
}

const row = ([label, text]: readonly [string, string]): string => `     ${label.padEnd(14)}${text}`;

function signatureText(report: SignatureReport, index: number): string {
  const by = whose(report);
  const rows: (readonly [string, string | null])[] = [
    ['Result', report.reason],
    ['Signer', report.signer?.full ?? null],
    ['Level', report.level && `${report.field === null ? '' : 'PAdES '}${report.level}`],
    ['Field', report.field],
    ['Algorithm', report.algorithm],
    ['Claimed time', report.claimedTime && show(report.claimedTime)],
    ['Proven time', report.provenTime ? show(report.provenTime) : 'none'],
    ...report.timestamps.filter(() => report.kind !== 'document-timestamp').map(timestampRow),
    ...report.chain.map((link, i): readonly [string, string] => [
      i === 0 ? 'Certificate' : 'Issued by',
      `${link.subject.name}, serial ${link.serial}, until ${show(link.notAfter)}${link.anchor ? ' (trusted)' : ''}`,
    ]),
    ...report.revocation.map(revocationRow),
    ['Covers', coverageText(report)],
    ...changeRows(report.changes),
  ];
  const lines = rows.flatMap(([label, text]) => (text === null ? [] : [row([label, text])]));
  return [`  ${String(index + 1).padEnd(3)}${KINDS[report.kind]} ${by}: ${verdict(report)}`, ...lines].join('\n');
}

const timestampRow = ({ authority, time, reason }: TimestampReport): readonly [string, string] => [
  'Timestamp',
  `${time === null ? 'unreadable' : show(time)} by ${authority ?? 'nobody known'}: ${reason}`,
];

const revocationRow = ({ certificate, text }: RevocationFact): readonly [string, string] => [
  'Revocation',
  `${certificate}: ${text}`,
];

function coverageText({ coverage }: SignatureReport): string | null {
  if (coverage === null) return null;
  const { octets, of, revision, revisions, whole } = coverage;
  const which = revision === null ? '' : ` (revision ${revision} of ${revisions})`;
  return whole ? `the whole file but itself${which}` : `${octets} of ${of} octets${which}`;
}

/** Objects of one revision to which the same happened are one row. */
function changeRows(changes: readonly Change[]): (readonly [string, string])[] {
  const groups = new Map<string, { readonly change: Change; readonly objects: number[] }>();
  for (const change of changes) {
    const key = `${change.revision} ${change.text}`;
    const group = groups.get(key) ?? { change, objects: [] };
    if (change.object !== null) group.objects.push(change.object);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ change, objects }) => {
    const where = objects.length === 0 ? '' : `, object${objects.length > 1 ? 's' : ''} ${objects.join(', ')}`;
    return ['After it', `${change.allowed ? '' : 'NOT ALLOWED: '}revision ${change.revision}${where}: ${change.text}`];
  });
}
