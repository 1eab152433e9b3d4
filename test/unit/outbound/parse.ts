/** Mails read by software that isn't ours: Python's email and html.parser modules. */
import { execFileSync } from 'node:child_process';

export interface ParsedMail {
  readonly headers: readonly [name: string, value: string][];
  /** Content types in tree order, "multipart/related[…]" written as its parts follow. */
  readonly structure: readonly string[];
  readonly defects: readonly string[];
  readonly text: string;
  readonly html: string;
  /** The HTML part's visible text, one entry per text node; runs of spaces collapsed. */
  readonly htmlTexts: readonly string[];
  /** Element names and the names of their attributes. */
  readonly elements: readonly string[];
  readonly attachments: readonly {
    name: string | null;
    type: string;
    disposition: string;
    cid: string | null;
    base64: string;
  }[];
  readonly from: readonly [name: string, address: string][];
  readonly to: readonly [name: string, address: string][];
}

export const hasPython = (() => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const SCRIPT = `
import sys, json, base64, email, email.policy
from email.header import decode_header, make_header
from email.utils import getaddresses
from html.parser import HTMLParser

class Texts(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.texts, self.elements, self.hidden, self.buffer = [], [], 0, ''
    def flush(self):
        text = ' '.join(self.buffer.split())
        if text: self.texts.append(text)
        self.buffer = ''
    def handle_starttag(self, tag, attrs):
        self.flush()
        self.elements.append(' '.join([tag] + [a for a, _ in attrs]))
        if tag in ('style', 'title'): self.hidden += 1
    def handle_endtag(self, tag):
        self.flush()
        if tag in ('style', 'title'): self.hidden -= 1
    def handle_data(self, data):
        if not self.hidden: self.buffer += data

def addresses(header):
    # Not a.display_name: policy.default (Python before 3.13) keeps the space between adjacent encoded words,
    # which RFC 2047 section 6.2 says to ignore; email.header doesn't.
    return [[str(make_header(decode_header(name))), address] for name, address in header]

result = []
for raw in json.load(sys.stdin):
    m = email.message_from_bytes(base64.b64decode(raw), policy=email.policy.default)
    plain = email.message_from_bytes(base64.b64decode(raw))
    defects, structure, attachments, text, html = [], [], [], '', ''
    for part in m.walk():
        structure.append(part.get_content_type())
        defects += [str(d) for d in part.defects]
        for name, value in part.items():
            defects += [name + ': ' + str(d) for d in value.defects]
        if part.is_multipart(): continue
        kind = part.get_content_type()
        if part.get_filename() is None and kind == 'text/plain': text = part.get_content()
        elif part.get_filename() is None and kind == 'text/html': html = part.get_content()
        else: attachments.append(dict(name=part.get_filename(), type=kind, disposition=part.get_content_disposition(),
            cid=part['content-id'], base64=base64.b64encode(part.get_payload(decode=True)).decode()))
    page = Texts()
    page.feed(html)
    page.flush()
    result.append(dict(headers=[[k, str(v)] for k, v in m.items()], structure=structure, defects=defects, text=text, html=html,
        htmlTexts=page.texts, elements=page.elements, attachments=attachments,
        **{'from': addresses(getaddresses(plain.get_all('from'))), 'to': addresses(getaddresses(plain.get_all('to')))}))
print(json.dumps(result))
`;

export function parseWithPython(mails: readonly Uint8Array[]): ParsedMail[] {
  const input = JSON.stringify(mails.map(bytes => Buffer.from(bytes).toString('base64')));
  const output = execFileSync('python3', ['-c', SCRIPT], { input, maxBuffer: 1 << 28 });
  // Decoded text parts keep the wire's CRLF.
  return (JSON.parse(output.toString()) as ParsedMail[]).map(mail => ({
    ...mail,
    text: mail.text.replaceAll('\r\n', '\n'),
  }));
}

export function header(mail: ParsedMail, name: string): string | undefined {
  const found = mail.headers.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  if (found.length > 1) throw new Error(`${found.length} ${name} headers`);
  return found[0]?.[1];
}
