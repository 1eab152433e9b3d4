/**
 * Postfix's settings compared with what `signpost init` printed (config/postfix/main.cf). A setting counts as each
 * service sees it: an -o option of master.cf may say something else than main.cf.
 */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { postfixLines } from '../config/template.ts';
import { type Line, ok, warning, wrong } from './line.ts';
import { elements, milliseconds, type Postfix, PostfixUnreadable, readPostfix, type Service } from './postconf.ts';

/** What is wrong with a value, with the value that would do; null for nothing. */
type Judgement = { readonly fault: string; readonly instead: string } | null;

interface Rule {
  readonly setting: string;
  /** Services that use it, by their daemon; main.cf alone where there are none. */
  readonly program: string;
  judge(value: string): Judgement | Promise<Judgement>;
  /** In words, where the setting's name says too little. */
  readonly why: string;
}

/** @param folder of the instance's main.cf; null: the system's */
export async function checkPostfix(config: Config, folder: string | null): Promise<Line[]> {
  try {
    return await settingLines(config, folder);
  } catch (error) {
    if (!(error instanceof PostfixUnreadable)) throw error;
    return [
      wrong(
        'postfix',
        `its settings can't be read: ${error.message}`,
        'apt install postfix; for an instance of its own: signpost check --postfix DIR (where its main.cf is)',
      ),
    ];
  }
}

async function settingLines(config: Config, folder: string | null): Promise<Line[]> {
  const snippet = snippetOf(config);
  const rules = rulesFor(config, snippet);
  const postfix = await readPostfix(folder, [...rules.map(({ setting }) => setting), ...OTHERS]);
  const lines: Line[] = [ok('postfix', `version ${postfix.version}, ${postfix.folder}/main.cf`)];
  for (const rule of rules) lines.push(await ruleLine(rule, postfix, snippet));
  for (const { sign } of config.domains) lines.push(...(await domainLines(sign, postfix, snippet)));
  lines.push(...milterGaps(postfix));
  return lines;
}

/** Read beside those that rules are about. */
const OTHERS = ['relay_domains', 'transport_maps', 'relay_recipient_maps', 'receive_override_options'] as const;

function snippetOf(config: Config): Map<string, string> {
  const lines = postfixLines(config).matchAll(/^([a-z_]+) =[ \t]*(.*)$/gm);
  return new Map([...lines].map(([, setting, value]) => [setting!, value!.trim()]));
}

function rulesFor(config: Config, snippet: ReadonlyMap<string, string>): Rule[] {
  const ours = snippet.get('smtpd_milters')!;
  const shipped = (setting: string): string => snippet.get(setting)!;
  const rule = (setting: string, program: string, why: string, judge: Rule['judge']): Rule => ({
    setting,
    program,
    why,
    judge,
  });
  const exactly = (setting: string, program: string, why: string, ...others: readonly string[]): Rule =>
    rule(setting, program, why, value =>
      [shipped(setting), ...others].includes(value.toLowerCase())
        ? null
        : { fault: value === '' ? 'is empty' : `is ${value}`, instead: shipped(setting) },
    );
  const contains = (setting: string, program: string, why: string): Rule =>
    rule(setting, program, why, value => {
      const wanted = shipped(setting);
      const present = elements(value);
      if (present.some(one => one.toLowerCase() === wanted.toLowerCase())) return null;
      return { fault: `lacks ${wanted}`, instead: [...present, wanted].join(', ') };
    });
  const milterIn = (setting: string, program: string, why: string): Rule =>
    rule(setting, program, why, value => {
      const milters = elements(value);
      const index = milters.findIndex(one => sameMilter(one, ours));
      if (index === -1) return { fault: `lacks ${ours}`, instead: [...milters, ours].join(', ') };
      const attributes = milterAttributes(milters[index]!);
      const action = attributes.get('default_action');
      if (action !== undefined && action !== 'tempfail')
        return { fault: `has default_action=${action} for it`, instead: value.replace(action, 'tempfail') };
      if (index === milters.length - 1) return null;
      const others = milters.filter((_, position) => position !== index);
      return { fault: 'has other milters after it', instead: [...others, milters[index]].join(', ') };
    });
  const atLeast = (setting: string, program: string, why: string, least: number, read: (value: string) => number) =>
    rule(setting, program, why, value =>
      read(value) >= least ? null : { fault: `is ${value}`, instead: shipped(setting) },
    );
  return [
    milterIn('smtpd_milters', 'smtpd', 'else no mail is admitted'),
    milterIn('non_smtpd_milters', 'cleanup', "else Postfix's own delivery reports are not taken"),
    contains('internal_mail_filter_classes', 'cleanup', "else Postfix's own delivery reports are not taken"),
    exactly('milter_default_action', 'smtpd', 'else mail gets past the milter, or is lost, while it is down'),
    atLeast('milter_protocol', 'smtpd', 'the milter speaks version 6', 6, Number),
    atLeast(
      'milter_content_timeout',
      'smtpd',
      'a document of many pages takes a moment',
      milliseconds(shipped('milter_content_timeout'), 's'),
      value => milliseconds(value, 's'),
    ),
    exactly('lmtp_line_length_limit', 'lmtp', 'else long lines are cut after the milter has seen them'),
    exactly('smtpd_forbid_bare_newline', 'smtpd', 'against SMTP smuggling', 'yes', 'reject'),
    exactly('smtpd_forbid_bare_newline_exclusions', 'smtpd', 'against SMTP smuggling'),
    contains('smtpd_data_restrictions', 'smtpd', 'against SMTP smuggling'),
    contains('smtpd_discard_ehlo_keywords', 'smtpd', 'against SMTP smuggling: CHUNKING must be off'),
    rule('message_reject_characters', 'cleanup', 'a milter can’t see NUL', value =>
      value.includes(shipped('message_reject_characters'))
        ? null
        : {
            fault: value === '' ? 'is empty' : `is ${value}`,
            instead: `${value}${shipped('message_reject_characters')}`,
          },
    ),
    rule('message_size_limit', 'smtpd', `mail.maxMessageSize is ${config.mail.maxMessageSize}`, value =>
      value === '0' || Number(value) > config.mail.maxMessageSize
        ? null
        : { fault: `is ${value}, not more than mail.maxMessageSize`, instead: shipped('message_size_limit') },
    ),
    rule('maximal_queue_lifetime', 'qmgr', 'verdicts on queued mail must outlive it', value => {
      const days = Math.floor(config.mail.verdictLifetime / 86_400_000);
      if (milliseconds(value, 'd') < config.mail.verdictLifetime) return null;
      return {
        fault: `is ${value}, not less than mail.verdictLifetime (${days} days)`,
        instead: `${Math.max(1, Math.floor(days / 2))}d`,
      };
    }),
    ...(config.mail.relayCertificates.length === 0 ? [] : certificateRules(rule)),
  ];
}

