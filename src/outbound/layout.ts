/**
 * The HTML part: one layout for every mail. Tables and inline styles, because that is what mail programs understand;
 * no images but the QR code, no fonts, nothing loaded. Works from 320 px and in dark mode.
 */
import { Html, html } from './html.ts';
import type { Block, Fact, Letter } from './letter.ts';

const FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
const MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;";
const WRAP = 'overflow-wrap:anywhere;word-break:break-word;';
const TEXT = '#17211e';
const QUIET = '#55635e';
const LINE = '#dde4e1';
const ACCENT = '#0b6b57';
const TONES = { neutral: ACCENT, good: '#1a7a49', bad: '#b0382f' } as const;

/** What inline styles can't say. Where a mail program drops it, the light look stays. */
const STYLE = new Html(`
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 0; -webkit-text-size-adjust: 100%; }
@media (max-width: 480px) {
  .outer { padding: 12px 8px 24px !important; }
  .card { padding: 22px 18px 8px !important; }
  .title { font-size: 22px !important; }
  .label, .value { display: block !important; width: auto !important; }
  .label { padding: 10px 0 0 !important; border-top: 1px solid ${LINE} !important; }
  .value { padding: 1px 0 10px !important; border-top: 0 !important; }
  .side { display: block !important; padding: 4px 0 0 !important; }
  .button a { display: block !important; text-align: center !important; }
  .button { width: 100% !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background: #101514 !important; }
  .card { background: #19201e !important; border-color: #33403c !important; }
  .ink { color: #e7eeeb !important; }
  .quiet { color: #a3b2ac !important; }
  .label, .value { border-color: #33403c !important; }
  .quote { border-color: #47544f !important; }
  .link { color: #86dcc4 !important; }
  .button { background: #0f7d66 !important; }
  .code { background: #101514 !important; border-color: #33403c !important; }
  .tone-neutral { background: #0f7d66 !important; }
  .tone-good { background: #3ba570 !important; }
  .tone-bad { background: #dd6e65 !important; }
}
`);

/** Outlook on Windows knows no max-width. */
const OUTLOOK_OPEN = new Html(
  '<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->',
);
const OUTLOOK_CLOSE = new Html('<!--[if mso]></td></tr></table><![endif]-->');

export function renderHtml(letter: Letter): string {
  const { source } = html`<!doctype html>
<html lang="${letter.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<title>${letter.title}</title>
<style>${STYLE}</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f5f7f5;">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f5f7f5;">
<tr><td class="outer" align="center" style="padding:28px 16px 36px;">
${OUTLOOK_OPEN}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;">
<tr><td class="ink" style="${FONT}padding:0 4px 12px;font-size:17px;line-height:24px;font-weight:700;letter-spacing:-0.2px;color:${TEXT};">${WORDMARK}</td></tr>
<tr><td class="card ink" style="${FONT}${WRAP}background:#ffffff;border:1px solid ${LINE};border-radius:12px;padding:30px 34px 16px;font-size:16px;line-height:24px;color:${TEXT};">
<div class="tone-${letter.tone}" style="width:40px;height:4px;border-radius:2px;background:${TONES[letter.tone]};font-size:0;line-height:0;">&nbsp;</div>
<h1 class="title ink" style="margin:14px 0 14px;font-size:25px;line-height:1.25;font-weight:700;letter-spacing:-0.3px;color:${TEXT};" dir="auto">${letter.title}</h1>
${letter.blocks.map(renderBlock)}
</td></tr>
<tr><td class="quiet" style="${FONT}${WRAP}padding:14px 4px 0;font-size:13px;line-height:19px;color:${QUIET};">${letter.footer}</td></tr>
</table>
${OUTLOOK_CLOSE}
</td></tr>
</table>
</body>
</html>
`;
  return source;
}

/** The product's mark in type alone: an arrow sign and the name. */
const WORDMARK = html`<span class="tone-neutral" style="display:inline-block;background:${ACCENT};color:#ffffff;border-radius:5px 12px 12px 5px;padding:0 10px 0 7px;margin-right:8px;font-size:14px;line-height:22px;">&#10003;</span>Signpost`;

function renderBlock(block: Block): Html {
  switch (block.kind) {
    case 'paragraph':
      return block.quiet
        ? html`<p class="quiet" style="margin:0 0 16px;font-size:14px;line-height:21px;color:${QUIET};">${block.text}</p>`
        : html`<p class="ink" style="margin:0 0 16px;color:${TEXT};">${block.text}</p>`;
    case 'facts':
      return html`<table class="facts" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:4px 0 20px;border-collapse:collapse;">${block.facts.map(renderFact)}</table>`;
    case 'quote':
      return html`<p class="quiet" style="margin:0 0 4px;font-size:14px;line-height:21px;color:${QUIET};">${block.by}</p>
<blockquote class="quote ink" dir="auto" style="${WRAP}margin:0 0 20px;padding:2px 0 2px 14px;border-left:3px solid #c4d0cb;color:${TEXT};white-space:pre-line;">${block.text}</blockquote>`;
    case 'button':
      return html`<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0" style="margin:22px 0 14px;border-collapse:separate;background:${ACCENT};border-radius:9px;"><tr><td align="center" style="border-radius:9px;"><a href="${block.url}" style="${FONT}display:inline-block;padding:15px 34px;font-size:18px;line-height:24px;font-weight:600;color:#ffffff;text-decoration:none;border-radius:9px;">${block.label}</a></td></tr></table>
<p class="quiet" style="${WRAP}margin:0 0 20px;font-size:14px;line-height:21px;color:${QUIET};">${block.lead}<br><a class="link" href="${block.url}" style="color:${ACCENT};">${block.url}</a></p>`;
    case 'picture':
      return html`<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:4px 0 16px;"><tr><td class="side" style="padding:0;"><img src="cid:${block.cid}" alt="${block.alt}" width="148" height="148" style="display:block;width:148px;height:148px;padding:2px;border:0;border-radius:8px;background:#ffffff;color:#17211e;font-size:13px;"></td><td class="side quiet" style="${FONT}padding:0 0 0 16px;font-size:14px;line-height:21px;color:${QUIET};">${block.caption}</td></tr></table>`;
    case 'code':
      return html`<p class="code ink" style="${MONO}margin:4px 0 20px;padding:16px 10px;text-align:center;font-size:32px;line-height:40px;font-weight:700;letter-spacing:6px;color:${TEXT};background:#f5f7f5;border:1px solid ${LINE};border-radius:9px;">${block.code}</p>`;
    case 'link':
      return html`<p class="quiet" style="${WRAP}margin:0 0 16px;font-size:14px;line-height:21px;color:${QUIET};">${block.text}<br>${block.label} <a class="link" href="${block.url}" style="color:${ACCENT};">${block.url}</a></p>`;
  }
}

function renderFact(fact: Fact): Html {
  const values = fact.values.map(
    (value, index) =>
      html`<div dir="auto" style="${index === 0 ? '' : 'margin-top:4px;'}">${fact.numbered ? `${index + 1}. ${value}` : value}</div>`,
  );
  return html`<tr><td class="label quiet" valign="top" style="${FONT}width:150px;padding:9px 16px 9px 0;border-top:1px solid ${LINE};font-size:14px;line-height:22px;color:${QUIET};">${fact.label}</td><td class="value ink" valign="top" style="${FONT}${WRAP}padding:9px 0;border-top:1px solid ${LINE};font-size:15px;line-height:22px;color:${TEXT};">${values}</td></tr>`;
}
