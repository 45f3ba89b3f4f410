// A server for the tests: static files of a folder, and images by range, counted.
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Serves `folder`, and below /images/ the files of `images` (name → path) with ranges. */
export async function serve(folder, images = {}) {
  const count = { requests: 0, bytes: 0, names: [] };
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    if (name.startsWith('/images/')) return sendRange(images[name.slice('/images/'.length)], request, response, count);
    count.names.push(name);
    const file = path.join(folder, name.endsWith('/') ? `${name}index.html` : name);
    if (!file.startsWith(folder) || !fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
    fs.createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, count, close: () => server.close() };
}

function sendRange(file, request, response, count) {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (file === undefined || match === null) {
    response.writeHead(file === undefined ? 404 : 400).end();
    return;
  }
  const { size } = fs.statSync(file);
  const first = Number(match[1]);
  const last = Math.min(Number(match[2]), size - 1);
  count.requests++;
  count.bytes += last - first + 1;
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${size}`, 'content-length': last - first + 1, etag: `"${size}"` });
  fs.createReadStream(file, { start: first, end: last }).pipe(response);
}

/** A server of another site, with one image and a way to misbehave: `allowed`, `silent` (no CORS), `hidden` (headers are not exposed), `whole` (no ranges), `changing`. */
export async function serveForeign(file) {
  const state = { version: 1 };
  const bytes = fs.readFileSync(file);
  const server = http.createServer((request, response) => {
    const way = /^\/(\w+)\//.exec(request.url)?.[1];
    const headers = { etag: `"${way === 'changing' ? state.version : 1}"`, 'last-modified': new Date(0).toUTCString() };
    if (way !== 'silent') headers['access-control-allow-origin'] = '*';
    if (way !== 'hidden') headers['access-control-expose-headers'] = 'Content-Range, ETag';
    // What is not simple is asked for in advance, and is not allowed.
    if (request.method === 'OPTIONS') return response.writeHead(403).end();
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (way === 'missing') return response.writeHead(404, headers).end();
    if (way === 'whole' || match === null) return response.writeHead(200, headers).end(bytes);
    const [first, last] = [Number(match[1]), Math.min(Number(match[2]), bytes.length - 1)];
    response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${bytes.length}` }).end(bytes.subarray(first, last + 1));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: (way) => `http://127.0.0.1:${server.address().port}/${way}/disk.raw`,
    state,
    close: () => server.close(),
  };
}
