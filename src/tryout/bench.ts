/**
 * `npm run bench -- sign`: what one signing revision costs (preparing and completing it, without network), against the
 * least that any signature of the same octets costs: one SHA-256 and one P-256 signature.
 */
import { createHash, randomBytes, sign } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { printTable } from '../commands/table.ts';
import type { CertifiedMark } from '../documents/documents.ts';
import { putContents } from '../documents/increment.ts';
import { createDocuments } from '../documents/pipeline.ts';
import type { TimestampAuthority } from '../pki/pki.ts';
import { buildCms } from '../signatures/cms.ts';
import { verifySignature } from '../signatures/verify.ts';
import { pdfOfSize } from './sample.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

const program = new Command('bench').description('measures what this machine needs for a signature');
program
  .command('sign')
  .description('one signing revision on 1 and 5 MB against SHA-256 and one P-256 signature of the same octets')
  .option('--rounds <number>', 'how often each is measured', rounds, 60)
  .action(benchSign);
await program.parseAsync();

function rounds(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Write a number of rounds.');
  return number;
}

async function benchSign(options: { readonly rounds: number }): Promise<void> {
  const bench = await openWorkbench();
  try {
    for (const megabytes of [1, 5]) await benchSize(bench, megabytes, options.rounds);
    console.log('Medians of interleaved rounds, in milliseconds. The aim is at most 5 times the least.');
  } finally {
    await bench.close();
  }
}

async function benchSize(bench: Workbench, megabytes: number, count: number): Promise<void> {
  const { core, device } = bench;
  const { timestamps } = core.pki;
  const pdf = await pdfOfSize(megabytes * 1_000_000, randomBytes);
  const { bytes: head, layout } = await core.documents.prepare(pdf, bench.plan('advanced'));
  const mark: CertifiedMark = bench.mark();
  const issuers = core.pki.ca.issuersOf(device.certificate);
  const signer = { certificate: device.certificate, issuers, algorithm: 'ecdsa-p256-sha256' as const };

  // A token that was made before stands in for the authority, to see the engine alone.
  const made = await timestamps.stamp(createHash('sha256').update('before').digest());
  const canned: TimestampAuthority = { stamp: async () => made };
  const company = core.config.company;
  const without = createDocuments({
    worker: core.worker,
    pki: { seal: core.pki.seal, timestamps: canned, validationData: one => core.pki.validationData(one) },
    company,
  });
  const prepared = await core.documents.prepareSignature(head, layout, mark);
  const signature = device.sign(prepared.signedAttributes);
  const cms = () =>
    buildCms({ ...signer, signature, signedAttributes: prepared.signedAttributes, timestamp: made.token });
  const der = cms();

  const whole = async (documents: typeof without) => {
    const one = await documents.prepareSignature(head, layout, mark);
    await documents.completeSignature(one, { ...signer, signature: device.sign(one.signedAttributes) });
  };
  // Hashes once, then signs the digest.
  const least = () => sign('sha256', head, device.key);
  const medians = await measure(count, {
    'SHA-256 and one P-256 signature of the same octets': least,
    'one signing revision, without timestamp': () => whole(without),
    'one signing revision, embedded timestamp authority': () => whole(core.documents),
    'prepare: increment, digest, attributes': () => without.prepareSignature(head, layout, mark),
    'sign: one P-256 signature by the device': () => device.sign(prepared.signedAttributes),
    'verify the signature': () =>
      verifySignature(prepared.signedAttributes, signature, signer.algorithm, signer.certificate),
    'timestamp: embedded authority': () => timestamps.stamp(createHash('sha256').update(signature).digest()),
    'CMS as DER': cms,
    'put it into the file': () => putContents(prepared.bytes, prepared.byteRange, der),
  });
  report(megabytes, head.length, medians);
}

type Work = () => unknown;

/** Each once a round, so that all meet the same machine. @returns medians in milliseconds */
async function measure(count: number, works: Readonly<Record<string, Work>>): Promise<ReadonlyMap<string, number>> {
  const samples = new Map<string, number[]>(Object.keys(works).map(name => [name, []]));
  const warmUp = Math.min(10, count);
  for (let round = -warmUp; round < count; round++) {
    for (const [name, work] of Object.entries(works)) {
      const start = process.hrtime.bigint();
      await work();
      if (round >= 0) samples.get(name)!.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  return new Map([...samples].map(([name, list]) => [name, list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!]));
}

function report(megabytes: number, length: number, medians: ReadonlyMap<string, number>): void {
  const [[, least], , [, withTimestamp], ...steps] = [...medians] as [
    [string, number],
    [string, number],
    [string, number],
    ...[string, number][],
  ];
  console.log(`${megabytes} MB (${length} octets)`);
  const row = (name: string, milliseconds: number, note: string) => [
    `  ${name}`,
    milliseconds.toFixed(3).padStart(8),
    note,
  ];
  const ratio = (milliseconds: number) => `${(milliseconds / least).toFixed(2)} ×`;
  printTable(
    ['  WHAT', '      MS', 'AGAINST THE LEAST'],
    [...medians].slice(0, 3).map(([name, milliseconds]) => row(name, milliseconds, ratio(milliseconds))),
  );
  console.log('');
  printTable(
    ['  STEP', '      MS', 'SHARE'],
    steps.map(([name, ms]) => row(name, ms, `${Math.round((100 * ms) / withTimestamp)} %`)),
  );
  console.log('');
}
