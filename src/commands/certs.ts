/** `signpost certs list|show|revoke|enable|export`: the certificates of persons, which their devices sign with. */
import { Argument, Command, Option } from 'commander';
import { loadConfig } from '../config/load.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { readCertificates } from '../pki/authority-files.ts';
import { certificatePath } from '../pki/create.ts';
import { parsePathCertificate } from '../pki/path/certificate.ts';
import type { CertificateRecord, RevocationReason } from '../pki/pki.ts';
import { stopsDevice } from '../pki/suspension.ts';
import { parseCertificate } from '../pki/x509.ts';
import { describeName } from '../signatures/verify/subject.ts';
import { noteAdminAct } from './admin-act.ts';
import { certificateBytes, FORMATS, type Format, writeCertificate } from './certificate-files.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { addressesOf } from './persons.ts';
import { say } from './say.ts';
import { printTable } from './table.ts';

/** RFC 5280 §5.3.1, as far as an end entity's certificate can have them. */
const REASONS: readonly RevocationReason[] = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
];

interface Options extends ConfigOptions {
  readonly json?: boolean;
}

export function certsCommand(): Command {
  const certs = new Command('certs').description('certificates of persons: what their devices sign with');
  certs
    .command('list')
    .description('every certificate of a person, oldest first')
    .option('--person <id>', 'only of this person (login, address or id)')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: Options & { readonly person?: string }) => withCore(options, core => list(core, options)));
  certs
    .command('show')
    .description('what stands in a certificate, and what became of it')
    .addArgument(serialArgument())
    .addOption(configOption())
    .addOption(jsonOption())
    .action((serial: string, options: Options) =>
      withCore(options, async core => show(core, await find(core, serial), options)),
    );
  certs
    .command('revoke')
    .description('its device can sign no more, at once')
    .addArgument(serialArgument())
    .addOption(
      new Option(
        '--reason <reason>',
        'certificateHold can be undone (certs enable); after superseded and affiliationChanged the device gets a new certificate by itself',
      )
        .choices(REASONS)
        .default('unspecified'),
    )
    .addOption(configOption())
    .addOption(jsonOption())
    .action((serial: string, options: Options & { readonly reason: RevocationReason }) =>
      withCore(options, async core => revoke(core, await find(core, serial), options)),
    );
  certs
    .command('enable')
    .description('undoes a hold, for example when a lost phone is found; nothing else can be undone')
    .addArgument(serialArgument())
    .addOption(configOption())
    .addOption(jsonOption())
    .action((serial: string, options: Options) =>
      withCore(options, async core => enable(core, await find(core, serial), options)),
    );
  certs
    .command('export')
    .description('the certificate, with its issuers where the format holds several')
    .addArgument(serialArgument())
    .addOption(
      new Option('--format <format>', 'pem: with its issuers; der: it alone; p7c: DER with its issuers (RFC 5652)')
        .choices(FORMATS)
        .default('pem'),
    )
    .option('--out <file>', 'where it goes, a new file; standard output when missing')
    .addOption(configOption())
    .action((serial: string, options: ConfigOptions & { readonly format: Format; readonly out?: string }) =>
      withCore(options, async core => {
        const { certificate } = await find(core, serial);
        await writeCertificate(
          certificateBytes(certificate, core.pki.ca.issuersOf(certificate), options.format),
          options.out,
        );
      }),
    );
  return certs;
}

function serialArgument(): Argument {
  return new Argument('<serial>', 'serial number, or its beginning as `certs list` shows it');
}

async function withCore(options: ConfigOptions, work: (core: Core) => Promise<void>): Promise<void> {
  const core = await openCore(loadConfig(options.config), { logger: createLogger('error') });
  try {
    await work(core);
  } finally {
    await core.close();
  }
}

/** @throws Error in words when none or several fit */
async function find({ pki }: Core, text: string): Promise<CertificateRecord> {
  const serial = text
    .toLowerCase()
    .replaceAll(':', '')
    .replace(/^0+(?=.)/, '');
  const exact = await pki.ca.find(serial);
  const fits = exact ? [exact] : (await pki.ca.list()).filter(record => record.serial.startsWith(serial));
  if (fits.length !== 1)
    throw new Error(
      fits.length === 0
        ? `there is no certificate ${text} of a person: see signpost certs list`
        : `${text} fits ${fits.length} certificates: write more of it`,
    );
  return fits[0]!;
}

type State = 'valid' | 'expired' | 'on hold' | 'revoked';

function stateOf({ revokedAt, reason, notAfter }: CertificateRecord): State {
  if (revokedAt !== null) return reason === 'certificateHold' ? 'on hold' : 'revoked';
  return notAfter > new Date() ? 'valid' : 'expired';
}

