/** D1 Nobody can ask in someone else's name: what espoofer and others try, each told why in SMTP, none opened. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arcSeal, dkimSign, SIGNED } from '../../support/dkim.ts';
import { attachment } from '../../support/message.ts';
import { simplePdf } from '../../support/pdfs.ts';
import {
  canRun,
  type Envelope,
  JOHN,
  KEYS,
  MARY,
  mail,
  RELAY,
  type SendersWorld,
  SIGN_JOHN,
  SPF_COM,
  SPF_EVIL,
  SPF_FR,
  startSendersWorld,
} from './world.ts';

let world: SendersWorld;
beforeAll(async () => {
  if (canRun) world = await startSendersWorld();
});
afterAll(() => world?.stop());

const EVIL = 'boss@evil.example';
const MARIE = 'marie@company.fr';
const NOT_PROVEN =
  /^550 5\.7\.1 Only people of this company may ask.*nothing proves that this mail comes from company\.com/;
const NOT_SAID =
  /^550 5\.7\.1 Only people of this company may ask for signatures, and this connection has not said who/;
const why = (fault: string): RegExp =>
  new RegExp(`^550 5\\.7\\.1 Only people of this company(.|\\n)*nothing proves(.|\\n)*${fault}`);
const FROM_LINE = /^550 5\.6\.0 The From line of the mail can't be read without guessing/;
const MALFORMED = /^550 5\.6\.0 The mail is not well-formed/;
const NO_ADDRESS =
  /^550 5\.7\.1 Only people of this company may ask for signatures, and ".*" is no address of a mail domain/;
const TOMORROW = Math.floor(Date.now() / 1000) + 86_400;
const DAYS_AGO = Math.floor(Date.now() / 1000) - 3 * 86_400;

const edit = (message: Buffer, from: string | RegExp, to: string): Buffer =>
  Buffer.from(message.toString('latin1').replace(from, to), 'latin1');
const onTop = (message: Buffer, line: string): Buffer => Buffer.concat([Buffer.from(`${line}\r\n`), message]);
const byEvil =
  (from: string): (() => Buffer) =>
  () =>
    dkimSign(mail({ from }), KEYS.evil);
const without = (name: string): string =>
  SIGNED.split(':')
    .filter(other => other !== name)
    .join(':');

type Case = readonly [string, () => Buffer, RegExp, Envelope?];

const UNPROVEN: readonly Case[] = [
  ['nothing but a name', () => mail(), why('it has no DKIM signature of company.com')],
  [
    'Authentication-Results in our name',
    () =>
      mail({
        headers: [
          'Authentication-Results: mx.sign.company.com; dkim=pass header.d=company.com; dmarc=pass header.from=company.com',
        ],
      }),
    NOT_PROVEN,
  ],
  [
    'Authentication-Results of the company',
    () => mail({ headers: ['Authentication-Results: company.com; auth=pass smtp.auth=mary.smith'] }),
    NOT_PROVEN,
  ],
  ['a verdict of its own making', () => mail({ headers: ['X-Signpost-Verdict: eyJ2IjoxfQ.AAAA'] }), NOT_PROVEN],
  [
    'Received from the relay',
    () =>
      mail({
        headers: [
          'Received: from relay.company.com (relay.company.com [127.0.0.4]) (Authenticated sender: mary.smith) by mx.sign.company.com',
        ],
      }),
    NOT_PROVEN,
  ],
  ['the company in HELO', () => mail(), NOT_PROVEN, { helo: 'company.com' }],
  ['our own name in HELO', () => mail(), NOT_PROVEN, { helo: 'mx.sign.company.com' }],
  ['a Received-SPF of its own', () => mail({ headers: ['Received-SPF: pass client-ip=127.0.0.5'] }), NOT_PROVEN],
  ['the SPF address of the company, where DKIM is asked for', () => mail(), NOT_PROVEN, { client: SPF_COM }],
  [
    'an ARC-Authentication-Results without seal',
    () =>
      mail({ headers: ['ARC-Authentication-Results: i=1; mx.forwarder.example; dmarc=pass header.from=company.com'] }),
    NOT_PROVEN,
  ],
];

const ENVELOPE: readonly Case[] = [
  ['an outside envelope', () => mail(), NOT_SAID, { from: EVIL }],
  ['an outside envelope that passes SPF', byEvil(MARY), NOT_SAID, { from: EVIL, client: SPF_EVIL }],
  ['the company in the quoted local part', () => mail(), NOT_SAID, { from: '"mary.smith@company.com"@evil.example' }],
  ['the percent hack', () => mail(), NOT_SAID, { from: 'mary.smith%company.com@evil.example' }],
  ['a source route', () => mail(), NOT_SAID, { from: '@evil.example:mary.smith@company.com' }],
  ['a subdomain', () => mail(), NOT_SAID, { from: 'mary.smith@news.company.com' }],
  ['a longer domain', () => mail(), NOT_SAID, { from: 'mary.smith@company.com.evil.example' }],
  ['a domain that ends alike', () => mail(), NOT_SAID, { from: 'mary.smith@evil-company.com' }],
  ['our sign domain', () => mail(), NOT_SAID, { from: 'mary.smith@sign.company.com' }],
  ['an IDN look-alike', () => mail(), NOT_SAID, { from: 'mary.smith@сompany.com', parameters: 'SMTPUTF8' }],
  [
    'the null sender, with a good signature',
    () => dkimSign(mail(), KEYS.company),
    /^550 5\.7\.1 This address takes no automatic mail/,
    { from: '' },
  ],
  [
    'another person than the signed From',
    () => dkimSign(mail(), KEYS.company),
    /^550 5\.7\.1 The From line of the mail names somebody else/,
    { from: JOHN },
  ],
  [
    'nobody, with a good signature',
    () => dkimSign(mail({ from: 'ghost@company.com' }), KEYS.company),
    /^550 5\.7\.1 The sender address "ghost@company.com" belongs to nobody/,
    { from: 'ghost@company.com' },
  ],
  [
    'a person who is not their delegate',
    () => dkimSign(mail({ from: 'anna.muller@company.com' }), KEYS.company),
    /^550 5\.7\.1 The From line of the mail names somebody else/,
    { from: JOHN },
  ],
];

const FROM: readonly Case[] = [
  ['another domain, signed by it', byEvil(EVIL), NO_ADDRESS],
  ['the victim as display name', byEvil(`"${MARY}" <${EVIL}>`), NO_ADDRESS],
  [
    'the victim as an encoded display name',
    byEvil(`=?utf-8?b?${Buffer.from(MARY).toString('base64')}?= <${EVIL}>`),
    NO_ADDRESS,
  ],
  ['the victim as bare display name', byEvil(`${MARY} <${EVIL}>`), FROM_LINE],
  [
    'two fields, the victim first',
    () => dkimSign(mail({ from: EVIL, headers: [`From: ${MARY}`] }), KEYS.evil),
    /^550 5\.6\.0 .*two from lines/,
  ],
  [
    'two fields, the victim last',
    () => dkimSign(onTop(mail(), `From: ${EVIL}`), KEYS.evil),
    /^550 5\.6\.0 .*two from lines/,
  ],
  [
    'two fields, one signed by the company',
    () => onTop(dkimSign(mail(), KEYS.company), `From: ${JOHN}`),
    /^550 5\.6\.0 .*two from lines/,
  ],
  ['two addresses in <>', byEvil(`<${MARY}> <${EVIL}>`), FROM_LINE],
  ['a list', byEvil(`${MARY}, ${EVIL}`), FROM_LINE],
  [
    'a list of colleagues, signed by the company',
    () => dkimSign(mail({ from: `${MARY}, ${JOHN}` }), KEYS.company),
    /^550 5\.6\.0 The From line .* several people/,
  ],
  ['a group', byEvil(`Board: ${MARY};`), FROM_LINE],
  ['a route', byEvil(`<@evil.example:${MARY}>`), FROM_LINE],
  ['a comment with an address', byEvil(`${MARY} (${EVIL})`), FROM_LINE],
  ['a comment inside the address', byEvil('mary.smith(hi)@company.com'), FROM_LINE],
  ['two at signs', byEvil('mary.smith@company.com@evil.example'), FROM_LINE],
  ['a quoted local part', byEvil('"mary.smith"@company.com'), FROM_LINE],
  ['an encoded address', byEvil(`=?utf-8?q?${MARY.replace('@', '=40')}?=`), FROM_LINE],
  ['an address in angle brackets in a quoted name', byEvil(`"Mary <${MARY}>" ${EVIL}`), FROM_LINE],
  ['a backslash', byEvil(`mary.smith\\@company.com <${EVIL}>`), FROM_LINE],
  ['a domain literal', byEvil('mary.smith@[127.0.0.1]'), FROM_LINE],
  ['nothing', byEvil(''), FROM_LINE],
  ['an empty address', byEvil('Mary <>'), FROM_LINE],
  ['a zero-width letter in the domain', byEvil('mary.smith@com\u200bpany.com'), FROM_LINE],
  ['a field name with a space', () => edit(dkimSign(mail(), KEYS.evil), /^From:/m, 'From :'), NOT_PROVEN],
  ['a field name that is folded', () => edit(dkimSign(mail(), KEYS.evil), /^From: /m, 'From\r\n : '), MALFORMED],
  [
    'no From, only Sender',
    () => dkimSign(mail({ without: ['From'], headers: [`Sender: ${MARY}`] }), KEYS.company),
    MALFORMED,
  ],
  ['bytes that are not UTF-8', () => edit(mail({ from: `M_ry <${MARY}>` }), 'M_ry', 'M\xe4ry'), FROM_LINE],
  ['a subdomain, signed by it', () => dkimSign(mail({ from: 'mary.smith@news.company.com' }), KEYS.news), NO_ADDRESS],
  [
    'an IDN look-alike, signed by it',
    () => dkimSign(mail({ from: 'mary.smith@сompany.com' }), KEYS.lookalike),
    NO_ADDRESS,
  ],
  [
    'an IDN look-alike in A-labels',
    () => dkimSign(mail({ from: 'mary.smith@xn--ompany-hrf.com' }), KEYS.lookalike),
    NO_ADDRESS,
  ],
  ['a longer domain', byEvil('mary.smith@company.com.evil.example'), NO_ADDRESS],
  [
    'another in Sender than in the envelope',
    () => dkimSign(mail({ headers: [`Sender: ${JOHN}`] }), KEYS.company),
    /^550 5\.7\.1 The Sender line/,
  ],
  [
    'two Sender fields',
    () => dkimSign(mail({ headers: [`Sender: ${MARY}`, `Sender: ${JOHN}`] }), KEYS.company),
    /^550 5\.6\.0 .*two sender lines/,
  ],
  ['Resent-From', () => dkimSign(mail({ headers: [`Resent-From: ${MARY}`] }), KEYS.company), /^550 5\.6\.0 .*re-sent/],
];

const DKIM: readonly Case[] = [
  ['a stranger’s signature', byEvil(MARY), why('it has no DKIM signature of company.com')],
  ['a signature of a subdomain', () => dkimSign(mail(), KEYS.news), why('it has no DKIM signature of company.com')],
  [
    'a signature of the domain above',
    () => dkimSign(mail(), KEYS.evil, { tags: { d: 'com' } }),
    why('it has no DKIM signature of company.com'),
  ],
  [
    'our domain, another’s key',
    () => dkimSign(mail(), { ...KEYS.evil, domain: 'company.com' }),
    why('does not hold \\(bad signature\\)'),
  ],
  ['our domain, a key nobody published', () => dkimSign(mail(), KEYS.unknown), why('does not hold \\(no key\\)')],
  [
    'two d= tags, ours last',
    () =>
      dkimSign(edit(dkimSign(mail(), KEYS.evil), / d=evil\.example/, ' d=evil.example;\r\n d=company.com'), KEYS.evil),
    why('does not hold'),
  ],
  [
    'our domain with its selector elsewhere',
    () => dkimSign(mail(), { ...KEYS.evil, domain: 'company.com' }, { tags: { s: 's1._domainkey.evil.example' } }),
    why('does not hold \\(signature syntax error\\)'),
  ],
  [
    'a selector with a comment in it',
    () => dkimSign(mail(), { ...KEYS.evil, domain: 'company.com' }, { tags: { s: 's1._domainkey.evil.example.(' } }),
    why('does not hold'),
  ],
  [
    'i= of another domain',
    () => dkimSign(mail(), KEYS.company, { tags: { i: '@evil.example' } }),
    why('does not hold'),
  ],
  [
    'a changed subject',
    () => edit(dkimSign(mail(), KEYS.company), 'Subject: Contract', 'Subject: [standard] Contract'),
    why('bad signature'),
  ],
  [
    'another recipient in To',
    () => edit(dkimSign(mail(), KEYS.company), `To: ${SIGN_JOHN}`, 'To: anna.muller@sign.company.com'),
    why('bad signature'),
    { to: ['anna.muller@sign.company.com'] },
  ],
  [
    'another Message-ID',
    () => edit(dkimSign(mail(), KEYS.company), /Message-ID: <test/, 'Message-ID: <fresh'),
    why('bad signature'),
  ],
  [
    'another Date',
    () => edit(dkimSign(mail(), KEYS.company), /Date: .*\r\n/, 'Date: Mon, 1 Jan 2024 10:00:00 +0000\r\n'),
    why('bad signature'),
  ],
  [
    'another document',
    () => dkimSign(mail(), KEYS.company, { tags: { bh: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=' } }),
    why('body hash did not verify'),
  ],
  [
    'a changed body',
    () => edit(dkimSign(mail(), KEYS.company), 'Please sign this.', 'Please sign that.'),
    why('body hash did not verify'),
  ],
  [
    'a Cc that was added',
    () =>
      edit(dkimSign(mail(), KEYS.company, { h: without('cc') }), 'Subject:', 'Cc: anna.muller@company.com\r\nSubject:'),
    why('does not cover Cc'),
  ],
  [
    'a Cc that was added to a signed absence',
    () => edit(dkimSign(mail(), KEYS.company), 'Subject:', 'Cc: anna.muller@company.com\r\nSubject:'),
    why('bad signature'),
  ],
  [
    'a second To',
    () => onTop(dkimSign(mail(), KEYS.company), 'To: anna.muller@sign.company.com'),
    /^550 5\.6\.0 .*two to lines/,
  ],
  [
    'a second Subject',
    () => onTop(dkimSign(mail(), KEYS.company), 'Subject: [standard]'),
    /^550 5\.6\.0 .*two subject lines/,
  ],
  [
    'a second Content-Type',
    () => onTop(dkimSign(mail(), KEYS.company), 'Content-Type: multipart/mixed; boundary=evil'),
    /^550 5\.6\.0 .*two content-type lines/,
  ],
  [
    'a Content-Transfer-Encoding that was added',
    () => edit(dkimSign(mail(), KEYS.company), 'MIME-Version:', 'Content-Transfer-Encoding: 8bit\r\nMIME-Version:'),
    why('does not cover Content-Transfer-Encoding'),
  ],
  [
    'l= with a document behind it',
    () => appended(dkimSign(mail(), KEYS.company, { tags: { l: 300 } })),
    why('covers only a part of the mail'),
  ],
  [
    'l= over all of it',
    () => dkimSign(mail(), KEYS.company, { tags: { l: 100_000 } }),
    why('covers only a part of the mail'),
  ],
  ['l=0', () => dkimSign(mail(), KEYS.company, { tags: { l: 0 } }), why('covers only a part of the mail')],
  ...['from', 'to', 'subject', 'date', 'message-id', 'content-type'].map(
    (name): Case => [
      `h= without ${name}`,
      () => dkimSign(mail(), KEYS.company, { h: without(name) }),
      new RegExp(`does not cover ${name}`, 'i'),
    ],
  ),
  [
    'no subject, and h= without it',
    () => dkimSign(mail({ without: ['Subject'] }), KEYS.company, { h: without('subject') }),
    why('does not cover Subject'),
  ],
  ['no h=', () => dkimSign(mail(), KEYS.company, { tags: { h: null } }), why('does not cover From')],
  [
    'an expired one',
    () => dkimSign(mail(), KEYS.company, { tags: { t: DAYS_AGO - 60, x: DAYS_AGO } }),
    why('is older than'),
  ],
  [
    'one that expired a minute ago',
    () => dkimSign(mail(), KEYS.company, { tags: { t: null, x: Math.floor(Date.now() / 1000) - 60 } }),
    why('has expired'),
  ],
  [
    'one of three days ago',
    () => dkimSign(mail(), KEYS.company, { tags: { t: DAYS_AGO } }),
    why('is older than 24 hours'),
  ],
  [
    'one without time, of a mail of last year',
    () =>
      dkimSign(edit(mail(), /Date: .*\r\n/, 'Date: Mon, 24 Nov 2025 10:00:00 +0000\r\n'), KEYS.company, {
        tags: { t: null },
      }),
    why('is older than 24 hours'),
  ],
  ['one of tomorrow', () => dkimSign(mail(), KEYS.company, { tags: { t: TOMORROW } }), why('made in the future')],
  [
    'one whose time is no number',
    () => dkimSign(mail(), KEYS.company, { tags: { t: 'soon' } }),
    why('does not say when it was made'),
  ],
  ['a weak key (768 bits)', () => dkimSign(mail(), KEYS.weak), why('does not hold \\(weak-key\\)')],
  ['rsa-sha1', () => dkimSign(mail(), KEYS.company, { hash: 'sha1' }), why('does not hold')],
  ['no algorithm that we know', () => dkimSign(mail(), KEYS.company, { tags: { a: 'rsa-md5' } }), why('does not hold')],
  [
    'a key of another type',
    () => dkimSign(mail(), KEYS.company, { tags: { a: 'ed25519-sha256' } }),
    why('does not hold'),
  ],
  ['a revoked key', () => dkimSign(mail(), KEYS.revoked), why('does not hold')],
  ['a key on trial', () => dkimSign(mail(), KEYS.test), why('its key is marked as a test')],
  ['a key for another service', () => dkimSign(mail(), KEYS.telephone), why('key not for email')],
  ['v=2', () => dkimSign(mail(), KEYS.company, { tags: { v: 2 } }), why('incompatible version')],
  [
    'an empty signature',
    () => edit(dkimSign(mail(), KEYS.company), /\r\n b=.*\r\n/, '\r\n b=\r\n'),
    why('does not hold'),
  ],
  [
    'eleven signatures',
    () => mail({ headers: Array.from({ length: 11 }, (_, n) => `DKIM-Signature: v=1; d=company.com; s=x${n}`) }),
    /^550 5\.6\.0 .*more than 10 DKIM signatures/,
  ],
  ['a mail to somebody else', () => dkimSign(mail({ to: JOHN }), KEYS.company), /^550 5\.1\.3 Nobody in the To line/],
  [
    'a mail to a colleague, sent on to another signatory',
    () => dkimSign(mail(), KEYS.company),
    /^550 5\.7\.1 Bcc can't be used here/,
    { to: [SIGN_JOHN, 'anna.muller@sign.company.com'] },
  ],
  [
    'a mail through a list',
    () => dkimSign(mail({ headers: ['List-Id: <all.company.com>'] }), KEYS.company),
    /^550 5\.7\.1 Automatic and list mail/,
  ],
  [
    'a domain without DMARC record',
    () => dkimSign(mail({ from: 'marie@company.de' }), KEYS.noDmarc),
    why('company\\.de has no DMARC record'),
    { from: 'marie@company.de' },
  ],
];

const SPF: readonly Case[] = [
  [
    'another server than in the record',
    () => mail({ from: MARIE }),
    why('SPF record of company\\.fr does not name the server'),
    { from: MARIE },
  ],
  [
    'the server of another company',
    () => mail({ from: MARIE }),
    why('SPF record of company\\.fr'),
    { from: MARIE, client: SPF_EVIL, helo: 'evil.example' },
  ],
  [
    'the envelope of another of our domains',
    () => mail({ from: MARIE }),
    why('no DKIM signature of company\\.fr'),
    { from: MARY, client: SPF_COM },
  ],
  ['the right server, for a From of another domain', () => mail(), NOT_PROVEN, { from: MARIE, client: SPF_FR }],
  ['the right server, with an outside envelope', () => mail({ from: MARIE }), NOT_SAID, { from: EVIL, client: SPF_FR }],
];

const own = (): Buffer => edit(dkimSign(mail(), KEYS.company), 'Subject: ', 'Subject: Fwd: ');
const ARC: readonly Case[] = [
  ['a sealer that nobody configured', () => arcSeal(own(), KEYS.evil), why('ARC seal is not trusted here')],
  [
    'a configured sealer’s name, another’s key',
    () => arcSeal(own(), { ...KEYS.evil, domain: 'forwarder.example', selector: 'arc' }),
    why('ARC chain does not hold'),
  ],
  ['cv=fail', () => arcSeal(own(), KEYS.forwarder, { cv: 'fail' }), why('ARC chain (is broken|does not hold)')],
  [
    'cv=pass at the first hop',
    () => arcSeal(own(), KEYS.forwarder, { cv: 'pass' }),
    why('ARC chain (is broken|does not hold)'),
  ],
  [
    'changed after the seal',
    () => edit(arcSeal(own(), KEYS.forwarder), 'Subject: Fwd: ', 'Subject: Re: '),
    why('ARC chain does not hold'),
  ],
  [
    'a document changed after the seal',
    () => edit(arcSeal(own(), KEYS.forwarder), 'Please sign this.', 'Please sign that.'),
    why('ARC chain does not hold'),
  ],
  [
    'a forwarder that saw DMARC fail',
    () => arcSeal(own(), KEYS.forwarder, { saw: 'dkim=pass header.d=company.com; dmarc=fail header.from=company.com' }),
    why('did not see a mail'),
  ],
  [
    'a forwarder that saw DMARC pass for another',
    () =>
      arcSeal(own(), KEYS.forwarder, { saw: 'dkim=pass header.d=evil.example; dmarc=pass header.from=evil.example' }),
    why('did not see a mail'),
  ],
  [
    'a forwarder that saw SPF alone',
    () =>
      arcSeal(own(), KEYS.forwarder, {
        saw: 'spf=pass smtp.mailfrom=mary.smith@company.com; dmarc=pass header.from=company.com',
      }),
    why('did not see a mail'),
  ],
  [
    'a pass in a comment',
    () =>
      arcSeal(own(), KEYS.forwarder, {
        saw: 'dkim=fail (dkim=pass header.d=company.com; dmarc=pass header.from=company.com) header.d=company.com',
      }),
    why('did not see a mail'),
  ],
  [
    'a pass in a quoted string',
    () =>
      arcSeal(own(), KEYS.forwarder, {
        saw: 'spf=fail smtp.mailfrom="x; dmarc=pass header.from=company.com; dkim=pass header.d=company.com"',
      }),
    why('did not see a mail'),
  ],
  [
    'two DMARC results',
    () =>
      arcSeal(own(), KEYS.forwarder, {
        saw: 'dmarc=fail header.from=company.com; dkim=pass header.d=company.com; dmarc=pass header.from=company.com',
      }),
    why('did not see a mail'),
  ],
  [
    'results changed after the seal',
    () =>
      edit(
        arcSeal(own(), KEYS.forwarder, { saw: 'dkim=pass header.d=company.com; dmarc=fail header.from=company.com' }),
        'dmarc=fail',
        'dmarc=pass',
      ),
    why('ARC chain does not hold'),
  ],
  [
    'a stranger’s hop before the configured one',
    () => arcSeal(arcSeal(own(), KEYS.evil), KEYS.forwarder, { instance: 2 }),
    why('ARC seal is not trusted here'),
  ],
  [
    'a stranger’s hop behind the configured one',
    () => arcSeal(arcSeal(own(), KEYS.forwarder), KEYS.evil, { instance: 2 }),
    why('ARC seal is not trusted here'),
  ],
  ['a first hop that is missing', () => arcSeal(own(), KEYS.forwarder, { instance: 2 }), why('ARC chain is broken')],
  [
    'a set without its signature',
    () => edit(arcSeal(own(), KEYS.forwarder), /ARC-Message-Signature:(.*\r\n[ \t])*.*\r\n/, ''),
    why('ARC signature is missing'),
  ],
  [
    'a set twice',
    () =>
      onTop(
        arcSeal(own(), KEYS.forwarder),
        'ARC-Authentication-Results: i=1; mx.forwarder.example; dmarc=pass header.from=company.com',
      ),
    why('ARC chain is broken'),
  ],
  [
    'l= in the forwarder’s signature',
    () => arcSeal(own(), KEYS.forwarder, { tags: { l: 10 } }),
    why('ARC signature covers only a part'),
  ],
  [
    'a forwarder’s signature without To',
    () => arcSeal(own(), KEYS.forwarder, { h: without('to') }),
    why('ARC signature does not cover To'),
  ],
  [
    'a forwarder’s signature of three days ago',
    () => arcSeal(own(), KEYS.forwarder, { tags: { t: DAYS_AGO } }),
    why('ARC signature is older'),
  ],
];

const SESSION: readonly Case[] = [
  ['a login with another’s From', () => mail({ from: JOHN }), /^550 5\.7\.1 The From line/, { login: MARY }],
  [
    'a login with another’s envelope',
    () => mail({ from: JOHN }),
    /^550 5\.7\.1 You are logged in as somebody else/,
    { login: MARY, from: JOHN },
  ],
  [
    'a login with another’s From, signed by the company',
    () => dkimSign(mail({ from: JOHN }), KEYS.company),
    /^550 5\.7\.1 The From line/,
    { login: MARY },
  ],
  [
    'a login in the name of who made somebody else their delegate',
    () => mail({ from: 'anna.muller@company.com' }),
    /^550 5\.7\.1 The From line/,
    { login: 'jd@company.com', from: JOHN },
  ],
  [
    'the one for whom a delegate writes, in the delegate’s name',
    () => mail(),
    /^550 5\.7\.1 You are logged in as somebody else/,
    { login: 'ANNA.MULLER@COMPANY.COM' },
  ],
  [
    'a relay with another From than the envelope',
    () => mail({ from: JOHN }),
    /^550 5\.7\.1 The From line/,
    { client: RELAY },
  ],
  [
    'a relay with another address of the same person',
    () => mail({ from: 'jd@company.com' }),
    /^550 5\.7\.1 The From line of the mail is another address than the one it is sent with/,
    { client: RELAY, from: JOHN },
  ],
  ['a relay with an outside envelope', () => mail(), /^550 5\.7\.1 The sender address/, { client: RELAY, from: EVIL }],
  ['a relay’s neighbour', () => mail(), NOT_PROVEN, { client: '127.0.0.3' }],
  ['a certificate of the right name by an unknown issuer', () => mail(), NOT_PROVEN, { certificate: 'fake' }],
  ['a certificate of another name by the right issuer', () => mail(), NOT_PROVEN, { certificate: 'printer' }],
  [
    'a relay by certificate with another From',
    () => mail({ from: JOHN }),
    /^550 5\.7\.1 The From line/,
    { certificate: 'relay' },
  ],
];

const UNAVAILABLE = /^451 4\.7\.0 Who sent this mail can not be found out at the moment/;
const FAULTS: readonly Case[] = [
  ['the key, SERVFAIL', () => dkimSign(mail(), KEYS.servfail), UNAVAILABLE],
  ['the key, no answer', () => dkimSign(mail(), KEYS.silent), UNAVAILABLE],
  [
    'the DMARC record',
    () => dkimSign(mail({ from: 'marie@company.lu' }), KEYS.brokenDmarc),
    UNAVAILABLE,
    { from: 'marie@company.lu' },
  ],
  ['an SPF include', () => mail({ from: 'marie@company.lu' }), UNAVAILABLE, { from: 'marie@company.lu' }],
  ['the forwarder’s key', () => arcSeal(own(), KEYS.deadForwarder), UNAVAILABLE],
];

/** The mail as it was signed so far, with one more document at its end. */
function appended(message: Buffer): Buffer {
  const { headers, body } = attachment(simplePdf({ text: 'Another contract' }), 'other.pdf');
  const part = `--test-boundary-1\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n--test-boundary-1--\r\n`;
  return edit(message, /--test-boundary-1--\r\n$/, part);
}

