/** TLS certificate files, read again when they change: certbot and the like renew them while we run. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';

export interface TlsFiles {
  /** PEM, the server's certificate first. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

/** @throws Error when the files can't be read or don't belong together */
export function readTls({ certificate, key }: TlsFiles): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    minVersion: 'TLSv1.2',
  };
  createSecureContext(options);
  return options;
}

/**
 * New connections use new files within `interval` milliseconds. While the pair doesn't fit (one of two is written) the
 * old one stays. Looks at the files themselves, through links: certbot exchanges links.
 * @returns stops watching
 */
export function reloadTls(server: Server, files: TlsFiles, interval: number, log: Logger): () => void {
  const reload = (): void => {
    try {
      server.setSecureContext(readTls(files));
      log.info({ certificate: files.certificate }, 'TLS certificate loaded again');
    } catch (error) {
      log.error({ err: error, certificate: files.certificate }, 'TLS certificate can’t be loaded; the old one stays');
    }
  };
  const paths = [files.certificate, files.key];
  for (const path of paths) watchFile(path, { interval, persistent: false }, reload);
  return () => {
    for (const path of paths) unwatchFile(path, reload);
  };
}
