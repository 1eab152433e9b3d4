/**
 * The pages: the built web app's files, held in memory by name, so that no path from outside ever reaches the disk.
 * Every link, known or not, gets the same bytes; what it opens is asked for by the signed API.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  ttf: 'font/ttf',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
  woff2: 'font/woff2',
};
const COMPRESSIBLE = /^(text\/|application\/(json|manifest|wasm)|image\/(svg|x-icon)|font\/ttf)/;

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | null;
  readonly gzip: Buffer | null;
}

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

async function loadAsset(path: string): Promise<Asset> {
  const plain = await readFile(path);
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  const worth = COMPRESSIBLE.test(type) && plain.length > 1024;
  return {
    type,
    plain,
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    // Quality 9 takes a tenth of 11's time for a few per cent.
    brotli: worth ? await compressBrotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }) : null,
    gzip: worth ? await compressGzip(plain, { level: 9 }) : null,
  };
}

function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .split(sep)
        .join('/'),
    );
}

function sendAsset(request: FastifyRequest, reply: FastifyReply, asset: Asset, cache: string): FastifyReply {
  reply.header('cache-control', cache).header('etag', asset.etag).header('vary', 'accept-encoding').type(asset.type);
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
  const accepted = String(request.headers['accept-encoding'] ?? '');
  if (asset.brotli && /\bbr\b/.test(accepted)) return reply.header('content-encoding', 'br').send(asset.brotli);
  if (asset.gzip && /\bgzip\b/.test(accepted)) return reply.header('content-encoding', 'gzip').send(asset.gzip);
  return reply.send(asset.plain);
}

/**
 * @param webRoot folder that `npm run build` made; its index.html is the app for `/`, `/s/:token`, `/r/:id` `/trust` and `/verify`
 * @throws Error when it hasn't been built
 */
export function pageRoutes(app: FastifyInstance, webRoot: string): void {
  const root = webRoot.replace(/\/+$/, '');
  let names: string[];
  try {
    names = listFiles(root);
  } catch (cause) {
    throw new Error(`${root} is missing: run npm run build`, { cause });
  }
  if (!names.includes('index.html')) throw new Error(`${root} has no index.html: run npm run build`);

  const loaded = new Map<string, Promise<Asset>>();
  /** Each file is read and compressed once, when it is first asked for. */
  const asset = (name: string): Promise<Asset> => {
    const found = loaded.get(name) ?? loadAsset(join(root, name));
    loaded.set(name, found);
    return found;
  };

  for (const page of ['/', '/s/:token', '/r/:id', '/trust', '/verify'])
    app.get(page, async (request, reply) => sendAsset(request, reply, await asset('index.html'), 'no-store'));

  for (const name of names) {
    // Vite puts a hash of the content into the names under assets/.
    const cache = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    // A colon in a route is a parameter.
    const route = `/${name}`.replaceAll(':', '::');
    app.get(route, async (request, reply) => sendAsset(request, reply, await asset(name), cache));
  }
}
