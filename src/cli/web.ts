/** Serves the built page to browsers on this computer, and to nobody else. */
import * as fs from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as path from 'node:path';
import { Posix, Refused, Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The page itself says what it may do; this is for its workers as well, which run decoders and programs of WebAssembly. Images may be anywhere. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; connect-src 'self' https: http:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Serves `folder` on the loopback interface until the program is ended; `ready` is told the address. Throws Posix when the port is taken. */
export function* servePage(folder: string, port: number, ready: (address: string) => Io<void>): Io<void> {
  if (!fs.existsSync(path.join(folder, 'index.html'))) {
    throw new Refused('the page is not built here; in a checkout, `npm ci && npm run build:web` builds it', { image: folder });
  }
  const { address, ended } = yield* wait(() => listen(folder, port));
  yield* ready(address);
  yield* wait(() => ended);
}

function wait<T>(work: () => Promise<T>): Io<T> {
  return perform<T>({
    waits: true,
    sync: () => {
      throw new Unsupported('waiting for the network', 'the page can only be served asynchronously');
    },
    async: work,
  });
}

async function listen(folder: string, port: number): Promise<{ readonly address: string; readonly ended: Promise<void> }> {
  const http = process.getBuiltinModule('node:http');
  const names = new Set(fs.readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => fileName(folder, entry)));
  const server = http.createServer((request, response) => answer(folder, names, request, response));
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE' ? `port ${port} is in use; --port names another, 0 any that is free` : error.message;
      reject(new Posix('EBUSY', {}, taken, { cause: error }));
    });
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address();
      const number = typeof bound === 'object' && bound !== null ? bound.port : port;
      resolve({ address: `http://127.0.0.1:${number}/`, ended: new Promise((end) => server.once('close', end)) });
    });
  });
}

function fileName(folder: string, entry: fs.Dirent): string[] {
  return entry.isFile() ? [path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)).replaceAll(path.sep, '/')] : [];
}

/** Only names that the folder had when the server began are answered: no path leads out of it. */
function answer(folder: string, names: ReadonlySet<string>, request: IncomingMessage, response: ServerResponse): void {
  // A page of another site that names this server under a name of its own gets nothing.
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? '')) {
    response.writeHead(403).end();
    return;
  }
  const asked = (request.url ?? '/').replace(/[?#].*$/, '').slice(1);
  const name = asked === '' ? 'index.html' : asked;
  if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
  else if (!names.has(name)) response.writeHead(404).end();
  else {
    response.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
    if (request.method === 'HEAD') response.end();
    else
      fs.createReadStream(path.join(folder, name))
        .on('error', () => response.destroy())
        .pipe(response);
  }
}