const ALL: Readonly<Record<string, readonly Case[]>> = {
  'no proof': UNPROVEN,
  envelope: ENVELOPE,
  From: FROM,
  DKIM,
  SPF,
  ARC,
  session: SESSION,
  'DNS fault, which is temporary': FAULTS,
};

describe.skipIf(!canRun)('D1 opens nothing, and is told why', () => {
  for (const [kind, cases] of Object.entries(ALL)) {
    for (const [what, message, says, envelope] of cases) {
      test(`D1 ${kind}: ${what}`, async () => {
        await world.refused(message(), says, envelope);
      });
    }
  }

  test('D1 a mail put off by a DNS fault gets through when DNS is back', async () => {
    const message = dkimSign(mail(), KEYS.servfail);
    const { zone } = world.dns;
    await world.refused(message, UNAVAILABLE);
    const entry = zone.get(KEYS.servfail.name)!;
    zone.set(KEYS.servfail.name, { TXT: [KEYS.servfail.record] });
    await world.opened(message);
    zone.set(KEYS.servfail.name, entry);
  });

  test('D1 a copy of a mail that was taken opens no second request, whatever was added that is not signed', async () => {
    const message = dkimSign(mail(), KEYS.company);
    const request = await world.opened(message);
    const count = (await world.requests()).length;
    for (const line of ['References: <other@company.com>', 'In-Reply-To: <other@company.com>', `Sender: ${MARY}`]) {
      expect((await world.deliver(onTop(message, line))).final.code).toBe(250);
    }
    const log = (): string => world.company.site.postfix!.log();
    const again = (): number => log().split(`request ${request.id} was opened before`).length - 1;
    for (let tries = 0; again() < 3; tries += 1) {
      expect(tries, log().split('\n').slice(-10).join('\n')).toBeLessThan(200);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    expect((await world.requests()).length).toBe(count);
  });

  test('D1 strangers learn nothing about who exists, before or after', async () => {
    const replies = async (to: string, from: string): Promise<string[]> => {
      const { recipients, final } = await world.deliver(mail({ to, from }), { to: [to], from });
      return [...recipients, final].map(({ code, text }) => `${code} ${text}`);
    };
    const known = await replies(SIGN_JOHN, MARY);
    expect(known[0]).toMatch(/^250 /);
    expect(await replies('nobody@sign.company.com', MARY)).toEqual(known);
    expect(await replies(SIGN_JOHN, 'nobody@company.com')).toEqual(known);
  });

  test('D1 no stranger’s name server is ever asked', () => {
    expect(world.dns.asked.some(question => question.includes('evil.example'))).toBe(false);
    expect(world.dns.asked.some(question => question.includes('company.com'))).toBe(true);
  });

  test('D1 nothing was opened but by the two tests that say so', async () => {
    expect(await world.requests()).toHaveLength(2);
  });
});
