/** Reads the configuration file into types, or says in plain words what to mend. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import type { Proof } from '../requests/model.ts';
import { isLoopback } from './loopback.ts';
import { type Config, configSchema } from './schema.ts';

/** The configuration can't be used; `message` lists each setting and what to write instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @param file path of signpost.yaml
 * @throws ConfigError
 */
export function loadConfig(file: string): Config {
  const path = resolve(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const mend = { ENOENT: ` Make one with: signpost init ${dirname(path)}`, EACCES: ' Run this as root.' }[code ?? ''];
    throw new ConfigError(`${path} can't be read (${code}).${mend ?? ''}`);
  }
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw new ConfigError(`${path} is not YAML: ${(error as Error).message}`);
  }
  return parseConfig(data, path);
}

/** @param path absolute path of the file that `data` came from */
export function parseConfig(data: unknown, path: string): Config {
  const parsed = configSchema.safeParse(withoutEmptySections(data));
  if (!parsed.success) throw new ConfigError(`${path}:\n${parsed.error.issues.map(explain).join('\n')}`);
  const config = { ...parsed.data, enrolment: withPasswords(parsed.data), folder: dirname(path) };
  const problems = contradictions(config);
  if (problems.length > 0) throw new ConfigError(`${path}:\n${problems.map(problem => `  ${problem}`).join('\n')}`);
  return config;
}

/** Where nothing else is said, people of an LDAP directory show its password or an admin's code. */
function withPasswords({ enrolment, directory }: Pick<Config, 'enrolment' | 'directory'>): Config['enrolment'] {
  if (enrolment.proofs !== null || !('ldap' in directory)) return enrolment;
  const any: (readonly Proof[])[] = [['password'], ['admin-code']];
  if (enrolment.mailedCode) any.push(['mailed-code']);
  return { ...enrolment, proofs: { standard: any, advanced: any } };
}

/** A path of the configuration: absolute, or relative to the config file. */
export function pathIn(config: Pick<Config, 'folder'>, path: string): string {
  return resolve(config.folder, path);
}

/** A section whose settings are all commented out is null in YAML: it means the defaults. */
function withoutEmptySections(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null));
}

function explain(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? 'the file' : issue.path.join('.');
  return `  ${where}: ${issue.message}`;
}

/** What each setting alone can't tell. */
function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const url = new URL(config.publicUrl);
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    problems.push(
      'publicUrl: must be https (browsers give signing keys only to secure pages); plain http is for loopback alone',
    );
  }
  if (!config.levels.offered.includes(config.levels.default)) {
    problems.push(`levels.default: "${config.levels.default}" is not among levels.offered`);
  }
  if (config.levels.offered.includes('qualified'))
    problems.push('levels.offered: this version offers standard, advanced and seal, not qualified');
  const maySeal = config.seal.allowed === 'everyone' || config.seal.allowed.length > 0;
  if (config.levels.offered.includes('seal') && !maySeal)
    problems.push(
      'seal.allowed: levels.offered has seal, but nobody may use it; list groups or people, or write everyone',
    );
  if (maySeal && !config.levels.offered.includes('seal'))
    problems.push('levels.offered: has no seal, but seal.allowed says who may use it; add seal there');
  for (const name of config.senders.spfAlone) {
    if (!config.domains.some(({ mail }) => mail.includes(name)))
      problems.push(`senders.spfAlone: ${name} is none of the mail domains under domains`);
  }
  if (config.requests.expiry > config.requests.maxExpiry)
    problems.push('requests.expiry: is longer than requests.maxExpiry');
  if (config.requests.maxExpiry > 30 * 86_400_000) problems.push('requests.maxExpiry: at most 30 days');
  if (config.certificates.validity > 31 * 86_400_000) problems.push('certificates.validity: at most 31 days');
  if (config.certificates.scope === 'global' && config.pki.global === null)
    problems.push('certificates.scope: is global, but there is no pki.global; write pki.global: { key: file }');
  if (config.http.tls === null && 'host' in config.http.listen && !isLoopback(config.http.listen.host)) {
    problems.push('http.listen: without http.tls it must be a loopback address behind a proxy');
  }
  const signDomains = config.domains.map(({ sign }) => sign);
  if (new Set(signDomains).size !== signDomains.length) problems.push('domains: a sign domain stands there twice');
  return problems;
}
