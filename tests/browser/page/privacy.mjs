// Nothing leaves the machine: no request while the page works, no way out for code that wants one, no network needed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { FROM_PAGE, FROM_SERVICE_WORKER, FROM_WORKER, attempt } from './attempts.mjs';
import { picture, pngFile } from './images.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';
import { histomaskServe, plainServer, strangeServer } from './server.mjs';

export async function privacy(world) {
  const { report } = world;
  const strange = await strangeServer();
  const app = await histomaskServe(world.program, world.app);
  const file = { name: 'patient.png', bytes: pngFile(picture(200, 130)) };
  const foreign = [];
  const tab = await world.tab(app, {
    before: page => {
      const own = url => url.startsWith(app.address) || url.startsWith(`blob:${app.origin}/`);
      page.context().on('request', request => own(request.url()) || foreign.push(request.url()));
      page.on('websocket', socket => foreign.push(socket.url()));
    },
  });
  const { page } = tab;
  let csv;

  await report.check('headers of histomask serve', async () => {
    const lines = fs.readFileSync(path.join(world.root, 'web/page/headers.txt'), 'utf8').trim().split('\n');
    const asset = fs.readdirSync(path.join(world.app, 'assets')).find(name => name.endsWith('.wasm'));
    for (const name of ['', 'sw.js', `assets/${asset}`, 'no-such-file']) {
      const response = await fetch(app.address + name);
      for (const line of lines) {
        const [, header, value] = /^([\w-]+): (.+)$/.exec(line);
        assert.equal(response.headers.get(header), value, `${name}: ${header}`);
      }
    }
    const html = fs.readFileSync(path.join(world.app, 'index.html'), 'utf8');
    const meta = /<meta http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)[1].replaceAll('&#39;', "'");
    const [, header] = /^Content-Security-Policy: (.+)$/m.exec(lines.join('\n'));
    const both = header.split('; ').filter(part => !/^(frame-ancestors|sandbox) /.test(part));
    assert.equal(meta, both.join('; '), 'the page states the same policy');
    return `${lines.length} of web/page/headers.txt`;
  });

  await report.check('no request while the page works', async () => {
    await tab.ready();
    await until('that it works offline', async () => (await tab.text('offline')) === 'Works offline', 30);
    // the browser itself asks for a newer service worker, about a second after it has started
    const updates = () => app.requests.filter(line => line === 'GET /sw.js').length;
    await until('', () => updates() >= 2, 10).catch(() => undefined);
    await page.waitForTimeout(1000);
    assert.ok(app.requests.includes('GET /'), 'the server writes requests down');
    app.requests.length = 0;

    await drop(page, file);
    await until('an image', async () => (await tab.text('image-count')) === '1');
    await tab.settled();
    await page.locator('#samples .sample').first().click();
    await until('a sample', async () => (await tab.text('image-count')) === '2');
    await tab.settled();
    assert.deepEqual(await tab.states(), ['done', 'done']);
    await tab.set('threshold', 0.6);
    for (const kind of ['mask', 'overlay', 'geojson', 'zip', 'csv']) csv = await tab.download(kind);
    await page.waitForTimeout(1000);
    // the browser's own question for a newer service worker may come as late as here
    assert.deepEqual(app.requests.filter(line => line !== 'GET /sw.js'), []);
    assert.deepEqual(foreign, []);
    return 'an image dropped, a sample, both predicted, all downloads: the server saw nothing, and no other was asked';
  });

  await report.check('the attempts below reach a server where no policy forbids them', async () => {
    const open = await (await world.browser()).newPage();
    await open.goto(`${strange.address}page`);
    const other = await strangeServer();
    await attempt(open, FROM_PAGE, other.address, 50);
    await until(
      'all',
      () => Object.keys(FROM_PAGE).every(name => other.requests.some(line => line.endsWith(`/${name}`))),
      20,
    ).catch(() => assert.deepEqual(other.requests, Object.keys(FROM_PAGE)));
    await open.context().close();
    await other.stop();
    return Object.keys(FROM_PAGE).join(', ');
  });

  await report.check('attempts to reach another origin from the page', async () => {
    strange.requests.length = 0;
    const refused = await attempt(page, FROM_PAGE, strange.address);
    // forms are refused by the sandbox, which tells nobody
    assert.equal(refused.form, null);
    for (const [name, [directive]] of Object.entries(FROM_PAGE)) {
      if (name !== 'form') assert.equal(refused[name], directive, name);
    }
    await page.waitForTimeout(500);
    assert.deepEqual(strange.requests, []);
    return 'each refused by the directive of the policy that is meant to';
  });

  const fromWorker = async (page, strange) => {
    strange.requests.length = 0;
    const [worker] = page.workers();
    const refused = await attempt(worker, FROM_WORKER, strange.address);
    for (const name of Object.keys(FROM_WORKER)) assert.ok(refused[name], `${name} was not refused`);
    await page.waitForTimeout(500);
    assert.deepEqual(strange.requests, []);
    return Object.entries(refused)
      .map(([name, by]) => `${name} by ${by}`)
      .join(', ');
  };
  await report.check('attempts from the Worker', () => fromWorker(page, strange));

  await report.check('attempts from the service worker', async () => {
    strange.requests.length = 0;
    const [worker] = page.context().serviceWorkers();
    const refused = await attempt(worker, FROM_SERVICE_WORKER, strange.address);
    for (const [name, [directive]] of Object.entries(FROM_SERVICE_WORKER)) assert.equal(refused[name], directive, name);
    await page.waitForTimeout(500);
    assert.deepEqual(strange.requests, []);
    return Object.keys(refused).join(', ');
  });

  await report.check('windows, peer connections', async () => {
    strange.requests.length = 0;
    const opened = await page.evaluate(url => window.open(`${url}popup`) !== null, strange.address);
    assert.equal(opened, false, 'a window');
    for (const scope of [page, page.workers()[0]]) {
      assert.equal(await scope.evaluate(() => typeof RTCPeerConnection), 'undefined');
    }
    await page.waitForTimeout(500);
    assert.deepEqual(strange.requests, []);
    return 'refused by the sandbox; not there';
  });

  await report.check('powers that the page gave up', async () => {
    const given = new Set(await page.evaluate(() => document.featurePolicy.allowedFeatures()));
    const text = fs.readFileSync(path.join(world.root, 'web/page/headers.txt'), 'utf8');
    const denied = [.../([\w-]+)=\(\)/g[Symbol.matchAll](text)].map(([, name]) => name);
    assert.ok(denied.includes('camera') && denied.length > 20);
    assert.deepEqual(
      denied.filter(name => given.has(name)),
      [],
    );
    return `${denied.length} of Permissions-Policy`;
  });

  await report.check('offline', async () => {
    await app.stop();
    await page.reload();
    await tab.ready();
    await drop(page, file);
    await until('an image', async () => (await tab.text('image-count')) === '1');
    await tab.settled();
    await tab.set('threshold', 0.6);
    const [before] = table(csv.bytes);
    assert.deepEqual(table((await tab.download('csv')).bytes), [before]);
    return 'loaded again without a server, same numbers';
  });
  await page.context().close();

  await report.check('a plain file server, below a path', async () => {
    const plain = await plainServer(world.app, '/some/where/');
    const hosted = await world.tab(plain);
    await hosted.ready();
    await drop(hosted.page, file);
    await until('an image', async () => (await hosted.text('image-count')) === '1');
    await hosted.settled();
    assert.deepEqual(await hosted.states(), ['done']);
    const refused = await fromWorker(hosted.page, strange);
    await until('that it works offline', async () => (await hosted.text('offline')) === 'Works offline', 30);
    await plain.stop();
    await hosted.page.reload();
    await hosted.ready();
    assert.equal(await hosted.text('status'), 'Ready');
    assert.deepEqual(
      hosted.errors.filter(text => !/Content Security Policy/.test(text)),
      [],
    );
    await hosted.page.context().close();
    return `works, offline too; attempts from the Worker: ${refused}`;
  });
  await strange.stop();
}

/** Drops a file on the page. */
function drop(page, { name, bytes }) {
  return page.evaluate(
    ([base64, name]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(
        new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], name, { type: 'image/png' }),
      );
      document
        .getElementById('drop')
        .dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    },
    [bytes.toString('base64'), name],
  );
}
