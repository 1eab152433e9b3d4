/** The macros of one connection, each kept as long as what it describes. */
import type { Macros } from './handler.ts';
import type { Stage } from './protocol.ts';

const CONNECTION_STAGES: readonly Stage[] = ['connect', 'helo'];
const MESSAGE_STAGES: readonly Stage[] = ['mail', 'data', 'header', 'endOfHeaders', 'body', 'endOfMessage'];

export class MacroStore {
  readonly #byStage = new Map<Stage, Macros>();

  /** Replaces that stage's macros. */
  set(stage: Stage, macros: Macros): void {
    this.#byStage.set(stage, macros);
  }

  /**
   * What holds at a stage: the connection's, the message's up to here, and the stage's own. A recipient's or an unknown
   * command's macros are seen by that command alone.
   */
  at(stage: Stage): Macros {
    const reached = MESSAGE_STAGES.indexOf(stage);
    const before = reached >= 0 ? MESSAGE_STAGES.slice(0, reached) : stage === 'rcpt' ? MESSAGE_STAGES.slice(0, 1) : [];
    const all = new Map<string, string>();
    for (const each of [...CONNECTION_STAGES, ...before, stage]) {
      for (const [name, value] of this.#byStage.get(each) ?? []) all.set(name, value);
    }
    return all;
  }

  /** After a command whose macros are its own. */
  drop(stage: 'rcpt' | 'unknown'): void {
    this.#byStage.delete(stage);
  }

  endMessage(): void {
    for (const stage of this.#byStage.keys()) {
      if (!CONNECTION_STAGES.includes(stage)) this.#byStage.delete(stage);
    }
  }

  clear(): void {
    this.#byStage.clear();
  }
}
