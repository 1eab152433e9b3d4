/** How much one person may ask of others (THREATS.md "Flooding"). What has ended gives room again. */
import type { Config } from '../config/schema.ts';
import type { SenderLoad, Store } from '../store/store.ts';
import { TooManyRequests } from './requests.ts';

const DAY = 86_400_000;

export interface LimitDeps {
  readonly config: Pick<Config, 'requests'>;
  readonly store: { readonly requests: Pick<Store['requests'], 'loadOf' | 'findByKey'> };
  readonly now: () => Date;
}

/** Who asks whom. */
export interface Asking {
  /** Of the submission: what was opened once is never too much. */
  readonly key: string;
  readonly sender: { readonly id: string };
  readonly signatories: readonly { readonly id: string }[];
}

/** For the gatekeeper, so that the sender hears it. The last word has the transaction that opens. @throws TooManyRequests */
export async function checkLimits(deps: LimitDeps, asking: Asking): Promise<void> {
  if ((await deps.store.requests.findByKey(asking.key)) !== null) return;
  const { since, check } = admission(deps, asking);
  check(await deps.store.requests.loadOf(asking.sender.id, since));
}

/** What `commit` asks inside the transaction, so that requests which come in together are counted, too. */
export function admission(
  deps: Pick<LimitDeps, 'config' | 'now'>,
  { sender, signatories }: Pick<Asking, 'sender' | 'signatories'>,
): { readonly since: Date; check(load: SenderLoad): void } {
  const { maxPendingPerSender, maxPendingPerPair, maxPerDay } = deps.config.requests;
  return {
    since: new Date(deps.now().getTime() - DAY),
    check(load) {
      if (load.pending >= maxPendingPerSender) throw new TooManyRequests('per-sender', maxPendingPerSender);
      if (load.recent >= maxPerDay) throw new TooManyRequests('per-day', maxPerDay);
      for (const { id } of signatories) {
        // Nobody floods themself.
        if (id !== sender.id && (load.perPerson.get(id) ?? 0) >= maxPendingPerPair)
          throw new TooManyRequests('per-pair', maxPendingPerPair, id);
      }
    },
  };
}
