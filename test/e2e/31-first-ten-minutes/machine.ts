/**
 * A machine as a mail admin finds it, in a folder: Debian's stock Postfix (people log in to it), slapd with two people, a name
 * server, an https proxy, and programs that stand for systemd's. Commands out of README.md run on it.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSink } from '../../../src/tryout/mailboxes.ts';
import { freePort } from '../../../src/tryout/ports.ts';
import { startDns } from '../../support/dns.ts';
import { startAuthServer } from '../../support/dovecot-auth.ts';
import { BASE, READER_PASSWORD, startSlapd } from '../../support/slapd.ts';

const execute = promisify(execFile);
export const ROOT = new URL('../../../', import.meta.url).pathname.replace(/\/$/, '');
/** Stands for the user `signpost`, which a test can't make. */
const SERVICE_USER = 'nobody';
export const PASSWORD = "john's password";

export type Machine = Awaited<ReturnType<typeof startMachine>>;

const person = (uid: string, name: string): string => `dn: uid=${uid},ou=people,${BASE}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${name}
givenName: ${name.split(' ')[0]}
sn: ${name.split(' ')[1]}
mail: ${uid}@company.com
userPassword: ${PASSWORD}`;

export async function startMachine() {
  const folder = mkdtempSync('/tmp/signpost-ten-minutes-');
  chmodSync(folder, 0o755);
  for (const name of ['bin', 'etc/systemd/system', 'postfix', 'queue', 'data', 'john', 'run'])
    mkdirSync(join(folder, name), { recursive: true });
  const [milter, lmtp, http, smtp] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const slapd = await startSlapd([person('john.doe', 'John Doe'), person('mary.smith', 'Mary Smith')].join('\n\n'));
  const dns = await startDns({
    'company.com': { MX: [{ exchange: 'mx.company.com', preference: 10 }], TXT: ['v=spf1 mx -all'] },
    '_dmarc.company.com': { TXT: ['v=DMARC1; p=reject'] },
  });
  const mailboxes = await startSink();
  const logins = await startAuthServer({ 'john.doe': PASSWORD });
  const proxy = await startProxy(folder, http);
  startPostfix({ folder, smtp, mailboxes: mailboxes.port, logins: logins.port });
  programs(folder);

  const authorities = join(folder, 'authorities.pem');
  writeFileSync(authorities, readFileSync(slapd.ca, 'utf8') + readFileSync(join(folder, 'web.pem'), 'utf8'));
  const env = {
    ...process.env,
    PATH: `${join(folder, 'bin')}:/usr/local/sbin:/usr/sbin:/sbin:${process.env.PATH}`,
    HOME: join(folder, 'john'),
    MAIL_CONFIG: join(folder, 'postfix'),
    SIGNPOST_CONFIG: join(folder, 'etc/signpost/signpost.yaml'),
    // The authorities that an admin gives to update-ca-certificates.
    NODE_EXTRA_CA_CERTS: authorities,
  };

  /** README's text, with this machine's folders, ports and user. */
  const here = (text: string): string =>
    text
      .replaceAll('/opt/signpost', ROOT)
      .replaceAll(/\/(etc\/signpost|etc\/systemd|var\/lib\/signpost)/g, `${folder}/$1`)
      .replaceAll('/etc/postfix', join(folder, 'postfix'))
      .replaceAll('/usr/local/bin', join(folder, 'bin'))
      .replaceAll('ldaps://ldap.company.com', `ldaps://localhost:${slapd.tlsPort}`)
      .replaceAll('https://sign.company.com', proxy.url)
      .replaceAll(/(--user|-o) signpost\b/g, `$1 ${SERVICE_USER}`)
      .replaceAll(
        'signpost init ',
        `signpost init --milter-port ${milter} --lmtp-port ${lmtp} --http-port ${http} --smtp-port ${smtp} `,
      );

  return {
    folder,
    smtp,
    dns,
    mailboxes,
    here,
    path: (name: string): string => join(folder, name),
    /** In one shell that ends at the first fault. @throws Error with what was said, too */
    async run(script: string, input = ''): Promise<string> {
      // Through cat, because what Node gives for standard input is a socket, which /dev/stdin can't open.
      const running = execute('bash', ['-c', 'cat | bash -euo pipefail -c "$0"', here(script)], {
        env,
        cwd: join(folder, 'john'),
        maxBuffer: 10_000_000,
      });
      running.child.stdin?.end(input);
      const { stdout, stderr } = await running;
      return stdout + stderr;
    },
    readerPassword: READER_PASSWORD,
    async stop(): Promise<void> {
      await execute(join(folder, 'bin/systemctl'), ['stop', 'signpost'], { env });
      await execute('/usr/sbin/postfix', ['-c', join(folder, 'postfix'), 'stop']);
      await proxy.stop();
      await logins.stop();
      await mailboxes.stop();
      await dns.stop();
      await slapd.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As README's lines for nginx: every path unchanged, and where it came from. */
async function startProxy(folder: string, to: number): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const [key, certificate] = [join(folder, 'web.key'), join(folder, 'web.pem')];
  const openssl = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '5'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await execute('openssl', [...openssl, '-keyout', key, '-out', certificate, ...name]);
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (asked, answer) => {
    const headers = { ...asked.headers, 'x-forwarded-for': asked.socket.remoteAddress };
    const onward = request(
      { host: '127.0.0.1', port: to, method: asked.method, path: asked.url, headers },
      ({ statusCode = 502, headers: said }) => answer.writeHead(statusCode, said),
    );
    onward.on('response', response => response.pipe(answer));
    onward.on('error', () => answer.writeHead(502).end());
    asked.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `https://localhost:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Debian's own main.cf and master.cf; the folders and ports of a private instance; logins; the world behind a relay host. */
function startPostfix(at: { folder: string; smtp: number; mailboxes: number; logins: number }): void {
  const { folder } = at;
  const main = [
    readFileSync('/usr/share/postfix/main.cf.debian', 'utf8'),
    `queue_directory = ${folder}/queue`,
    `data_directory = ${folder}/data`,
    'myhostname = mx.company.com',
    'mydestination = $myhostname, localhost',
    'alias_maps =',
    `relayhost = [127.0.0.1]:${at.mailboxes}`,
    'mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128',
    'smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination',
    'smtpd_sasl_auth_enable = yes',
    'smtpd_sasl_type = dovecot',
    `smtpd_sasl_path = inet:127.0.0.1:${at.logins}`,
    'smtpd_sasl_security_options = noanonymous',
    `maillog_file = ${folder}/mail.log`,
    'maillog_file_prefixes = /tmp',
  ];
  writeFileSync(join(folder, 'postfix/main.cf'), `${main.join('\n')}\n`);
  const master = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8');
  writeFileSync(join(folder, 'postfix/master.cf'), master.replace(/^smtp( +inet)/m, `127.0.0.1:${at.smtp}$1`));
  chownSync(join(folder, 'data'), Number(execFileSync('id', ['-u', 'postfix'])), 0);
  execFileSync('/usr/sbin/postfix', ['-c', join(folder, 'postfix'), 'start'], { stdio: 'ignore' });
}

/** `systemctl` does what the unit says, as far as a folder can: environment, credentials, user, command. */
function programs(folder: string): void {
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, 'bin', name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
  };
  // In a working tree that others can't read, the service is root's; its files are the user's all the same.
  const readable = ((): boolean => {
    try {
      execFileSync('setpriv', ['--reuid', SERVICE_USER, '--clear-groups', 'test', '-r', join(ROOT, 'package.json')]);
      return true;
    } catch {
      return false;
    }
  })();
  const drop = readable ? `setpriv --reuid ${SERVICE_USER} --regid $(id -g ${SERVICE_USER}) --clear-groups` : '';
  write(
    'systemctl',
    `set -eu
unit=${folder}/etc/systemd/system/signpost.service
case "$*" in
  "enable --now signpost")
    grep -qx 'User=signpost' $unit
    mkdir -p ${folder}/run/credentials
    sed -n 's/^LoadCredential=//p' $unit | while IFS=: read -r name _; do
      install -o ${SERVICE_USER} -m 400 ${folder}/etc/signpost/$name ${folder}/run/credentials/$name; done
    vars=$(sed -n 's/^Environment=//p' $unit | tr '\\n' ' ')
    start=$(sed -n 's#^ExecStart=##p' $unit | sed 's#/opt/signpost#${ROOT}#g; s#/etc/signpost#${folder}/etc/signpost#g')
    setsid ${drop} env $vars CREDENTIALS_DIRECTORY=${folder}/run/credentials $start >> ${folder}/journal 2>&1 < /dev/null &
    echo $! > ${folder}/run/pid
    for _ in $(seq 300); do grep -q '"gateway is up"' ${folder}/journal && exit; kill -0 $(cat ${folder}/run/pid) || break; sleep 0.1; done
    cat ${folder}/journal >&2; exit 1;;
  "reload signpost") kill -HUP $(cat ${folder}/run/pid);;
  "stop signpost") [ -f ${folder}/run/pid ] || exit 0; pid=$(cat ${folder}/run/pid); kill $pid || exit 0; while kill -0 $pid 2> /dev/null; do sleep 0.1; done;;
  *) echo "no such thing here: $*"; exit 1;;
esac`,
  );
  write('journalctl', `tail -n 20 ${folder}/journal`);
}