/** Postfix tells the milter of a client certificate only when it asked for one and knows who issued it. */
function certificateRules(
  rule: (setting: string, program: string, why: string, judge: Rule['judge']) => Rule,
): readonly Rule[] {
  const why = 'else no relay of mail.relayCertificates is recognised';
  return [
    rule('smtpd_tls_ask_ccert', 'smtpd', why, value =>
      value === 'yes' ? null : { fault: `is ${value}`, instead: 'yes' },
    ),
    rule('smtpd_tls_CAfile', 'smtpd', why, value =>
      value === '' ? { fault: 'is empty', instead: '/etc/postfix/FILE-WITH-YOUR-CA.pem' } : null,
    ),
  ];
}

async function ruleLine(rule: Rule, postfix: Postfix, snippet: ReadonlyMap<string, string>): Promise<Line> {
  const { setting, program, why } = rule;
  const item = `postfix ${setting}`;
  const main = postfix.value(setting);
  if (main === undefined)
    return wrong(
      item,
      `this Postfix (${postfix.version}) doesn't know it; ${why}`,
      `apt install --only-upgrade postfix (3.7.9, 3.8.4 or newer), then ${mendMain(postfix, setting, snippet.get(setting) ?? '')}`,
    );
  const judged = await rule.judge(main);
  const users = postfix.services.filter(one => one.program === program);
  const seen = await Promise.all(
    users.map(async service => {
      const own = service.overrides.get(setting);
      return { service, own, judgement: own === undefined ? judged : await rule.judge(own) };
    }),
  );
  const bad = seen.filter(({ judgement }) => judgement !== null);
  if (users.length === 0 ? judged === null : bad.length === 0) return ok(item, main === '' ? '(empty)' : main);
  const overridden = bad.find(({ own }) => own !== undefined);
  if (judged !== null && (users.length === 0 || bad.some(({ own }) => own === undefined)))
    return wrong(item, `${judged.fault}; ${why}`, mendMain(postfix, setting, judged.instead));
  const { service, judgement } = overridden!;
  const text = `${judgement!.fault} for ${service.name} in master.cf; ${why}`;
  const mend = `${postfix.folder}/master.cf, under ${service.name.split('/')[0]}: remove the line "-o ${setting}=…", then: postfix reload`;
  // An smtpd that has nothing to do with the sign domain may do without us.
  const others = seen.some(({ judgement: fine }) => fine === null);
  return setting === 'smtpd_milters' && others ? warning(item, text, mend) : wrong(item, text, mend);
}

