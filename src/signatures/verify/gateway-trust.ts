/** Whom this gateway trusts by its own configuration: its CAs, past ones included, for everything, outside authorities for timestamps alone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathIn } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { readAuthorities, scopeFolder } from '../../pki/authority-files.ts';
import { SCOPES } from '../../pki/pki.ts';
import { fromPem, isSelfSigned } from '../../pki/x509.ts';
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
  const scopes = config.pki.global ? SCOPES : (['local'] as const);
  const folders = await Promise.all(scopes.map(scope => readAuthorities(scopeFolder(config.folder, scope))));
  const all = folders.flatMap(({ current, retired }) => [current, ...retired]);
  const certificates = all.flatMap(({ chain }) => chain);
  const outsideCrls = all.flatMap(({ crls }) => crls.map(({ der }) => der));
  return {
    anchors: certificates.filter(isSelfSigned).map(({ der }) => der),
    timestampAnchors: outsideAnchors(config),
    certificates: certificates.filter(one => !isSelfSigned(one)).map(({ der }) => der),
    crls: [...(await currentCrls(join(pathIn(config, config.state), 'signpost.db'))), ...outsideCrls],
  };
}

/** The newest lists of revoked certificates, where the database may be read. */
async function currentCrls(file: string): Promise<Uint8Array[]> {
  if (!existsSync(file)) return [];
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
    try {
      return [...(await new SqliteCertificateStore(database).currentCrls())];
    } finally {
      database.close();
    }
  } catch {
    // Not everybody who verifies may read the gateway's state: then revocation is known from the file alone.
    return [];
  }
}
