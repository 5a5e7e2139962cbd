// What stops the program, or keeps it from starting: it starts again, and says why.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { picture, pngFile, shareApart } from './images.mjs';
import { until } from './report.mjs';
import { plainServer } from './server.mjs';

const PNG = 'image/png';

export async function recovery(world) {
  await panics(world);
  await cancelling(world);
  await starting(world);
}

/** Keeps the page's Workers where the checks can reach them. */
function keepWorkers() {
  window.workers = [];
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      window.workers.push(this);
    }
  };
}

const panic = page => page.evaluate(() => window.workers.at(-1).postMessage({ call: -1, name: 'panic', args: {} }));

async function panics(world) {
  const { report } = world;
  const image = { name: 'kept.png', mimeType: PNG, buffer: pngFile(picture(160, 120)) };
  const tab = await world.tab(world.plain, { before: page => page.addInitScript(keepWorkers) });
  const { page } = tab;
  const workers = count => page.waitForFunction(count => window.workers.length === count, count);
  const { why } = await tab.ready();
  await tab.add(image);

  await report.check('a panic', async () => {
    const before = await tab.painted();
    await panic(page);
    await workers(2);
    await tab.ready();
    assert.match(
      await tab.text('notice-text'),
      /^The computation was interrupted: .+ It starts again; results so far are kept\.$/,
    );
    assert.deepEqual(await tab.states(), ['done']);
    assert.equal(shareApart(before, await tab.painted(), 0), 0, 'the picture is there again');
    return await tab.text('notice-text');
  });

  await report.check('a panic while an image waits', async () => {
    await panic(page);
    await tab.add({ ...image, name: 'new.png' });
    await workers(3);
    const again = await tab.ready();
    assert.deepEqual(await tab.states(), ['done', 'done']);
    assert.deepEqual([again.kind, again.why], ['cpu', why], 'no GPU is blamed where none was');
    return 'it is predicted by the new Worker';
  });
  await report.check('console', async () => {
    assert.deepEqual(
      tab.errors.filter(text => !text.includes('asked to panic')),
      [],
    );
    return 'nothing but the panics';
  });
  await page.context().close();
}

async function cancelling(world) {
  const { report } = world;
  const tab = await world.tab(world.plain);
  await tab.ready();
  await report.check('cancel', async () => {
    const buffer = fs.readFileSync(world.samples[0]);
    const files = Array.from({ length: 8 }, (_, index) => ({ name: `${index}.jpg`, mimeType: 'image/jpeg', buffer }));
    await tab.page.setInputFiles('#file-input', files);
    await tab.page.waitForSelector('#images [data-state=done]');
    await tab.page.click('#cancel');
    await tab.settled();
    const states = await tab.states();
    const done = states.lastIndexOf('done') + 1;
    assert.ok(done >= 1 && done < 8, states.join());
    assert.deepEqual(states.slice(done), Array(8 - done).fill('cancelled'));
    await tab.ready();
    assert.ok(await tab.page.locator('#cancel').isHidden());
    await tab.page.locator('#images > *').last().click();
    assert.equal(await tab.text('retry'), 8 - done > 1 ? `Go on with ${8 - done} images` : 'Try again');
    await tab.page.click('#retry');
    await tab.settled();
    assert.deepEqual(await tab.states(), Array(8).fill('done'));
    return `${done} of 8 were done, the others later`;
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}

async function starting(world) {
  const { report } = world;
  await report.check('no WebGPU', async () => {
    const tab = await world.tab(world.plain);
    const { kind, why } = await tab.ready();
    assert.equal(kind, 'cpu');
    assert.equal(why, 'This browser offers no WebGPU adapter, so the CPU does the work.');
    await tab.page.context().close();
    const asked = await world.tab(world.plain, { query: '?device=gpu' });
    const other = await asked.ready();
    assert.equal(other.kind, 'cpu');
    assert.match(other.why, /^The GPU could not be used: this browser offers no WebGPU adapter/);
    await asked.page.context().close();
    return `${why} ${other.why}`;
  });

  await report.check('storage and service worker refused', async () => {
    const image = { name: 'one.png', mimeType: PNG, buffer: pngFile(picture(96, 64)) };
    const reasons = [];
    for (const refuse of [refuseAll, refuseRegistration]) {
      const tab = await world.tab(world.plain, { before: page => page.addInitScript(refuse) });
      await tab.ready();
      await tab.set('opacity', 0.6);
      await tab.add(image);
      assert.deepEqual(await tab.states(), ['done']);
      await until('a reason', async () => /^Not available offline: ./.test(await tab.text('offline')), 20);
      reasons.push(await tab.text('offline'));
      assert.deepEqual(tab.errors, []);
      await tab.page.context().close();
    }
    return reasons.join('; ');
  });

  await report.check('a model that does not arrive', async () => {
    const server = await plainServer(world.app);
    server.missing = /safetensors$/;
    const tab = await world.tab(server);
    await until('a notice', () => tab.page.locator('#notice').isVisible());
    const notice = await tab.text('notice-text');
    assert.match(
      notice,
      /^Histomask could not start: The model could not be loaded.* Check the connection and try again\.$/,
    );
    assert.equal(await tab.text('badge-name'), 'Not running');
    server.missing = undefined;
    await tab.page.click('#notice-action');
    await tab.ready();
    assert.equal(await tab.text('status'), 'Ready');
    await tab.page.context().close();
    await server.stop();
    return notice;
  });
}

/** As in a private window of some browsers. */
function refuseAll() {
  const refuse = () => {
    throw new DOMException('refused', 'SecurityError');
  };
  Object.defineProperty(window, 'localStorage', { get: refuse });
  Object.defineProperty(window, 'caches', { get: refuse });
  Object.defineProperty(window, 'indexedDB', { get: refuse });
  delete Navigator.prototype.serviceWorker;
}

function refuseRegistration() {
  Storage.prototype.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('refused', 'SecurityError'));
}
