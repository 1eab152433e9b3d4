/** A SoftHSM2 token in a folder of its own. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './tools.ts';

export const SOFTHSM_MODULE = '/usr/lib/softhsm/libsofthsm2.so';

export class SoftHsm {
  readonly folder = mkdtempSync(join(tmpdir(), 'signpost-hsm-'));
  readonly label = 'signpost test';
  readonly pin = '271828';
  readonly #tokens = join(this.folder, 'tokens');

  /** Points SOFTHSM2_CONF of this process (and so of its children) at the token. */
  constructor() {
    mkdirSync(this.#tokens);
    const conf = join(this.folder, 'softhsm2.conf');
    writeFileSync(conf, `directories.tokendir = ${this.#tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    process.env.SOFTHSM2_CONF = conf;
    const args = ['--init-token', '--free', '--label', this.label, '--pin', this.pin, '--so-pin', '314159'];
    const { status, output } = run('softhsm2-util', args);
    if (status !== 0) throw new Error(output);
  }

  takeOut(): void {
    renameSync(this.#tokens, `${this.#tokens}.out`);
    mkdirSync(this.#tokens);
  }

  putBack(): void {
    rmSync(this.#tokens, { recursive: true });
    renameSync(`${this.#tokens}.out`, this.#tokens);
  }

  remove(): void {
    delete process.env.SOFTHSM2_CONF;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
