/** SMFIC_OPTNEG: what the MTA offers, what we take of it. */
import type { MilterHandler } from './handler.ts';
import { ACTIONS, type Action } from './modifications.ts';
import { MilterProtocolError } from './packets.ts';
import {
  DATA_SIZE,
  type DataSize,
  type MacroStage,
  SMFIF,
  SMFIP,
  STAGE_STEPS,
  type Stage,
  VERSION_MAX,
  VERSION_MIN,
} from './protocol.ts';
import type { Negotiation } from './wire.ts';

export interface Wishes {
  /** What the handler does to messages; an MTA that cannot is refused. */
  readonly actions: readonly Action[];
  /**
   * Stages that need no reply where the MTA allows it, which spares a round trip for each header field or piece of
   * body. A verdict other than continue there is told at the next stage that replies, for the whole message.
   */
  readonly silent: readonly Exclude<Stage, 'endOfMessage'>[];
  /**
   * The macros wanted at a stage, in place of the MTA's own choice there; an empty list changes nothing. Null: the MTA's
   * choice everywhere. (Postfix's own choice has no client_addr; the address comes with connect.)
   */
  readonly macros: Readonly<Partial<Record<MacroStage, readonly string[]>>> | null;
  /** The largest data size to agree to. */
  readonly dataSize: DataSize;
}

export interface Agreement extends Negotiation {
  /** Most data bytes in a body packet. */
  readonly dataSize: number;
}

/** @throws MilterProtocolError where no agreement is possible */
export function negotiate(
  offer: Negotiation,
  handler: MilterHandler,
  wishes: Wishes,
): { agreement: Agreement; macros: ReadonlyMap<MacroStage, readonly string[]> } {
  if (offer.version < VERSION_MIN) throw new MilterProtocolError(`the MTA speaks version ${offer.version} only`);
  const missing = wishes.actions.filter(action => (offer.actions & ACTIONS[action]) === 0);
  if (missing.length > 0) throw new MilterProtocolError(`the MTA cannot do what we need: ${missing.join(', ')}`);

  let actions = wishes.actions.reduce((mask, action) => mask | ACTIONS[action], 0);
  const macros = new Map<MacroStage, readonly string[]>();
  if (wishes.macros !== null && (offer.actions & SMFIF.SETSYMLIST) !== 0) {
    actions |= SMFIF.SETSYMLIST;
    for (const [stage, names] of Object.entries(wishes.macros) as [MacroStage, readonly string[]][]) {
      macros.set(stage, names);
    }
  }

  let steps = SMFIP.SKIP | SMFIP.HDR_LEADSPC;
  for (const stage of Object.keys(STAGE_STEPS) as Stage[]) {
    if (!handler[stage]) steps |= STAGE_STEPS[stage].omit;
    else if (stage !== 'endOfMessage' && wishes.silent.includes(stage)) steps |= STAGE_STEPS[stage].silent;
  }
  let dataSize: number = DATA_SIZE['64K'];
  if (wishes.dataSize === '1M' && (offer.steps & SMFIP.MDS_1M) !== 0) {
    steps |= SMFIP.MDS_1M;
    dataSize = DATA_SIZE['1M'];
  } else if (wishes.dataSize !== '64K' && (offer.steps & SMFIP.MDS_256K) !== 0) {
    steps |= SMFIP.MDS_256K;
    dataSize = DATA_SIZE['256K'];
  }
  const version = Math.min(offer.version, VERSION_MAX);
  return { agreement: { version, actions, steps: steps & offer.steps, dataSize }, macros };
}
