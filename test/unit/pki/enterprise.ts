/** An enterprise's CA, by openssl, in a workspace: root.pem, and what it certifies and revokes. */
import { readFileSync } from 'node:fs';
import type { Workspace } from './support.ts';

const ROOT_USE = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
const SUBORDINATE = 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign';

/** Makes root.pem and root.key. @param extra arguments of `openssl req` */
export function makeEnterprise(workspace: Workspace, ...extra: string[]): void {
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', 'root.key', '-out', 'root.pem', '-days', '3650'];
  workspace.must('req', '-x509', ...key, '-subj', '/O=Enterprise/CN=Enterprise Root', ...ROOT_USE, ...extra);
}

/**
 * It certifies the request of `ca csr` (sub.pem).
 * @param extensions lines of an extension file; those of a CA below it when left out
 * @param extra arguments of `openssl x509`
 * @returns the chain, PEM
 */
export function certify(
  workspace: Workspace,
  csr: Uint8Array,
  extensions: string = SUBORDINATE,
  ...extra: string[]
): string {
  workspace.put('sub.csr', csr);
  workspace.put('sub.ext', `${extensions}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`);
  const request = ['-req', '-inform', 'DER', '-in', 'sub.csr'];
  const by = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-extfile', 'sub.ext'];
  workspace.must('x509', ...request, ...by, '-days', '1000', '-out', 'sub.pem', ...extra);
  const read = (name: string) => readFileSync(workspace.path(name), 'utf8');
  return read('sub.pem') + read('root.pem');
}

/** What the root has revoked, PEM (root.crl): nothing, or the CA in sub.pem. */
export function rootCrl(workspace: Workspace, revoked = false): Uint8Array {
  workspace.put(
    'crl.cnf',
    '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\npolicy=p\nserial=serial\nnew_certs_dir=.\n[p]\n[x]\nauthorityKeyIdentifier=keyid\n',
  );
  workspace.put('index.txt', '');
  workspace.put('number', '01\n');
  workspace.put('serial', '01\n');
  const by = ['ca', '-config', 'crl.cnf', '-keyfile', 'root.key', '-cert', 'root.pem'];
  if (revoked) workspace.must(...by, '-revoke', 'sub.pem');
  workspace.must(...by, '-gencrl', '-crldays', '30', '-crlexts', 'x', '-out', 'root.crl');
  return readFileSync(workspace.path('root.crl'));
}
