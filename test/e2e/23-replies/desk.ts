/** A company whose people write to requests, through real Postfix. */
import type { Request } from '../../../src/requests/model.ts';
import { type Letter, read } from '../../../src/tryout/letters.ts';
import { addressOf, PEOPLE, SIGN_DOMAIN, type SitePerson } from '../../../src/tryout/site.ts';
import { type Company, startCompany } from '../../support/company.ts';
import { makeMessage, type TestMessage } from '../../support/message.ts';
import { SmtpClient, type SmtpReply } from '../../support/smtp.ts';

export const HOUR = 3_600_000;
export const [MARY, JOHN, ANNA] = ['mary.smith', 'john.doe', 'anna.muller'] as const;
/** Gets copies; a colleague who has nothing to do with it; somebody else's domain. */
export const [PAUL, EVE] = ['paul.archer', 'eve.other'] as const;
export const STRANGER = 'somebody@outside.test';

const MORE: readonly SitePerson[] = [
  { id: PAUL, name: 'Paul Archer' },
  { id: EVE, name: 'Eve Other' },
];

export class Desk {
  readonly company: Company;
  readonly #clock: { offset: number };
  #number = 0;

  private constructor(company: Company, clock: { offset: number }) {
    this.company = company;
    this.#clock = clock;
  }

  static async open(): Promise<Desk> {
    const clock = { offset: 0 };
    const company = await startCompany({
      people: [...PEOPLE, ...MORE],
      gateway: { now: () => new Date(Date.now() + clock.offset) },
    });
    return new Desk(company, clock);
  }

  pass(milliseconds: number): void {
    this.#clock.offset += milliseconds;
    // Else it stamps nothing after such a jump.
    this.company.gateway.core.pki.tsa?.acknowledgeClock();
  }

  get store() {
    return this.company.gateway.core.store;
  }

  /** Mary's request that John and Anna sign, with a copy to Paul; as soon as they are asked. */
  async request(tags = ''): Promise<Request> {
    this.#number += 1;
    const subject = `Contract ${this.#number} ${tags}`.trim();
    const message = makeMessage({
      from: addressOf(MARY),
      to: `${JOHN}@${SIGN_DOMAIN}, ${ANNA}@${SIGN_DOMAIN}`,
      cc: addressOf(PAUL),
      subject,
    });
    const { final } = await this.send(addressOf(MARY), [`${JOHN}@${SIGN_DOMAIN}`, `${ANNA}@${SIGN_DOMAIN}`], message);
    if (final.code !== 250) throw new Error(final.text);
    return this.until(async () =>
      (await this.store.requests.list({ ended: false })).find(one => one.subject === subject && one.state === 'open'),
    );
  }

  async send(from: string, to: readonly string[], message: Uint8Array) {
    const client = await SmtpClient.connect(this.company.site.smtpPort);
    try {
      return await client.send(from, to, message);
    } finally {
      client.close();
    }
  }

  /** Replies as a person's mail program does; what the mail server said in the end. */
  async reply(
    from: string,
    request: Pick<Request, 'id'>,
    text: string,
    more: TestMessage & { readonly envelope?: string } = {},
  ): Promise<SmtpReply> {
    const { envelope, ...rest } = more;
    const address = from.includes('@') ? from : addressOf(from);
    const to = addressOfRequest(request);
    const message = makeMessage({ from: address, to, subject: 'Re: Contract', parts: [], text, ...rest });
    return (await this.send(envelope ?? address, [to], message)).final;
  }

  /** Every letter of this kind to this person about the request, as far as they have come. */
  async letters(kind: string, person: string, { id }: Pick<Request, 'id'>): Promise<Letter[]> {
    const mails = this.company.site.mailboxes.mails.filter(({ to }) => to.includes(addressOf(person)));
    const letters = await Promise.all(mails.map(read));
    return letters.filter(letter => letter.kind === kind && letter.request === id);
  }

  /** The n-th letter of that kind, now or later. */
  letter(kind: string, person: string, request: Pick<Request, 'id'>, count = 1): Promise<Letter> {
    return this.until(async () => (await this.letters(kind, person, request))[count - 1]);
  }

  /** Everything that was mailed or came in is done with. */
  async quiet(): Promise<void> {
    const isQuiet = async (): Promise<boolean> => {
      if ((await this.company.site.postfix!.queue()).length > 0) return false;
      const { requests, outbox } = this.store;
      const all = [...(await requests.list({ ended: true })), ...(await requests.list({ ended: false }))];
      const rows = await Promise.all(all.map(({ id }) => outbox.listForRequest(id)));
      return rows.flat().every(({ state }) => state !== 'pending');
    };
    // A mail may be between the two at the first look.
    for (const _ of [1, 2]) await this.until(async () => (await isQuiet()) || undefined);
  }

  async fresh({ id }: Pick<Request, 'id'>): Promise<Request> {
    return (await this.store.requests.find(id))!;
  }

  async until<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 300; tries += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`it does not come; the mail server says: ${this.company.site.postfix!.log().slice(-1500)}`);
  }
}

export function addressOfRequest({ id }: Pick<Request, 'id'>): string {
  return `request+${id.toLowerCase()}@${SIGN_DOMAIN}`;
}