const mendMain = ({ folder }: Pick<Postfix, 'folder'>, setting: string, value: string): string =>
  `${folder}/main.cf: ${setting} =${value === '' ? '' : ` ${value}`}   (then: postfix reload)`;

/** "{ inet:localhost:8891, default_action=tempfail }" → its attributes. */
function milterAttributes(element: string): Map<string, string> {
  return new Map(
    elements(element.replace(/^\{|\}$/g, '')).flatMap(one => {
      const [name, value] = one.split('=');
      return value === undefined ? [] : [[name!, value] as const];
    }),
  );
}

function sameMilter(element: string, ours: string): boolean {
  const [address = ''] = elements(element.replace(/^\{|\}$/g, ''));
  return sameAddress(address, ours);
}

const sameAddress = (one: string, other: string): boolean => plainAddress(one) === plainAddress(other);

const plainAddress = (address: string): string =>
  address.toLowerCase().replaceAll(/[[\]]/g, '').replace('localhost', '127.0.0.1');

/** That mail to a sign domain is accepted, and handed to our LMTP. */
async function domainLines(sign: string, postfix: Postfix, snippet: ReadonlyMap<string, string>): Promise<Line[]> {
  const relay = elements(postfix.value('relay_domains') ?? '');
  const listed = await isListed(relay, sign, postfix);
  const wanted = transportOf(snippet.get('transport_maps')!, sign);
  const maps = elements(postfix.value('transport_maps') ?? '');
  const transport = await lookUp(maps, sign, postfix);
  const strict = postfix.value('relay_recipient_maps') ?? '';
  return [
    listed
      ? ok(`postfix relay_domains ${sign}`, 'is accepted')
      : wrong(
          `postfix relay_domains ${sign}`,
          'mail for it is not accepted',
          mendMain(postfix, 'relay_domains', [...relay, sign].join(', ')),
        ),
    transport !== null && sameAddress(transport, wanted)
      ? ok(`postfix transport_maps ${sign}`, transport)
      : wrong(
          `postfix transport_maps ${sign}`,
          transport === null ? 'mail for it is not handed to Signpost' : `mail for it goes to ${transport}`,
          mendMain(postfix, 'transport_maps', [snippet.get('transport_maps'), ...maps].join(', ')),
        ),
    ...(strict === ''
      ? []
      : [
          warning(
            `postfix relay_recipient_maps ${sign}`,
            'Postfix itself refuses recipients that are not in it, before Signpost can say why',
            mendMain(postfix, 'relay_recipient_maps', ''),
          ),
        ]),
  ];
}

const transportOf = (maps: string, sign: string): string =>
  new RegExp(`\\{ ${sign.replaceAll('.', '\\.')} = (\\S+) \\}`).exec(maps)?.[1] ?? '';

/** A domain list (postconf(5)): names, files of names, tables; "!" takes out. The first that matches counts. */
async function isListed(patterns: readonly string[], domain: string, postfix: Postfix): Promise<boolean> {
  for (const pattern of patterns) {
    const excluded = pattern.startsWith('!');
    if (await matches(excluded ? pattern.slice(1) : pattern, domain, postfix)) return !excluded;
  }
  return false;
}

async function matches(pattern: string, domain: string, postfix: Postfix): Promise<boolean> {
  if (/^[a-z]+:/.test(pattern)) return (await postfix.query(pattern, domain)) !== null;
  if (!pattern.startsWith('/')) return pattern.toLowerCase() === domain;
  const text = await readFile(pattern, 'utf8').catch(() => '');
  return text.split('\n').some(line => line.trim().toLowerCase() === domain);
}

async function lookUp(tables: readonly string[], key: string, postfix: Postfix): Promise<string | null> {
  for (const table of tables) {
    const found = await postfix.query(table, key);
    if (found !== null) return found;
  }
  return null;
}

/** Services that take mail and show it to no milter at all. */
function milterGaps(postfix: Postfix): Line[] {
  const blind = (options: string): boolean => elements(options).includes('no_milters');
  const main = postfix.value('receive_override_options') ?? '';
  const services = postfix.services.filter(
    ({ program, overrides }: Service) =>
      program === 'smtpd' && blind(overrides.get('receive_override_options') ?? main),
  );
  if (services.length === 0) return [];
  const names = services.map(({ name }) => name).join(', ');
  return [
    wrong(
      'postfix receive_override_options',
      `has no_milters for ${names}: its mail is put off by Signpost`,
      `${postfix.folder}/master.cf: take no_milters out of receive_override_options of ${names}   (then: postfix reload)`,
    ),
  ];
}
