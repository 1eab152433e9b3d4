/** What `signpost check` says about one item. */

export interface Line {
  /** What was looked at, the same words every time: scripts may look for them. */
  readonly item: string;
  readonly state: 'ok' | 'warning' | 'wrong';
  readonly text: string;
  /** What to write or to run; null where there is nothing to mend. */
  readonly mend: string | null;
}

export const ok = (item: string, text: string): Line => ({ item, state: 'ok', text, mend: null });

export const warning = (item: string, text: string, mend: string | null = null): Line => ({
  item,
  state: 'warning',
  text,
  mend,
});

export const wrong = (item: string, text: string, mend: string): Line => ({ item, state: 'wrong', text, mend });
