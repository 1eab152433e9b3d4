/** Takes a signed PDF apart with other tools than ours: the ByteRanges in its text, openssl, qpdf, pdfsig. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readChildren, readDer } from '../../../src/client/der.ts';
import { run } from '../../support/tools.ts';

export interface Found {
  /** Length of the revision that this signature ends. */
  readonly end: number;
  readonly cms: Uint8Array;
  /** What the ByteRange covers. */
  readonly covered: Uint8Array;
}

/** Every signature, oldest first; fails when a ByteRange does not cover all of its revision but one hex string. */
export function findSignatures(pdf: Uint8Array): Found[] {
  const text = Buffer.from(pdf).toString('latin1');
  return [...text.matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]/g)].map(match => {
    const [start, first, second, rest] = match.slice(1).map(Number) as [number, number, number, number];
    const gap = text.slice(first, second);
    if (start !== 0 || !/^<[0-9A-F]+>$/.test(gap) || text.slice(first - 10, first) !== '/Contents ') {
      throw new Error('a ByteRange whose gap is not Contents');
    }
    const contents = Buffer.from(gap.slice(1, -1), 'hex');
    const header = contents[1]! & 0x7f;
    const length = contents.readUIntBE(2, header) + 2 + header;
    if (contents.subarray(length).some(octet => octet !== 0)) throw new Error('something after the CMS');
    return {
      end: second + rest,
      cms: contents.subarray(0, length),
      covered: Buffer.concat([pdf.subarray(0, first), pdf.subarray(second, second + rest)]),
    };
  });
}

/** The signature value and the signature-time-stamp of a CMS with one signer (RFC 5652 §5.3). */
export function takeApart(cms: Uint8Array): { readonly value: Uint8Array; readonly token: Uint8Array } {
  const signedData = readChildren(readChildren(readChildren(readDer(cms))[1]!)[0]!);
  const signers = readChildren(signedData.at(-1)!);
  if (signers.length !== 1) throw new Error('not one signer');
  const fields = readChildren(signers[0]!);
  const unsigned = readChildren(fields.at(-1)!);
  if (fields.at(-1)!.tag !== 0xa1 || unsigned.length !== 1) throw new Error('not one unsigned attribute');
  const [, values] = readChildren(unsigned[0]!);
  return { value: fields.at(-2)!.content, token: readChildren(values!)[0]!.bytes };
}

/** A folder for the time of one call, and files in it. */
export function withFiles<T>(files: Readonly<Record<string, Uint8Array | string>>, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-pades-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** What pdfsig says, with NSS trusting `trust`. Leaves this process free to answer the OCSP requests of NSS. */
export async function pdfsig(pdf: Uint8Array, trust: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'signpost-pades-'));
  try {
    const file = join(folder, 'signed.pdf');
    writeFileSync(file, pdf);
    writeFileSync(join(folder, 'trust.pem'), trust);
    const nss = `sql:${folder}`;
    run('certutil', ['-N', '-d', nss, '--empty-password']);
    run('certutil', ['-A', '-d', nss, '-n', 'company', '-t', 'CT,C,C', '-i', join(folder, 'trust.pem')]);
    const { stdout } = await promisify(execFile)('pdfsig', ['-nssdir', nss, file]);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function opensslCms({ cms, covered }: Found, trust: string): { status: number; output: string } {
  return withFiles({ 'cms.der': cms, content: covered, 'trust.pem': trust }, folder =>
    run('openssl', [
      ...['cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', join(folder, 'cms.der')],
      ...['-content', join(folder, 'content'), '-CAfile', join(folder, 'trust.pem'), '-out', '/dev/null'],
    ]),
  );
}

export function opensslTs(token: Uint8Array, data: Uint8Array, trust: string): { status: number; output: string } {
  return withFiles({ 'token.der': token, data, 'trust.pem': trust }, folder =>
    run('openssl', [
      ...['ts', '-verify', '-in', join(folder, 'token.der'), '-token_in', '-data', join(folder, 'data')],
      ...['-CAfile', join(folder, 'trust.pem')],
    ]),
  );
}

export function qpdfCheck(pdf: Uint8Array): { status: number; output: string } {
  return withFiles({ 'signed.pdf': pdf }, folder => run('qpdf', ['--check', join(folder, 'signed.pdf')]));
}

/** A PDF value as qpdf writes it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export interface JsonObject {
  readonly value?: Json;
  readonly stream?: { readonly dict: Json; readonly data: string };
}
export type Objects = Readonly<Record<string, JsonObject>>;

/** Every object of a revision by `obj:N 0 R`, and the trailer. */
export function qpdfObjects(pdf: Uint8Array): Objects {
  return withFiles({ 'revision.pdf': pdf }, folder => {
    const { output } = run('qpdf', [
      ...['--json=2', '--json-stream-data=inline', '--decode-level=none', '--json-key=qpdf'],
      join(folder, 'revision.pdf'),
    ]);
    const parsed = JSON.parse(output) as { readonly qpdf: readonly [unknown, Objects] };
    return parsed.qpdf[1];
  });
}
