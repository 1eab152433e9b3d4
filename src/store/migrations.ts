/** The database's schemas in the order they are applied (database.ts). Only ever append. */
import { ADMISSIONS_SCHEMA } from './admissions.ts';
import { CERTIFICATES_SCHEMA, ISSUERS_SCHEMA } from './certificates.ts';
import { ENROLMENTS_SCHEMA } from './enrolments.ts';
import { EVIDENCE_SCHEMA } from './evidence.ts';
import { ARCHIVE_SCHEMA, REMINDERS_SCHEMA, REQUESTS_SCHEMA } from './schema.ts';
import { TIMESTAMPS_SCHEMA } from './timestamps.ts';
import { WATCH_SCHEMA } from './watch.ts';

export const MIGRATIONS: readonly string[] = [
  REQUESTS_SCHEMA,
  CERTIFICATES_SCHEMA,
  TIMESTAMPS_SCHEMA,
  ARCHIVE_SCHEMA,
  EVIDENCE_SCHEMA,
  WATCH_SCHEMA,
  ISSUERS_SCHEMA,
  ENROLMENTS_SCHEMA,
  ADMISSIONS_SCHEMA,
  REMINDERS_SCHEMA,
];
