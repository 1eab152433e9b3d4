/**
 * `signpost verify`: what was signed, by whom, when, and whether a bit has changed since. Exit status 0 when everything
 * passed, 1 when a question stays open, 2 when something failed, 3 when it was called wrongly.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Command, type CommanderError } from 'commander';
import { pino } from 'pino';
import { ConfigError, loadConfig } from '../config/load.ts';
import { DocumentWorker } from '../documents/worker.ts';
import { fromPem } from '../pki/x509.ts';
import { gatewayTrust, type Trust } from '../signatures/verify/gateway-trust.ts';
import { answered, isReportFile } from '../signatures/verify/report.ts';
import { type FileReport, type Indication, type VerifyInput, worst } from '../signatures/verify/result.ts';
import { verifyInChild } from '../signatures/verify/run.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { plain, say } from './say.ts';
import { verificationText } from './verify-text.ts';

interface Options extends ConfigOptions {
  readonly trust?: string;
  readonly content?: string;
  readonly json?: boolean;
}

const STATUS: Readonly<Record<Indication, number>> = { 'TOTAL-PASSED': 0, INDETERMINATE: 1, 'TOTAL-FAILED': 2 };
const USAGE = 3;
const LIMITS = { memory: 1024 * 1024 * 1024, timeout: 120_000, maxPages: 100_000 };
const NOBODY: Trust = { anchors: [], timestampAnchors: [], certificates: [], crls: [] };

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'say what was signed, by whom, when, and what has changed since (PDF, .p7m, .p7s, .xml, timestamps, reports)',
    )
    .argument('<file...>', 'signed files')
    .option('--trust <pem>', "certificates to trust; else this gateway's own, where its configuration can be read")
    .option('--content <file>', 'the file that a detached signature (.p7s) is about')
    .addOption(configOption())
    .addOption(jsonOption())
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : USAGE))
    .action(async (files: readonly string[], options: Options) => {
      try {
        process.exitCode = await verify(files, options);
      } catch (error) {
        console.error(plain(`signpost: ${error instanceof Error ? error.message : String(error)}`));
        process.exitCode = USAGE;
      }
    });
}

async function verify(files: readonly string[], options: Options): Promise<number> {
  const trust = options.trust === undefined ? await ownTrust(options.config) : trustIn(options.trust);
  const content = options.content === undefined ? null : readFileSync(options.content);
  const worker = new DocumentWorker({ ...LIMITS, children: 1, log: pino({ level: 'silent' }) });
  const reports: FileReport[] = [];
  try {
    for (const [i, name] of files.entries()) {
      const report = await verifyOne(worker, name, { ...trust, content, now: new Date() }, options.config);
      reports.push(report);
      if (!options.json) say(`${i > 0 ? '\n' : ''}${verificationText(name, report)}`);
    }
  } finally {
    await worker.close();
  }
  if (options.json) {
    const named = reports.map((report, i) => ({ file: files[i], ...report }));
    console.log(JSON.stringify(named, null, 2));
  }
  return STATUS[worst(reports)?.indication ?? 'INDETERMINATE'];
}

/** A transaction report's seal lies beside it, as `signpost requests report` writes them. */
async function verifyOne(
  worker: DocumentWorker,
  name: string,
  input: Omit<VerifyInput, 'file'>,
  config: string,
): Promise<FileReport> {
  const file = readFileSync(name);
  const beside = `${name}.p7s`;
  const seal = isReportFile(file) && existsSync(beside) ? readFileSync(beside) : null;
  const found = await verifyInChild(worker, { ...input, file, seal });
  if (found.format !== 'report') return found;
  const text = isReportFile(file) ? file : input.content;
  const { askGateway } = await import('./verify-reports.ts');
  const answer = text && (await askGateway(config, text));
  return answer ? answered(found, answer) : found;
}

function trustIn(path: string): Trust {
  try {
    return { ...NOBODY, anchors: fromPem(readFileSync(path, 'utf8')) };
  } catch (error) {
    throw new Error(`${path} can't be used as --trust: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Without a configuration nobody is trusted, and the answer says how to give trust. */
async function ownTrust(path: string): Promise<Trust> {
  try {
    return await gatewayTrust(loadConfig(path));
  } catch (error) {
    if (error instanceof ConfigError || (error instanceof Error && 'code' in error)) return NOBODY;
    throw error;
  }
}
