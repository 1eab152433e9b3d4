/** Debian's python3-dkim, asking a name server of ours: a DKIM verifier that shares nothing with ours. */
import { spawn } from 'node:child_process';
import type { DnsServer } from './dns.ts';

const SCRIPT = `
import sys, dkim, dns.resolver
resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ['127.0.0.1']
resolver.port = int(sys.argv[1])
def txt(name, timeout=5):
    return b''.join(resolver.resolve(name.decode(), 'TXT')[0].strings)
sys.exit(0 if dkim.verify(sys.stdin.buffer.read(), dnsfunc=txt) else 1)
`;

/** Whether the mail's DKIM signature holds. @throws Error when it can't tell */
export function independentDkim(mail: Uint8Array, dns: DnsServer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', ['-c', SCRIPT, dns.address.split(':')[1]!], { stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', chunk => {
      said += chunk;
    });
    child.once('error', reject);
    child.once('close', status => (said === '' ? resolve(status === 0) : reject(new Error(said))));
    child.stdin.end(mail);
  });
}
