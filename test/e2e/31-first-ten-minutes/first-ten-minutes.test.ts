/** README.md, word for word: the commands of its install section are taken out of the page and run, in their order. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { linkIn, waitForLetter } from '../../../src/tryout/letters.ts';
import { makeMessage } from '../../support/message.ts';
import { SmtpClient } from '../../support/smtp.ts';
import { has, hasPostfix } from '../../support/tools.ts';
import { type Machine, PASSWORD, ROOT, startMachine } from './machine.ts';

const execute = promisify(execFile);
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const JOHN = 'john.doe@company.com';

/** The blocks of one numbered step of the install section. */
function blocksOf(step: number, language: string): string[] {
  const section = README.split(/^## /m).find(part => part.startsWith('Install it'))!;
  const text = section.split(/^(?=\d+\. \*\*)/m).find(part => part.startsWith(`${step}. `))!;
  return [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, 'gm'))].map(([, block]) =>
    block!.replaceAll(/^ {3}/gm, ''),
  );
}

const commandsOf = (step: number): string => blocksOf(step, 'sh').join('');

describe.skipIf(!hasPostfix || !has('slapd', 'ldap-utils', 'openssl', 'poppler-utils'))('the first ten minutes', () => {
  let machine: Machine;
  let signed: string;

  beforeAll(async () => {
    machine = await startMachine();
  });
  afterAll(() => machine.stop());

  /** Mail of John's, with his login. */
  async function mail(to: string, message: Buffer): Promise<void> {
    const client = await SmtpClient.connect(machine.smtp);
    const login = Buffer.from(`\0john.doe\0${PASSWORD}`).toString('base64');
    const said = await client.command(`AUTH PLAIN ${login}`);
    expect(said.code, readFileSync(machine.path('mail.log'), 'utf8')).toBe(235);
    expect((await client.send(JOHN, [to], message)).final).toMatchObject({ code: 250 });
    await client.command('QUIT');
  }

  test('D9 step 1: the program; what npm, git and useradd do is other tests’ business', async () => {
    const lines = commandsOf(1).trimEnd().split('\n');
    expect(lines.map(line => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'git clone',
      'ln -s',
      'useradd --system',
    ]);
    await machine.run(lines[1]!);
    expect(await machine.run('signpost --version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await machine.run('signpost --help')).toContain('mail a PDF, get it back signed');
  });

  test('D9 step 2: init says what it made; the files are whose they should be', async () => {
    const said = await machine.run(commandsOf(2));
    expect(said).toContain('signpost.yaml          the configuration');
    expect(said).toContain('milter_default_action = tempfail');
    const [etc, keys, state] = ['etc/signpost', 'etc/signpost/keys', 'var/lib/signpost'].map(name =>
      statSync(machine.path(name)),
    );
    expect(etc).toMatchObject({ uid: 0, gid: keys!.gid });
    expect(keys!.uid).toBe(state!.uid);
    expect(keys!.uid).not.toBe(0);
    expect([etc, keys, state].map(({ mode } = etc!) => mode & 0o777)).toEqual([0o750, 0o750, 0o700]);
    for (const name of readdirSync(machine.path('etc/signpost/keys')))
      expect(statSync(machine.path(`etc/signpost/keys/${name}`))).toMatchObject({ uid: keys!.uid, mode: 0o100_600 });
    expect(statSync(machine.path('etc/signpost/passphrase'))).toMatchObject({ uid: 0, mode: 0o100_600 });
  });

  test('D9 step 3: people from LDAP', async () => {
    const [snippet] = blocksOf(3, 'yaml');
    const file = machine.path('etc/signpost/signpost.yaml');
    const before = readFileSync(file, 'utf8');
    const after = before
      .replace(/^directory:\n {2}file: people.yaml\n/m, machine.here(snippet!))
      .replace(/^# dns: .*$/m, `dns: { servers: ["${machine.dns.address}"] }`)
      .replace(/^# admin: .*$/m, 'admin: [postmaster@company.com]');
    expect(after).toContain('ldaps://localhost');
    writeFileSync(file, after);
    expect(await machine.run(commandsOf(3), `${machine.readerPassword}\n`)).toMatch(
      /signpost\.yaml is fine: sign\.company\.com for company\.com\.$/m,
    );
    expect(statSync(machine.path('etc/signpost/ldap-password')).mode & 0o777).toBe(0o600);
  });

  test('D9 a command before the first start takes nothing away from the service', async () => {
    const said = await machine.run('signpost check || true');
    expect(said).toMatch(/^ok +directory +ldaps:/m);
    expect(said).toMatch(/^wrong +gateway milter .*\n +-> systemctl start signpost/m);
    expect(said).toMatch(/^wrong +postfix smtpd_milters .*\n +-> \S+main\.cf: smtpd_milters = inet:/m);
    const state = machine.path('var/lib/signpost');
    const { uid } = statSync(state);
    for (const name of readdirSync(state)) expect([name, statSync(join(state, name)).uid]).toEqual([name, uid]);
  });

  test('D9 steps 4 and 5: the service is up, and phones reach it through the proxy', async () => {
    expect(await machine.run(commandsOf(4))).toContain('"gateway is up"');
    expect(blocksOf(5, 'nginx')[0]).toContain('proxy_pass http://127.0.0.1:8893;');
  });

  test('D9 steps 6 and 7: with the lines that init left in Postfix and DNS, all is in order', async () => {
    await machine.run(commandsOf(6));
    for (const [name, entry] of zoneOf(readFileSync(machine.path('etc/signpost/postfix-and-dns.txt'), 'utf8')))
      machine.dns.zone.set(name, entry);
    const said = await machine.run(commandsOf(7));
    expect(said).toMatch(/^ok +mail: back/m);
    expect(said).toMatch(/^ok +public address/m);
    expect(said.split('\n').filter(line => /^(warning|wrong)/.test(line) && !/^warning +clock syn/.test(line))).toEqual(
      [],
    );
    expect(said).toMatch(/ 0 wrong\.\n$/);
  });

  test('D9 step 8: mailed, enrolled, signed, in the mailbox, and its whole story told', async () => {
    await mail('self@sign.company.com', makeMessage({ from: `John Doe <${JOHN}>`, to: 'self@sign.company.com' }));
    const letter = await waitForLetter(machine.mailboxes, JOHN, 'please-sign');
    const [code, enrol, list, sign, save, verify, why, ...more] = commandsOf(8).trimEnd().split('\n');
    expect(more).toEqual([]);
    const number = /^(\d{9})\nFor John Doe/.exec(await machine.run(code!))?.[1];
    expect(await machine.run(enrol!.replace('CODE', number!))).toContain(`This is now a device of John Doe <${JOHN}>`);
    const link = linkIn(letter);
    expect(await machine.run(list!)).toContain(link);
    expect(await machine.run(`${sign!.replace('LINK', link)} --yes`)).toMatch(/^Signed: /m);
    await waitForLetter(machine.mailboxes, JOHN, 'finished');
    expect(await machine.run(save!.replace(/REQUEST.*/, letter.request!))).toContain('1 contract signed.pdf');
    expect(await machine.run(verify!)).toMatch(/: TOTAL-PASSED\n.*every signature in it is valid: John Doe\./);
    expect(await machine.run(why!)).toMatch(/request \S+ opened[\s\S]*John Doe signed/);
    signed = machine.path('john/1 contract signed.pdf');
  });

  test('D9 what came back is signed, as poppler sees it, and is what the mail holds', async () => {
    const { stdout } = await execute('pdfsig', ['-nocert', signed]);
    expect(stdout.match(/Signature is Valid/g)).toHaveLength(3);
    const { parsed } = await waitForLetter(machine.mailboxes, JOHN, 'finished');
    expect(parsed.attachments.some(({ content }) => content.equals(readFileSync(signed)))).toBe(true);
  });

  test('D9 a reply `status`, and a reload', async () => {
    await mail(
      'mary.smith@sign.company.com',
      makeMessage({ from: `John Doe <${JOHN}>`, to: 'mary.smith@sign.company.com', subject: 'Lease' }),
    );
    const { parsed } = await waitForLetter(
      machine.mailboxes,
      JOHN,
      'accepted',
      one => one.parsed.subject === 'Re: Lease',
    );
    const to = parsed.replyTo!.value[0]!.address!;
    await mail(to, makeMessage({ from: `John Doe <${JOHN}>`, to, subject: 'Re: Lease', text: 'status', parts: [] }));
    const answer = await waitForLetter(machine.mailboxes, JOHN, 'answer');
    expect(answer.parsed.text).toContain('Mary Smith');

    const file = machine.path('etc/signpost/signpost.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/^ {2}# maxPerDay: .*$/m, '  maxPerDay: 1'));
    await machine.run('systemctl reload signpost');
    const told = () =>
      /"changed":\["requests\.maxPerDay"\],"atNextStart":\[\]/.test(readFileSync(machine.path('journal'), 'utf8'));
    await expect.poll(told, { timeout: 30_000 }).toBe(true);
  });

  test('D9 every setting that README names is one', () => {
    const config = loadConfig(machine.path('etc/signpost/signpost.yaml')) as unknown as Record<string, object>;
    const named = [...README.matchAll(/`((?:mail|http|enrolment|seal|documents|requests|senders)\.[A-Za-z.]+)[:`]/g)];
    expect(named.length).toBeGreaterThan(5);
    for (const [, path] of named) {
      const [section, setting] = path!.split('.');
      expect(Object.keys(config[section!]!), path).toContain(setting);
    }
  });
});

describe('README', () => {
  test('D9 an npm that is too old hears so in a sentence, from `npm ci` itself', async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: { prepare: string };
    };
    const [check] = scripts.prepare.split(' && ');
    const ask = (agent: string) =>
      execute('sh', ['-c', check!], { cwd: ROOT, env: { ...process.env, npm_config_user_agent: agent } });
    await expect(ask('npm/9.2.0 node/v18.19.0 linux x64')).rejects.toThrow(/needs Node.js 20 or newer/);
    expect((await ask('npm/10.8.2 node/v20.20.2 linux x64')).stderr).toBe('');
  });

  test('D9 every command that README names has its help, and every file is there', async () => {
    const cells = [...README.matchAll(/`signpost ([a-z-]+)(?: ([a-z|\\-]+))?[ `]/g)];
    const wanted = new Map<string, Set<string>>();
    for (const [, command, below] of cells) {
      const all = wanted.get(command!) ?? new Set();
      for (const name of below?.replaceAll('\\', '').split('|') ?? []) all.add(name);
      wanted.set(command!, all);
    }
    expect(wanted.size).toBeGreaterThan(12);
    const help = async (...of: string[]) =>
      (await execute(process.execPath, [join(ROOT, 'bin/signpost.js'), ...of, '--help'])).stdout;
    const all = await help();
    for (const [command, below] of wanted) {
      expect(all, command).toMatch(new RegExp(`^  ${command} `, 'm'));
      const stdout = below.size > 0 ? await help(command) : '';
      for (const name of below) expect(stdout, `${command} ${name}`).toMatch(new RegExp(`^  ${name}[ |]`, 'm'));
    }
    for (const [, path] of README.matchAll(/\]\(([^)#:]+)\)/g))
      expect([path, existsSync(join(ROOT, path!))]).toEqual([path, true]);
  });
});

/** The records that init printed, as the admin puts them into the zone. */
function zoneOf(text: string): Map<string, { MX?: { exchange: string; preference: number }[]; TXT?: string[] }> {
  const zone = new Map<string, { MX?: { exchange: string; preference: number }[]; TXT?: string[] }>();
  for (const [, name, type, value] of text.matchAll(/^(\S+)\. +IN (MX|TXT) +(.*)$/gm)) {
    const before = zone.get(name!) ?? {};
    const strings = [...value!.matchAll(/"([^"]*)"/g)].map(([, piece]) => piece!);
    if (type === 'MX') zone.set(name!, { ...before, MX: [{ exchange: 'mx.company.com', preference: 10 }] });
    else zone.set(name!, { ...before, TXT: [...(before.TXT ?? []), strings.join('')] });
  }
  return zone;
}
