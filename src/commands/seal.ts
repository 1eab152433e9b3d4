/** `signpost seal FILE…`: the company's seal and a timestamp, on the gateway's host, without a signatory. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { sha256 } from '../evidence/entry.ts';
import { type Core, openCore } from '../gateway/core.ts';
import { createLogger } from '../gateway/logger.ts';
import { newRequestId } from '../requests/ids.ts';
import { signFile } from '../signatures/files.ts';
import { noteAdminAct } from './admin-act.ts';
import { type ConfigOptions, configOption } from './options.ts';
import { plain } from './say.ts';
import { explain, type FileOptions, type FileToSign, readFiles, writeResult } from './signed-files.ts';

export function sealCommand(): Command {
  return new Command('seal')
    .description("seal files with the company's key: PDF inside, XML inside, anything else in a .p7m around it")
    .argument('<file...>', 'files to seal')
    .addOption(configOption())
    .option('--out <folder>', 'where the sealed files go; beside each file when missing')
    .option('--detached', 'leave the files alone: seals in .p7s files beside them')
    .action(seal);
}

async function seal(paths: readonly string[], options: ConfigOptions & FileOptions): Promise<void> {
  const config = loadConfig(options.config);
  const files = await readFiles(paths, 'sealed', options);
  const core = await openCore(config, { logger: createLogger('error') });
  try {
    for (const file of files) {
      try {
        await noteAdminAct(core, 'seal', {}, { file: sha256(file.bytes) });
        await writeResult(file, await sealed(core, file));
      } catch (error) {
        // The others are still worth sealing.
        if (!(error instanceof Error)) throw error;
        console.error(plain(`signpost: ${file.path}: ${error.message}`));
        process.exitCode = 1;
      }
    }
    explain(files);
  } finally {
    await core.close();
  }
}

/** @throws DocumentRefused; XmlRefused; TimestampUnavailable */
async function sealed({ config, documents, pki, worker }: Core, { bytes, form }: FileToSign): Promise<Uint8Array> {
  const date = new Date();
  if (form === 'pades') {
    const { company, language } = config;
    const prepared = await documents.prepare(bytes, {
      company,
      requestId: newRequestId(randomBytes),
      signatories: [],
      marks: { signaturePage: false, paraphs: false, watermark: false },
      language,
      date,
    });
    return documents.close(prepared.bytes, prepared.layout, date);
  }
  const { key, certificate, issuers } = pki.seal;
  const signer = { certificate, issuers, algorithm: key.algorithm, sign: (data: Uint8Array) => key.sign(data) };
  const { timestamps } = pki;
  return signFile({ bytes, form }, signer, { readXml: xml => worker.xmlToSign(xml), timestamps, signingTime: date });
}
