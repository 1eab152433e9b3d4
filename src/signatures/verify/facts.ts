/**
 * What the public verification page is told: who, when, which level, intact or not; never the file, and no sentence in
 * any language. On the wire a Date is an ISO 8601 string. Runs in browsers.
 */
import {
  type BaselineLevel,
  DOUBTS,
  FAILURES,
  type FileReport,
  type Indication,
  type SignatureKind,
  type SignatureReport,
  type SubIndication,
} from './result.ts';

export interface Facts {
  readonly indication: Indication;
  readonly subIndication: SubIndication | null;
  readonly signatures: readonly SignatureFacts[];
  /** Of a transaction report: what it says, confirmed or not. */
  readonly transaction: ApprovalFacts | null;
}

export interface ApprovalFacts {
  readonly name: string;
  readonly time: Date;
  readonly documents: readonly { readonly name: string; readonly sha256: string }[];
}

export interface SignatureFacts {
  readonly indication: Indication;
  readonly subIndication: SubIndication | null;
  readonly kind: SignatureKind;
  readonly name: string | null;
  /** Whose seal stands for an approval. */
  readonly sealedBy: string | null;
  readonly organization: string | null;
  /** Common name of whoever issued the certificate. */
  readonly issuer: string | null;
  readonly level: BaselineLevel | null;
  readonly algorithm: string | null;
  readonly claimedTime: Date | null;
  readonly provenTime: Date | null;
  readonly intact: boolean;
  /** Objects that were changed although they may not be. */
  readonly changed: readonly { readonly revision: number; readonly object: number | null }[];
}

const MAX_LISTED = 20;

export function factsOf({ indication, subIndication, signatures, transaction }: FileReport): Facts {
  return {
    indication,
    subIndication,
    signatures: signatures.map(signatureFacts),
    transaction: transaction
      ? {
          name: transaction.approval?.signatory.name ?? transaction.signatory,
          time: transaction.stopped,
          documents: transaction.approval?.documents.slice(0, MAX_LISTED) ?? [],
        }
      : null,
  };
}

function signatureFacts(report: SignatureReport): SignatureFacts {
  const { indication, subIndication, kind, signer, person, level, algorithm, claimedTime, provenTime, intact } = report;
  const changed = report.changes.filter(({ allowed }) => !allowed).slice(0, MAX_LISTED);
  return {
    indication,
    subIndication,
    kind,
    name: person ?? signer?.name ?? null,
    sealedBy: person === null ? null : (signer?.name ?? null),
    organization: signer?.organization ?? null,
    issuer: report.chain[0]?.issuer ?? null,
    level,
    algorithm,
    claimedTime,
    provenTime,
    intact,
    changed: changed.map(({ revision, object }) => ({ revision, object })),
  };
}

const INDICATIONS: readonly Indication[] = ['TOTAL-PASSED', 'INDETERMINATE', 'TOTAL-FAILED'];
const SUB_INDICATIONS: readonly SubIndication[] = [...FAILURES, ...DOUBTS];
const KINDS: readonly SignatureKind[] = [
  'signature',
  'approval',
  'seal',
  'certifying-seal',
  'closing-seal',
  'document-timestamp',
];
const LEVELS: readonly BaselineLevel[] = ['B-B', 'B-T', 'B-LT', 'B-LTA'];

/** @throws TypeError */
export function parseFacts(value: unknown): Facts {
  const { indication, subIndication, signatures, transaction } = object(value);
  return {
    indication: oneOf(indication, INDICATIONS),
    subIndication: orNull(subIndication, item => oneOf(item, SUB_INDICATIONS)),
    signatures: list(signatures, parseSignature),
    transaction: orNull(transaction, parseApproval),
  };
}

function parseApproval(value: unknown): ApprovalFacts {
  const facts = object(value);
  return {
    name: text(facts.name),
    time: date(facts.time),
    documents: list(facts.documents, item => {
      const { name, sha256 } = object(item);
      return { name: text(name), sha256: text(sha256) };
    }),
  };
}

function parseSignature(value: unknown): SignatureFacts {
  const facts = object(value);
  return {
    indication: oneOf(facts.indication, INDICATIONS),
    subIndication: orNull(facts.subIndication, item => oneOf(item, SUB_INDICATIONS)),
    kind: oneOf(facts.kind, KINDS),
    name: orNull(facts.name, text),
    sealedBy: orNull(facts.sealedBy, text),
    organization: orNull(facts.organization, text),
    issuer: orNull(facts.issuer, text),
    level: orNull(facts.level, item => oneOf(item, LEVELS)),
    algorithm: orNull(facts.algorithm, text),
    claimedTime: orNull(facts.claimedTime, date),
    provenTime: orNull(facts.provenTime, date),
    intact: facts.intact === true,
    changed: list(facts.changed, item => {
      const { revision, object: number } = object(item);
      return { revision: Number(revision), object: orNull(number, Number) };
    }),
  };
}

const wrong = (what: string): TypeError => new TypeError(`the answer is not understood: ${what}`);

function object(value: unknown): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) throw wrong('an object');
  return { ...value };
}

function list<T>(value: unknown, parse: (item: unknown) => T): readonly T[] {
  if (!Array.isArray(value)) throw wrong('a list');
  return value.map(item => parse(item));
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw wrong('a text');
  return value;
}

function date(value: unknown): Date {
  const parsed = new Date(text(value));
  if (Number.isNaN(parsed.getTime())) throw wrong('a time');
  return parsed;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find(item => item === value);
  if (found === undefined) throw wrong('a word');
  return found;
}

const orNull = <T>(value: unknown, parse: (item: unknown) => T): T | null =>
  value === null || value === undefined ? null : parse(value);
