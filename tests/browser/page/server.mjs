// What hosts the app, and a list of what was asked of it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webmanifest': 'application/manifest+json',
};

/** A server on 127.0.0.1; `requests` has a line for each request since it was emptied. */
class Server {
  requests = [];
  base = '/';
  /** Names that it claims not to have. */
  missing = undefined;
  /** What it puts before a file, as `{ name, script }`. */
  before = undefined;
  sockets = new Set();

  constructor(answer) {
    this.server = http.createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
    this.server.on('connection', socket => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async listen(port = 0) {
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where the page is. */
  get address() {
    return this.origin + this.base;
  }

  /** Answers nobody any more. */
  async stop() {
    if (!this.server.listening) return;
    const closed = new Promise(resolve => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A file server that knows nothing of the app and adds no headers; the folder lies under `base`. */
export function plainServer(folder, base = '/') {
  const server = new Server((request, response) => {
    const { pathname } = new URL(request.url, 'http://_');
    const name = pathname.startsWith(base) ? pathname.slice(base.length) || 'index.html' : '';
    const file = path.join(folder, path.posix.normalize(`/${name}`));
    if (!name || !fs.existsSync(file) || server.missing?.test(name)) return response.writeHead(404).end();
    response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream');
    if (server.before?.name.test(name)) response.write(server.before.script);
    fs.createReadStream(file).pipe(response);
  });
  server.base = base;
  return server.listen();
}

/** Answers whatever is asked, and so sees what gets out of the page. */
export function strangeServer() {
  return new Server((_, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('cross-origin-resource-policy', 'cross-origin');
    response.end('');
  }).listen();
}

/** `histomask serve`, with a proxy in front that writes down what is asked of it. */
export async function histomaskServe(program, folder) {
  const child = spawn(program, ['serve', '--quiet', '--port', '0', '--dir', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const port = await new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', data => {
      text += data;
    });
    child.stdout.on('data', data => {
      text += data;
      const [, found] = text.match(/127\.0\.0\.1:(\d+)/) ?? [];
      if (found) resolve(Number(found));
    });
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`histomask serve ended with code ${code}: ${text}`)));
  });
  const server = await new Server((request, response) => {
    const headers = { ...request.headers, host: `127.0.0.1:${port}` };
    const { method, url } = request;
    const forwarded = http.request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, answer => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  }).listen();
  server.server.once('close', () => child.kill());
  return server;
}