async function list(core: Core, options: Options & { readonly person?: string }): Promise<void> {
  const { person } = options;
  const personId = person === undefined ? null : await personIdOf(core, person);
  const records = (await core.pki.ca.list()).filter(one => personId === null || one.personId === personId);
  if (options.json) return say(JSON.stringify(records.map(factsOf), null, 2));
  if (records.length === 0) return say('No certificate has been issued yet: a device gets one when it first signs.');
  const address = await addressesOf(
    core.directory,
    records.map(({ personId }) => personId),
  );
  printTable(
    ['SERIAL', 'PERSON', 'STATE', 'UNTIL', 'DEVICE', 'REASON'],
    records.map(record => [
      record.serial.slice(0, 12),
      address(record.personId),
      stateOf(record),
      record.notAfter.toISOString().slice(0, 10),
      record.deviceId?.slice(0, 12) ?? '',
      record.reason ?? '',
    ]),
  );
}

/** Of somebody in the directory; else taken as the id of somebody who has left it. */
async function personIdOf({ directory }: Core, name: string): Promise<string> {
  const person = (await directory.findByLogin(name)) ?? (await directory.findByMail(name));
  return person?.id ?? name;
}

async function show(core: Core, record: CertificateRecord, options: Options): Promise<void> {
  if (options.json) return say(JSON.stringify(factsOf(record), null, 2));
  const { full } = describeName(parseCertificate(record.certificate).subject);
  const device = record.deviceId === null ? null : await core.devices.find(record.deviceId);
  say(`Serial    ${record.serial}
Subject   ${full}
Person    ${record.personId ?? '-'}
Device    ${device === null ? (record.deviceId ?? '-') : `“${device.name}”, ${device.state}, ${device.id}`}
Valid     ${record.notBefore.toISOString()} to ${record.notAfter.toISOString()}
State     ${stateOf(record)}${record.revokedAt === null ? '' : ` since ${record.revokedAt.toISOString()}, ${record.reason}`}
Key       SHA-256 ${record.keyHash}`);
}

async function revoke(
  core: Core,
  before: CertificateRecord,
  options: Options & { readonly reason: RevocationReason },
): Promise<void> {
  const { serial } = before;
  if (before.personId === null) await checkOwn(core, before, options.reason);
  await noteAdminAct(core, 'certs revoke', { certificate: serial }, { reason: options.reason });
  await core.pki.ca.revoke(serial, options.reason);
  const record = (await core.pki.ca.find(serial))!;
  if (record.reason !== options.reason)
    throw new Error(`certificate ${serial} was revoked before, for ${record.reason}; that stays`);
  if (options.json) return say(JSON.stringify(factsOf(record), null, 2));
  if (record.personId === null)
    return say(`Certificate ${serial} is revoked. What was signed and timestamped with it before stays good.`);
  const next =
    record.reason === 'certificateHold'
      ? `Its device can't sign until: signpost certs enable ${serial}`
      : stopsDevice(record)
        ? 'Its device can sign no more; its person sets up a device again to sign.'
        : 'Its device gets a new certificate when it signs next.';
  say(`Certificate ${serial} of ${record.personId} is ${stateOf(record)}. ${next}`);
}

/** The company's own certificates: those that a rotation has replaced may be revoked. @throws Error in words */
async function checkOwn({ config }: Core, record: CertificateRecord, reason: RevocationReason): Promise<void> {
  const { serial, certificate, deviceId } = record;
  for (const name of ['seal', 'tsa'] as const) {
    const [used] = await readCertificates(certificatePath(config.folder, name));
    if (used?.serial === serial)
      throw new Error(
        `certificate ${serial} is in use; first let another key take its place: signpost keys rotate ${name}`,
      );
  }
  if (deviceId !== null || parsePathCertificate(certificate).isCa)
    throw new Error(`certificate ${serial} is a CA's or an OCSP responder's, which nobody here can revoke`);
  if (reason === 'certificateHold')
    throw new Error('only certificates of persons can be put on hold; give another --reason');
}

async function enable(core: Core, before: CertificateRecord, options: Options): Promise<void> {
  await noteAdminAct(core, 'certs enable', { certificate: before.serial });
  if (!(await core.pki.ca.enable(before.serial)))
    throw new Error(
      before.revokedAt === null
        ? `certificate ${before.serial} is not on hold`
        : `certificate ${before.serial} was revoked for ${before.reason}; only a hold can be undone`,
    );
  const record = (await core.pki.ca.find(before.serial))!;
  if (options.json) return say(JSON.stringify(factsOf(record), null, 2));
  say(`Certificate ${record.serial} of ${record.personId} is ${stateOf(record)} again.`);
}

function factsOf(record: CertificateRecord) {
  const { certificate, ...facts } = record;
  return { ...facts, state: stateOf(record), subject: describeName(parseCertificate(certificate).subject).full };
}
