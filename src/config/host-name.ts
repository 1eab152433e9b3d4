/** What this mail server is called, for DNS records. */
import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';

const FULL = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;

/** The host's full name; null where it has none. Debian's host name is the first label: the rest stands in /etc/hosts. */
export function fullHostName(): string | null {
  const asked = (): string => {
    try {
      return execFileSync('hostname', ['--fqdn'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return '';
    }
  };
  const name = FULL.test(hostname()) ? hostname() : asked();
  return FULL.test(name) && !name.startsWith('localhost.') ? name : null;
}
