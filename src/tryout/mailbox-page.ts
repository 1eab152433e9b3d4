/**
 * A page for playing all parts in the demo: every mail that was sent, with its links to follow, and a form to mail a PDF.
 * For loopback and trying out only: whoever opens it reads everybody's mail.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { read } from './letters.ts';
import { addressOf, SIGN_DOMAIN, type Site, type SitePerson } from './site.ts';

const submission = z.object({
  from: z.email(),
  to: z.array(z.email()).min(1),
  subject: z.string().max(200),
  name: z.string().max(200),
  pdf: z.base64(),
});

export interface MailboxPage {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startMailboxPage(site: Site, people: readonly SitePerson[]): Promise<MailboxPage> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response
        .writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
        .end(error instanceof Error ? error.message : 'failed');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const mailNumber = /^\/mails\/(\d+)(\/raw)?$/.exec(url.pathname);
    if (url.pathname === '/') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(people));
    } else if (url.pathname === '/mails') {
      const letters = await Promise.all(site.mailboxes.mails.map(read));
      const rows = letters.map(({ mail, parsed }, index) => ({
        index,
        to: mail.to.join(', '),
        from: parsed.from?.text ?? '',
        subject: parsed.subject ?? '',
      }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rows));
    } else if (mailNumber) {
      const mail = site.mailboxes.mails[Number(mailNumber[1])];
      if (!mail) return void response.writeHead(404).end();
      if (mailNumber[2])
        return void response
          .writeHead(200, {
            'content-type': 'message/rfc822',
            'content-disposition': 'attachment; filename="mail.eml"',
          })
          .end(mail.raw);
      const { parsed } = await read(mail);
      // mailparser has put the inline pictures into the HTML; the frame that shows it runs no scripts.
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
      });
      response.end(`<base target="_blank">${parsed.html || `<pre>${escapeHtml(parsed.text ?? '')}</pre>`}`);
    } else if (url.pathname === '/send' && request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { from, to, subject, name, pdf } = submission.parse(JSON.parse(Buffer.concat(chunks).toString()));
      try {
        const reply = await site.send({
          from,
          to,
          subject,
          attachments: [{ filename: name, content: Buffer.from(pdf, 'base64') }],
        });
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(`Taken: ${reply}`);
      } catch (error) {
        // The refusal that the sender's mail program would show.
        response
          .writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
          .end(`Refused: ${(error as Error).message}`);
      }
    } else response.writeHead(404).end();
  }

  return {
    url: `http://localhost:${port}/`,
    stop: () =>
      new Promise(resolve => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}

function page(people: readonly SitePerson[]): string {
  const options = people
    .map(({ id, name }) => `<option value="${addressOf(id)}">${escapeHtml(name)}</option>`)
    .join('');
  const boxes = [`<label><input type="checkbox" value="self@${SIGN_DOMAIN}" checked> self@${SIGN_DOMAIN}</label>`]
    .concat(
      people.map(
        ({ id }) => `<label><input type="checkbox" value="${id}@${SIGN_DOMAIN}"> ${id}@${SIGN_DOMAIN}</label>`,
      ),
    )
    .join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Signpost demo: everybody's mail</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:minmax(18rem,26rem) 1fr;height:100vh}
aside{overflow:auto;padding:1rem;border-right:1px solid #8885}h1{font-size:1.2rem;margin:0 0 .5rem}h2{font-size:1rem}
form{display:grid;gap:.5rem}form label{display:block}select,input,button{font:inherit;max-width:100%}
#list button{display:block;width:100%;text-align:left;padding:.5rem;margin:.25rem 0;border:1px solid #8885;border-radius:8px;background:none;color:inherit;cursor:pointer;overflow-wrap:anywhere}
#list button[aria-current]{border-color:#0b6b57}small{opacity:.75;display:block}
iframe{border:0;width:100%;height:100%;background:#fff}
@media(max-width:46rem){body{grid-template-columns:1fr;height:auto}iframe{height:80vh}}
</style>
<aside><h1>Everybody's mail</h1><p>You can play all parts here. Mail a PDF; then follow the link in the mail that arrives.</p>
<form id="form"><label>From <select name="from">${options}</select></label><fieldset><legend>To</legend>${boxes}</fieldset>
<label>Subject <input name="subject" value="Please sign this"></label><label>PDF <input type="file" name="file" accept="application/pdf" required></label>
<button>Mail it</button><output></output></form>
<h2>Mails</h2><div id="list"></div></aside><iframe title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<script>
const list=document.getElementById('list'),frame=document.querySelector('iframe'),form=document.getElementById('form');let shown=0;
async function look(){const mails=await(await fetch('/mails')).json();for(;shown<mails.length;shown++){const mail=mails[shown],button=document.createElement('button');
button.innerHTML='<strong></strong><small></small>';button.querySelector('strong').textContent=mail.subject;button.querySelector('small').textContent='to '+mail.to+', '+mail.from;
button.onclick=()=>{frame.src='/mails/'+mail.index;list.querySelectorAll('button').forEach(b=>b.toggleAttribute('aria-current',b===button))};list.prepend(button)}}
setInterval(look,1000);look();
form.onsubmit=async event=>{event.preventDefault();const data=new FormData(form),file=data.get('file'),bytes=new Uint8Array(await file.arrayBuffer());let text='';for(let i=0;i<bytes.length;i+=32768)text+=String.fromCharCode(...bytes.subarray(i,i+32768));
const to=[...form.querySelectorAll('[type=checkbox]:checked')].map(b=>b.value);const answer=await fetch('/send',{method:'POST',body:JSON.stringify({from:data.get('from'),to,subject:data.get('subject'),name:file.name,pdf:btoa(text)})});form.querySelector('output').textContent=await answer.text()};
</script>`;
}
