/**
 * The embedded database: one SQLite file in WAL mode that the gateway and the command line open side by side.
 */
import { chownSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { otherOwner } from './owner.ts';

/**
 * Opens (creating it if needed) the database and brings its schema up to date.
 * @param file path, or ':memory:'
 * @param migrations SQL scripts, applied once each, in order; only ever append to the list
 */
export function openDatabase(file: string, migrations: readonly string[]): DatabaseSync {
  // The timeout comes first: switching to WAL is itself refused while another process does the same.
  const database = new DatabaseSync(file, { timeout: 10_000 });
  const owner = file === ':memory:' ? null : otherOwner(dirname(file));
  // Before the files beside it are made: SQLite gives those to the database's owner.
  if (owner) chownSync(file, owner.uid, owner.gid);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
  transaction(database, () => {
    const { user_version: applied } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    for (const script of migrations.slice(applied)) database.exec(script);
    database.exec(`PRAGMA user_version = ${Math.max(applied, migrations.length)}`);
  });
  return database;
}

/** Runs `work` in one immediate transaction: committed when it returns, rolled back when it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has SQLite roll back by itself; the reason must not be hidden by a second ROLLBACK's complaint.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
