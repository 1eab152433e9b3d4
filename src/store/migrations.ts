/** The database's schemas in the order they are applied (database.ts). Only ever append. */
import { CERTIFICATES_SCHEMA } from './certificates.ts';
import { ADMISSIONS_SCHEMA } from './admissions.ts';
import { EVIDENCE_SCHEMA } from './evidence.ts';
import { ARCHIVE_SCHEMA, REQUESTS_SCHEMA } from './schema.ts';
import { TIMESTAMPS_SCHEMA } from './timestamps.ts';
import { WATCH_SCHEMA } from './watch.ts';

export const MIGRATIONS: readonly string[] = [
  REQUESTS_SCHEMA,
  CERTIFICATES_SCHEMA,
  TIMESTAMPS_SCHEMA,
  ARCHIVE_SCHEMA,
  EVIDENCE_SCHEMA,
  WATCH_SCHEMA,
  ADMISSIONS_SCHEMA,
];
