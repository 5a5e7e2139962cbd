// A newer version of the app while tabs run the old one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { picture, pngFile } from './images.mjs';
import { until } from './report.mjs';
import { plainServer } from './server.mjs';
import { Tab } from './tab.mjs';

export async function updates(world) {
  const { report } = world;
  const image = { name: 'one.png', mimeType: 'image/png', buffer: pngFile(picture(160, 120)) };
  const folder = path.dirname(world.file('version', Buffer.alloc(0)));
  fs.cpSync(world.app, folder, { recursive: true });
  const server = await plainServer(folder);
  const context = await (await world.browser()).newContext();
  const caches = page => page.evaluate(async () => (await window.caches.keys()).length);

  await report.check('an update leaves alone what another tab still runs', async () => {
    const old = await Tab.open(context, server.address, page => page.addInitScript(keepWorkers));
    await old.ready();
    await until('it works offline', async () => (await old.text('offline')) === 'Works offline', 30);
    await old.add(image);
    newVersion(folder);
    const other = await Tab.open(context, server.address);
    await until('a new version', async () => /new version/.test(await other.text('notice-text')), 60);
    await other.page.click('#notice-action');
    await until('reloaded', async () => (await other.page.title()) === 'histomask 2', 60);
    await other.ready();
    await until('it works offline', async () => (await other.text('offline')) === 'Works offline', 30);
    assert.equal(await caches(other.page), 2, 'the old version is still there');

    // the server is gone, and the old tab needs its program anew
    await server.stop();
    await old.page.evaluate(() => window.workers.at(-1).postMessage({ call: -1, name: 'panic', args: {} }));
    await until('another Worker', () => old.page.evaluate(() => window.workers.length === 2));
    await old.ready();
    await old.add({ ...image, name: 'two.png' });
    assert.deepEqual(await old.states(), ['done', 'done']);
    assert.equal(await old.page.title(), 'histomask');
    await old.page.close();
    await other.page.reload();
    await other.ready();
    await until('the old version is gone', async () => (await caches(other.page)) === 1, 30);
    return 'it starts a Worker anew without the server; the last tab’s parts go with it';
  });
  await context.close();
  await server.stop();
  await asked(world, image);
}

/** Ways to leave the page that a reload does not cover. */
async function asked(world, image) {
  const { report } = world;
  const folder = path.dirname(world.file('version', Buffer.alloc(0)));
  fs.cpSync(world.app, folder, { recursive: true });
  const server = await plainServer(folder);
  const context = await (await world.browser()).newContext();
  const tab = await Tab.open(context, 'about:blank');
  const { page } = tab;

  await report.check('back, and the new version, ask before results that were not saved are lost', async () => {
    await page.goto(server.address);
    await tab.ready();
    await until('it works offline', async () => (await tab.text('offline')) === 'Works offline', 30);
    await tab.add(image);
    await page.locator('#images > *').first().click();
    tab.stays = true;
    await page.evaluate(() => history.back());
    await until('a question', () => tab.dialogs.length === 1, 10);
    assert.deepEqual(await tab.states(), ['done'], 'still here');

    newVersion(folder);
    await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
    await until('a new version', async () => /new version/.test(await tab.text('notice-text')), 60);
    await page.click('#notice-action');
    await until('a question', () => tab.dialogs.length === 2, 10);
    await until('it is offered again', () => page.locator('#notice').isVisible(), 10);
    assert.deepEqual(await tab.states(), ['done'], 'still here');
    assert.equal(await page.title(), 'histomask');
    // the old page goes on with the new version's service worker
    await tab.add({ ...image, name: 'two.png' });
    assert.deepEqual(await tab.states(), ['done', 'done']);

    tab.stays = false;
    await page.click('#notice-action');
    await until('reloaded', async () => (await page.title()) === 'histomask 2', 60);
    assert.deepEqual(tab.dialogs, Array(3).fill('beforeunload'));
    return 'and go on when the answer is no';
  });
  await report.check('console', async () => world.quiet(tab));
  await context.close();
  await server.stop();
}

function keepWorkers() {
  window.workers = [];
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      window.workers.push(this);
    }
  };
}

/** The app with another title, and with its Worker's script under another name. */
function newVersion(folder) {
  const texts = fs.readdirSync(folder, { recursive: true }).filter(name => /\.(html|js)$/.test(name));
  const worker = texts.find(name => /worker-[\w-]+\.js$/.test(name));
  const [before] = /worker-[\w-]+(?=\.js$)/.exec(worker);
  for (const name of texts) {
    const file = path.join(folder, name);
    const text = fs.readFileSync(file, 'utf8').replaceAll(before, 'worker-NewOne00');
    fs.writeFileSync(
      file,
      text
        .replace('<title>histomask</title>', '<title>histomask 2</title>')
        .replace(/version:`[0-9a-f]{12}`|"version":"[0-9a-f]{12}"/, found => found.replace(/[0-9a-f]{12}/, '000000000002')),
    );
  }
  fs.renameSync(path.join(folder, worker), path.join(folder, worker.replace(before, 'worker-NewOne00')));
}
