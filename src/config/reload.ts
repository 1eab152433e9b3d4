/**
 * A changed configuration while the gateway runs. Every part reads the settings named here from the one Config object at
 * the moment when it needs them, so taking over is writing them into that object; all others wait for the next start.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './schema.ts';

/** Sections and settings that take effect at once. A section stands for all its settings. */
export const LIVE: readonly string[] = [
  'levels',
  'seal',
  'policy',
  'requests',
  'enrolment',
  'senders',
  'mail.authenticatingRelays',
  'mail.relayCertificates',
  'mail.maxMessageSize',
  'mail.maxDocuments',
  'mail.verdictLifetime',
  'documents.otherFiles',
  'documents.cades',
  'documents.signaturePage',
  'archive',
];

export interface Reloaded {
  /** Settings that have changed and count from now on, as "section.setting". */
  readonly changed: readonly string[];
  /** Settings that have changed in the file and count from the next start on. */
  readonly atNextStart: readonly string[];
}

/**
 * Writes what may change while running into `running`, all of it at once.
 *
 * @param fresh the whole new configuration, found sound
 */
export function adopt(running: Config, fresh: Config): Reloaded {
  const differing = differences(running, fresh);
  const isLive = (path: string) => LIVE.some(name => path === name || path.startsWith(`${name}.`));
  const changed = differing.filter(isLive);
  for (const path of changed) copy(path.split('.'), fresh, running);
  return { changed, atNextStart: differing.filter(path => !isLive(path)) };
}

type Section = Record<string, unknown>;

const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** "section.setting", or the name alone where there are no sections. */
function differences(before: Section, after: Section): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap(name => {
    const [old, now] = [before[name], after[name]];
    if (isDeepStrictEqual(old, now)) return [];
    if (!isSection(old) || !isSection(now)) return [name];
    const settings = [...new Set([...Object.keys(old), ...Object.keys(now)])];
    return settings.filter(key => !isDeepStrictEqual(old[key], now[key])).map(key => `${name}.${key}`);
  });
}

function copy([section, setting]: readonly string[], from: Section, to: Section): void {
  const [source, target] = [from[section!], to[section!]];
  if (setting === undefined || !isSection(source) || !isSection(target)) to[section!] = source;
  else target[setting] = source[setting];
}
