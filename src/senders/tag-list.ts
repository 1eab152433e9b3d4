/**
 * The tags of a DKIM-Signature or an ARC field (RFC 6376 §3.2). A plain reading: mailauth's strict mode refuses whatever
 * is not well-formed or stands there twice, so for a signature that verifies there is only this one.
 */
import { domainToASCII } from 'node:url';
import { unfold } from '../intake/raw-message.ts';

export type Tags = ReadonlyMap<string, string>;

export function tagsOf(value: Buffer): Tags {
  const tags = new Map<string, string>();
  for (const tag of unfold(value).split(';')) {
    const equals = tag.indexOf('=');
    if (equals > 0) tags.set(tag.slice(0, equals).trim(), tag.slice(equals + 1).trim());
  }
  return tags;
}

/** The signing domain (d=) in normal form; '' when there is none. */
export function domainOf(tags: Tags): string {
  return normalDomain(tags.get('d') ?? '');
}

/** A domain in lower case and A-labels (RFC 5890); '' for what is none. */
export function normalDomain(domain: string): string {
  return domainToASCII(domain.toLowerCase());
}
