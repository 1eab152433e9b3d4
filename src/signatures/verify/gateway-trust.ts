/** Whom this gateway trusts by its own configuration: its CA for everything, outside authorities for timestamps alone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathIn } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { certificatePath } from '../../pki/create.ts';
import { fromPem } from '../../pki/x509.ts';
import { SqliteCertificateStore } from '../../store/certificates.ts';
import type { VerifyInput } from './result.ts';

export type Trust = Pick<VerifyInput, 'anchors' | 'timestampAnchors' | 'certificates' | 'crls'>;

/** The roots of the outside timestamp authorities, DER. @throws when a file can't be read */
export function outsideAnchors(config: Pick<Config, 'folder' | 'timestamps'>): Uint8Array[] {
  return config.timestamps.authorities.flatMap(authority =>
    authority === 'embedded' ? [] : fromPem(readFileSync(pathIn(config, authority.trust), 'utf8')),
  );
}

/** For the command line beside a gateway. @throws when its certificates can't be read */
export async function gatewayTrust(config: Config): Promise<Trust> {
  return {
    anchors: fromPem(readFileSync(certificatePath(config.folder, 'ca'), 'utf8')),
    timestampAnchors: outsideAnchors(config),
    certificates: [],
    crls: await currentCrl(join(pathIn(config, config.state), 'signpost.db')),
  };
}

/** The newest list of revoked certificates, where the database may be read. */
async function currentCrl(file: string): Promise<Uint8Array[]> {
  if (!existsSync(file)) return [];
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
    try {
      const { current } = await new SqliteCertificateStore(database).crl();
      return current === null ? [] : [current.crl];
    } finally {
      database.close();
    }
  } catch {
    // Not everybody who verifies may read the gateway's state: then revocation is known from the file alone.
    return [];
  }
}
