/** What the layers below say when there is no room or the other process was faster. */

const SQLITE_FULL = 13;
const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;

/** `code` of a system error; `errcode` of SQLite's (https://sqlite.org/rescode.html). */
function codesOf(error: unknown): { code?: unknown; errcode?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

/** No room: of files (ENOSPC, EDQUOT) or of the database (SQLITE_FULL). Mail answers 452 4.3.1 and the sender's server tries again. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = codesOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === SQLITE_FULL;
}

/** A primary key or another unique key is taken. */
export function isUniqueViolation(error: unknown): boolean {
  const { errcode } = codesOf(error);
  return errcode === SQLITE_CONSTRAINT_PRIMARYKEY || errcode === SQLITE_CONSTRAINT_UNIQUE;
}

/** Another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  const { errcode } = codesOf(error);
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY;
}
