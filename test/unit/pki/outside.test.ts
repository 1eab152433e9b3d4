/** Asking outside authorities about their own certificates: OpenSSL is the authority; and where nobody may be sent to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fetchOutside, isPublic, NotFetched } from '../../../src/pki/outside/fetch.ts';
import { OutsideRevocation, type StatusAnswer } from '../../../src/pki/outside/revocation.ts';
import { statusUrls } from '../../../src/pki/outside/urls.ts';
import { type Certificate, fromPem, parseCertificate } from '../../../src/pki/x509.ts';
import { statementsAbout } from '../../../src/signatures/verify/statements.ts';
import { freePort } from '../../../src/tryout/ports.ts';
import { has } from '../../support/tools.ts';
import { load, make, silent, Workspace } from './support.ts';

describe('fetchOutside', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '2002:7f00:1::',
    '64:ff9b::7f00:1',
    'not an address',
  ])('%s is not public', address => expect(isPublic(address)).toBe(false));

  test.each(['9.9.9.9', '172.32.0.1', '2620:fe::fe', '::ffff:9.9.9.9'])('%s is public', address =>
    expect(isPublic(address)).toBe(true),
  );

  let server: Server | null = null;
  afterEach(() => server?.close());
  async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    server = createServer(handler);
    await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test.each(['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]'])(
    'an address that is %s is not asked',
    async host => {
      let asked = 0;
      const place = await serve((_, response) => {
        asked += 1;
        response.end('inner secret');
      });
      const url = `http://${host}:${place.split(':')[1]}/`;
      await expect(fetchOutside(url, { allowPrivate: false })).rejects.toThrow(NotFetched);
      expect(asked).toBe(0);
    },
  );

  test('where inner addresses are allowed, the answer comes; a POST carries its body', async () => {
    const place = await serve((request, response) => {
      response.write(`${request.method} ${request.headers['content-type'] ?? '-'} `);
      request.pipe(response);
    });
    const body = { type: 'application/ocsp-request', bytes: Buffer.from('question') };
    const text = async (options: object) =>
      Buffer.from(await fetchOutside(`http://${place}/`, { allowPrivate: true, ...options })).toString();
    expect(await text({})).toBe('GET - ');
    expect(await text({ body })).toBe('POST application/ocsp-request question');
  });

  test('sent on within the host it follows, to another host it does not', async () => {
    const place = await serve((request, response) => {
      const location = { '/here': '/there', '/away': 'http://127.0.0.2:1/', '/round': '/round' }[request.url ?? ''];
      if (location) response.writeHead(302, { location });
      response.end('arrived');
    });
    const ask = (path: string) => fetchOutside(`http://${place}${path}`, { allowPrivate: true });
    expect(Buffer.from(await ask('/here')).toString()).toBe('arrived');
    await expect(ask('/away')).rejects.toThrow(/another host/);
    await expect(ask('/round')).rejects.toThrow(/again and again/);
  });

  test('too big, too slow, another status, no web address', async () => {
    const place = await serve((request, response) => {
      if (request.url === '/big') response.end(Buffer.alloc(70_000));
      else if (request.url === '/gone') response.writeHead(404).end();
      else response.write('and then nothing');
    });
    const ask = (path: string) =>
      fetchOutside(`http://${place}${path}`, { allowPrivate: true, maxSize: 65_536, timeout: 300 });
    await expect(ask('/big')).rejects.toThrow(/over 65536 bytes/);
    await expect(ask('/slow')).rejects.toThrow(NotFetched);
    await expect(ask('/gone')).rejects.toThrow(/404/);
    await expect(fetchOutside('file:///etc/passwd', { allowPrivate: true })).rejects.toThrow(/no web address/);
  });
});

describe.skipIf(!has('openssl'))('an authority run by OpenSSL', () => {
  const work = new Workspace();
  let certificate: Certificate;
  let issuer: Certificate;
  let ocspPort: number;
  let lists: Server;
  let listsAsked = 0;
  let responder: ChildProcess | null = null;
  let list: Uint8Array;

  const read = (name: string) => parseCertificate(fromPem(readFileSync(work.path(name), 'utf8'))[0]!);
  const openssl = (...args: string[]): void => {
    const { status, output } = work.openssl(...args);
    if (status !== 0) throw new Error(output);
  };

  beforeAll(async () => {
    ocspPort = await freePort();
    lists = createServer((_, response) => {
      listsAsked += 1;
      response.end(list);
    });
    await new Promise<void>(resolve => lists.listen(0, '127.0.0.1', resolve));
    const { port } = lists.address() as AddressInfo;
    work.put('index.txt', '');
    work.put('serial', '1000');
    work.put('crlnumber', '01');
    work.put(
      'ca.cnf',
      `[ca]\ndefault_ca=one\n[one]\ndir=.\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\ncrlnumber=crlnumber\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\ndefault_days=90\ndefault_crl_days=7\npolicy=any\nx509_extensions=leaf\nunique_subject=no\n[any]\ncommonName=supplied\n[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:${ocspPort}/\ncrlDistributionPoints=URI:http://127.0.0.1:${port}/ca.crl\n[req]\ndistinguished_name=dn\n[dn]\n`,
    );
    for (const name of ['ca', 'other']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-subj',
        '/CN=Outside CA',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
        '-days',
        '365',
      );
    }
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=Outside TSA',
      '-config',
      'ca.cnf',
      '-keyout',
      'tsa.key',
      '-out',
      'tsa.csr',
    );
    openssl('ca', '-batch', '-config', 'ca.cnf', '-in', 'tsa.csr', '-out', 'tsa.pem', '-notext');
    openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'ca.crl');
    openssl('crl', '-in', 'ca.crl', '-outform', 'DER', '-out', 'ca.crl.der');
    list = readFileSync(work.path('ca.crl.der'));
    certificate = read('tsa.pem');
    issuer = read('ca.pem');
  }, 60_000);

  afterEach(() => {
    responder?.kill('SIGKILL');
    responder = null;
  });
  afterAll(() => {
    lists.close();
    work.remove();
  });

  /** `openssl ocsp` as the responder. @param ca whose key signs: ca, or the stranger of the same name */
  async function answer(ca: string): Promise<void> {
    responder = spawn(
      'openssl',
      [
        'ocsp',
        '-index',
        'index.txt',
        '-port',
        `${ocspPort}`,
        '-rsigner',
        `${ca}.pem`,
        '-rkey',
        `${ca}.key`,
        '-CA',
        'ca.pem',
        '-ndays',
        '1',
      ],
      { cwd: work.folder, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    // It says "waiting for OCSP client connections..." on one of the two.
    await new Promise<void>(resolve => {
      responder!.stdout!.once('data', () => resolve());
      responder!.stderr!.once('data', () => resolve());
    });
  }

  const outside = (allowPrivate = true) =>
    new OutsideRevocation({
      about: (given: StatusAnswer, about: Certificate, by: Certificate) =>
        statementsAbout(about, by, [{ ...given, where: 'gateway' }])[0] ?? null,
      allowPrivate,
      now: () => new Date(),
      logger: silent,
    });

  test('where it says that it can be asked', () => {
    expect(statusUrls(certificate)).toEqual({
      ocsp: [`http://127.0.0.1:${ocspPort}/`],
      crl: [expect.stringContaining('/ca.crl')],
    });
    expect(statusUrls(issuer)).toEqual({ ocsp: [], crl: [] });
  });

  test('an OCSP answer, asked for once while it counts; OpenSSL finds it good', async () => {
    await answer('ca');
    const authority = outside();
    const [first, second] = await Promise.all([1, 2].map(() => authority.answerAbout(certificate, issuer)));
    expect(first?.kind).toBe('OCSP');
    expect(second).toBe(first);
    responder!.kill('SIGKILL');
    expect(await authority.answerAbout(certificate, issuer)).toBe(first);
    writeFileSync(work.path('answer.der'), first!.der);
    const judged = work.openssl(
      'ocsp',
      '-respin',
      'answer.der',
      '-issuer',
      'ca.pem',
      '-cert',
      'tsa.pem',
      '-CAfile',
      'ca.pem',
      '-no_nonce',
    );
    expect(judged.output).toMatch(/Response verify OK/);
    expect(judged.output).toMatch(/tsa\.pem: good/);
  });

  test('a dead responder: its list of revoked certificates', async () => {
    const found = await outside().answerAbout(certificate, issuer);
    expect(found?.kind).toBe('CRL');
    expect(Buffer.from(found!.der)).toEqual(Buffer.from(list));
    expect(listsAsked).toBeGreaterThan(0);
  });

  test('what a stranger of the same name signs is left out', async () => {
    await answer('other');
    const own = list;
    list = readFileSync(work.path('ca.crl.der')).fill(0x55, 200, 260);
    try {
      expect(await outside().answerAbout(certificate, issuer)).toBeNull();
    } finally {
      list = own;
    }
  });

  test('a document keeps what the authority of its timestamp answered', async () => {
    await answer('ca');
    const company = new Workspace();
    try {
      await make(company);
      company.put('outside.pem', readFileSync(work.path('ca.pem')));
      const authorities = [{ url: 'http://127.0.0.1:1/', trust: 'outside.pem' }];
      const pki = await load(company, { authorities, outside: outside() });
      const data = await pki.validationData([certificate.der]);
      expect(data.certificates.map(der => Buffer.from(der))).toContainEqual(Buffer.from(issuer.der));
      expect(data.ocsps).toHaveLength(1);
      writeFileSync(work.path('kept.der'), data.ocsps[0]!);
      const judged = work.openssl(
        ...['ocsp', '-respin', 'kept.der', '-issuer', 'ca.pem', '-cert', 'tsa.pem', '-CAfile', 'ca.pem', '-no_nonce'],
      );
      expect(judged.output).toMatch(/tsa\.pem: good/);
      // Nobody is asked about what a stranger issued, wherever it says that it can be asked.
      const stranger = { ...certificate, der: read('other.pem').der };
      expect((await pki.validationData([stranger.der])).ocsps).toEqual([]);
    } finally {
      company.remove();
    }
  });

  test('inside the network nobody is asked unless the configuration says so', async () => {
    await answer('ca');
    const before = listsAsked;
    expect(await outside(false).answerAbout(certificate, issuer)).toBeNull();
    expect(listsAsked).toBe(before);
  });
});
