export { type Sink, type SunkMail, startSink } from '../../src/tryout/mailboxes.ts';
