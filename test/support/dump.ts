/** The logical content of a gateway's database: equal before and after means that nothing was changed. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export function dumpDatabase(stateFolder: string): string {
  const database = new DatabaseSync(join(stateFolder, 'signpost.db'), { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all() as {
      name: string;
    }[];
    const content = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all()]);
    return JSON.stringify(content, (_, value: unknown) =>
      value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : typeof value === 'bigint'
          ? String(value)
          : value,
    );
  } finally {
    database.close();
  }
}
