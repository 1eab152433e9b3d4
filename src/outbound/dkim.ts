/**
 * DKIM signatures of our own mail (RFC 6376), so that receivers believe it is ours. Made when a mail is composed: what lies
 * in the outbox is final, and a resend is the same bytes. The selector is named after the key, so that a new key never
 * stands under an old name (RFC 6376 §3.1).
 */
import { createHash, type KeyObject } from 'node:crypto';
import { dkimSign } from 'mailauth';
import { inSlices } from '../senders/in-slices.ts';

/** A DNS record that receivers look up. */
export interface DkimRecord {
  readonly selector: string;
  /** selector._domainkey.domain */
  readonly name: string;
  /** The TXT record (RFC 6376 §3.6.1). */
  readonly text: string;
  /** The same as a line of a zone file: a string there has at most 255 bytes. */
  readonly zoneLine: string;
}

export interface MailSigner {
  readonly record: DkimRecord;
  /** The mail with its signature on top. The same bytes and date give the same signature. */
  sign(mail: Buffer, date: Date): Promise<Buffer>;
}

const FIELDS = [
  ...['From', 'Reply-To', 'To', 'Subject', 'Date', 'Message-ID', 'In-Reply-To', 'References'],
  ...['MIME-Version', 'Content-Type', 'Content-Transfer-Encoding'],
  ...['Auto-Submitted', 'Signpost-Request', 'Signpost-Status'],
];

export function dkimRecord(publicKey: KeyObject, domain: string): DkimRecord {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const selector = `signpost-${createHash('sha256').update(der).digest('hex').slice(0, 8)}`;
  const name = `${selector}._domainkey.${domain}`;
  const text = `v=DKIM1; k=rsa; h=sha256; s=email; p=${der.toString('base64')}`;
  const strings = text.match(/.{1,250}/g)!.map(part => `"${part}"`);
  return { selector, name, text, zoneLine: `${name}. IN TXT ( ${strings.join(' ')} )` };
}

/**
 * @param privateKey RSA
 * @param domain of our From address
 */
export function createMailSigner(privateKey: KeyObject, publicKey: KeyObject, domain: string): MailSigner {
  const record = dkimRecord(publicKey, domain);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const signature = { signingDomain: domain, selector: record.selector, privateKey: pem };
  return {
    record,
    async sign(mail, date) {
      const { signatures, errors } = await dkimSign(inSlices(mail), {
        // The declaration wants it here, the code there.
        ...signature,
        signatureData: [signature],
        algorithm: 'rsa-sha256',
        canonicalization: 'relaxed/relaxed',
        headerList: FIELDS,
        signTime: date,
        strict: true,
      });
      const [error] = errors ?? [];
      if (error || signatures === '') throw new Error('a mail could not be signed (DKIM)', { cause: error?.err });
      return Buffer.concat([Buffer.from(signatures), mail]);
    },
  };
}
