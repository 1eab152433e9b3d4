/** `signpost evidence verify|export`: the log of everything that happened, and what proves one request. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { exportEvidence } from '../evidence/export.ts';
import { keptTokens, stampHead } from '../evidence/head.ts';
import { sentenceOf, verifyLog } from '../evidence/verify.ts';
import { openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { parseCertificate } from '../pki/x509.ts';
import { outsideAnchors } from '../signatures/verify/gateway-trust.ts';
import { type ConfigOptions, configOption, jsonOption } from './options.ts';
import { say } from './say.ts';

interface VerifyOptions extends ConfigOptions {
  readonly json?: boolean;
  readonly heads?: string;
}

export function evidenceCommand(): Command {
  const evidence = new Command('evidence').description('the log of everything that happened, and proof of one request');
  evidence
    .command('verify')
    .description('walk all of the log and say how far it is proven; status 1 when it was tampered with')
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--heads <folder>', "a copy of the state folder's evidence/ that was kept elsewhere")
    .action(async (options: VerifyOptions) => {
      const config = loadConfig(options.config);
      const core = await openCore(config, { logger: createLogger('error') });
      try {
        const anchors = [...core.pki.anchors, ...outsideAnchors(config)].map(parseCertificate);
        const kept = await keptTokens(core.heads.folder);
        if (options.heads !== undefined) {
          const copies = await keptTokens(options.heads);
          if (copies.length === 0) throw new Error(`${options.heads} holds no timestamps (*.tst)`);
          kept.push(...copies);
        }
        const report = verifyLog(core.store.evidence.rows(), { anchors, kept, now: new Date() });
        if (options.json) console.log(JSON.stringify(report, null, 2));
        else say(sentenceOf(report));
        if (report.fault !== null) process.exitCode = 1;
      } finally {
        await core.close();
      }
    });
  evidence
    .command('export')
    .description('write out what proves a request, with a text that says how to check it with OpenSSL alone')
    .argument('<request>', 'request number')
    .addOption(configOption())
    .requiredOption('--out <zip>', 'the file to write; it must not be there yet')
    .action(async (id: string, options: ConfigOptions & { readonly out: string }) => {
      const config = loadConfig(options.config);
      const core = await openCore(config, { logger: createLogger('error') });
      try {
        const request = await core.requests.find(id.toUpperCase());
        if (request === null) throw new Error(`there is no request ${id}`);
        // So that its newest entry is under a timestamp, too.
        await stampHead(core.heads);
        const zip = await exportEvidence(
          {
            blobs: core.store.blobs,
            log: core.store.evidence,
            worker: core.worker,
            pki: core.pki,
            timestampAnchors: outsideAnchors(config),
            readEvidence: session => core.requests.readEvidence(session),
            company: config.company.name,
            now: () => new Date(),
          },
          request,
        );
        writeFileSync(options.out, zip, { flag: 'wx', mode: 0o600 });
        say(`${options.out}: evidence of ${request.id}; README.txt in it says how to check it.`);
      } finally {
        await core.close();
      }
    });
  return evidence;
}
