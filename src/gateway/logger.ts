/** The log: JSON lines, or words on a terminal. */
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export function createLogger(level: string): Logger {
  return process.stdout.isTTY ? pino({ level }, pretty({ colorize: true, ignore: 'pid,hostname' })) : pino({ level });
}
