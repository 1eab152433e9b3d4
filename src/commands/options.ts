/** Options that several commands share. */
import { Option } from 'commander';

/** --config FILE; $SIGNPOST_CONFIG; else /etc/signpost/signpost.yaml. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file')
    .env('SIGNPOST_CONFIG')
    .default('/etc/signpost/signpost.yaml');
}

/** Options as commander hands them over, for commands that only need the config. */
export interface ConfigOptions {
  readonly config: string;
}

/** --json: one JSON value on standard output instead of words. */
export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}
