/** The database's schemas in the order they are applied (database.ts). Only ever append. */
import { REQUESTS_SCHEMA } from './schema.ts';

export const MIGRATIONS: readonly string[] = [REQUESTS_SCHEMA];
