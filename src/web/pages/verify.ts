/** Checks a signed file for anybody: it goes to the gateway, is checked there and forgotten; facts come back. */
import { type ApprovalFacts, type Facts, parseFacts, type SignatureFacts } from '../../signatures/verify/facts.ts';
import { announce, h, notice, show } from '../dom.ts';
import type { Texts } from '../texts/index.ts';
import './verify.css';
import { VERIFY_TEXTS, type VerifyTexts } from '../texts/verify.ts';

type Language = Texts['language'];

export function showVerify(language: Language): void {
  const texts = VERIFY_TEXTS[language];
  const messages = h('div', null);
  const input = h('input', { type: 'file', class: 'unseen', id: 'file' });
  const label = h('span', { class: 'button', 'aria-hidden': 'true' }, texts.choose);
  const zone = h(
    'label',
    { class: 'drop', for: 'file' },
    h('span', { class: 'unseen' }, texts.choose),
    label,
    h('span', { class: 'soft' }, texts.drop),
    input,
  );
  let running = false;
  const check = async (file: File | null | undefined): Promise<void> => {
    if (!file || running) return;
    running = true;
    label.textContent = texts.checking;
    announce(texts.checking);
    const answer = await ask(file, texts);
    running = false;
    if (typeof answer !== 'string') return showFacts(answer, file.name, language);
    label.textContent = texts.choose;
    input.value = '';
    messages.replaceChildren(notice('error', h('p', null, answer)));
  };
  input.addEventListener('change', () => void check(input.files?.[0]));
  // Space opens a file field everywhere, Enter only here and there.
  input.addEventListener('keydown', event => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    input.click();
  });
  for (const type of ['dragenter', 'dragover', 'dragleave', 'drop'] as const) {
    zone.addEventListener(type, event => {
      event.preventDefault();
      zone.classList.toggle('over', type === 'dragenter' || type === 'dragover');
      if (type === 'drop') void check(event.dataTransfer?.files[0]);
    });
  }
  show(h('div', { class: 'narrow' }, h('h1', null, texts.title), h('p', null, texts.intro), messages, zone));
}

/** The facts, or what went wrong in words. */
async function ask(file: File, texts: VerifyTexts): Promise<Facts | string> {
  try {
    const answer = await fetch('/api/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: file,
    });
    if (answer.ok) return parseFacts(await answer.json());
    if (answer.status === 413) return texts.tooBig;
    if (answer.status === 429) return texts.tooOften;
    return answer.status === 400 ? texts.noneText : texts.busy;
  } catch {
    return texts.offline;
  }
}

function showFacts(facts: Facts, name: string, language: Language): void {
  const texts = VERIFY_TEXTS[language];
  const { indication, subIndication, signatures, transaction } = facts;
  const mark = { 'TOTAL-PASSED': ' good', INDETERMINATE: ' open', 'TOTAL-FAILED': ' bad' }[indication];
  const [title, text] = summary(facts, texts);
  show(
    h(
      'div',
      { class: 'narrow' },
      h(
        'div',
        { class: `card verdict${mark}` },
        h('p', { class: 'soft small' }, name),
        h('h1', null, title),
        h('p', null, text),
        subIndication !== null && signatures.length > 0 && h('p', null, texts.why[subIndication]),
        h('p', { class: 'soft small' }, [indication, subIndication].filter(Boolean).join(' · ')),
      ),
      transaction && approvalCard(transaction, language),
      signatures.length > 0 && h('h2', null, texts.signatures(signatures.length)),
      ...signatures.map(signature => signatureCard(signature, language)),
      h('p', null, h('button', { type: 'button', onclick: () => showVerify(language) }, texts.again)),
    ),
  );
}

function summary(
  { indication, signatures, transaction }: Facts,
  texts: VerifyTexts,
): readonly [title: string, text: string] {
  if (indication === 'TOTAL-PASSED') return [texts.good, texts.goodText];
  if (indication === 'TOTAL-FAILED') return [texts.failed, texts.changedText];
  if (transaction) return [texts.report, texts.reportText];
  if (signatures.length === 0) return [texts.none, texts.noneText];
  return [texts.open, signatures.every(({ intact }) => intact) ? texts.intactText : texts.openText];
}

function approvalCard({ name, time, documents }: ApprovalFacts, language: Language): HTMLElement {
  const texts = VERIFY_TEXTS[language];
  const rows = documents.map((one): readonly [string, string] => [
    texts.document,
    `${one.name}, SHA-256 ${one.sha256}`,
  ]);
  return h('section', { class: 'card' }, list([[texts.signer, name], [texts.claimed, local(time, language)], ...rows]));
}

function signatureCard(facts: SignatureFacts, language: Language): HTMLElement {
  const texts = VERIFY_TEXTS[language];
  const { indication, subIndication, kind, changed } = facts;
  const time = facts.provenTime ?? facts.claimedTime;
  const when = time === null ? null : `${local(time, language)}${facts.provenTime ? '' : ` (${texts.unproven})`}`;
  const rows: readonly (readonly [string, string | null])[] = [
    [texts.signer, facts.name],
    [texts.sealedBy, facts.sealedBy],
    [texts.organization, facts.organization === facts.name ? null : facts.organization],
    [facts.provenTime ? texts.proven : texts.claimed, when],
    [texts.intact, facts.intact ? texts.intactYes : texts.intactNo],
  ];
  const details: readonly (readonly [string, string | null])[] = [
    [texts.issuer, facts.issuer],
    [texts.level, facts.level],
    // "ECDSA P-256 with SHA-256": a name in every language but for one word.
    [texts.algorithm, facts.algorithm?.replace(' with ', ' · ') ?? null],
  ];
  return h(
    'section',
    { class: 'card' },
    h('h3', null, texts.said(texts.kind[kind], texts.state[indication])),
    subIndication !== null && h('p', null, texts.why[subIndication]),
    changed.length > 0 &&
      h('ul', null, ...changed.map(({ revision, object }) => h('li', null, texts.changed(revision, object)))),
    list(rows),
    details.some(([, value]) => value !== null) && h('details', null, h('summary', null, texts.more), list(details)),
  );
}

function list(rows: readonly (readonly [string, string | null])[]): HTMLElement {
  const shown = rows.flatMap(([label, value]) => (value === null ? [] : [h('dt', null, label), h('dd', null, value)]));
  return h('dl', { class: 'facts' }, ...shown);
}

function local(time: Date, language: Language): string {
  const locale = navigator.languages.find(one => one.startsWith(language)) ?? language;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'medium' }).format(time);
}
