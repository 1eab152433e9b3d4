/** A sender of its own, to be killed: node sender-process.ts FOLDER PORT TIME */
import pino from 'pino';
import { startSender } from '../../../src/outbound/sender.ts';
import { openStore } from './outbox.ts';

const [folder, port, time] = process.argv.slice(2);
const store = await openStore(folder!);
startSender({
  outbox: store.outbox,
  blobs: store.blobs,
  smtp: { host: '127.0.0.1', port: Number(port) },
  now: () => new Date(time!),
  logger: pino({ level: 'silent' }),
});
