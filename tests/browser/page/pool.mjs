// Batches by several Workers: the same results as by one, whatever happens to one of them; and archives on disk.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { bmpFile, picture, pngFile } from './images.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';

/** Keeps the page's Workers that predict, and what they were told. */
function keepWorkers() {
  window.workers = [];
  window.told = [];
  window.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      if (options.name === 'histomask') window.workers.push(this);
    }
    postMessage(message, ...rest) {
      if (message.name === 'start') {
        const { program, model } = message.args;
        window.told.push({ compiled: program instanceof WebAssembly.Module, loaded: model instanceof Blob });
      }
      if (message.name === 'predict') window.told.push({ id: message.args.image.id, by: window.workers.indexOf(this) });
      super.postMessage(message, ...rest);
    }
  };
}

/** A machine as the page sees it. */
function machine({ cores, memory }) {
  Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => cores });
  Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => memory });
}

export async function pool(world) {
  const { report } = world;
  const images = Array.from({ length: 16 }, (_, at) => ({
    name: `${at}.jpg`,
    mimeType: 'image/jpeg',
    buffer: fs.readFileSync(world.samples[at % world.samples.length]),
  }));
  const on = async seen => {
    const tab = await world.tab(world.plain, {
      before: async page => {
        await page.addInitScript(keepWorkers);
        await page.addInitScript(machine, seen);
      },
    });
    await tab.ready();
    return tab;
  };
  const workers = tab => tab.page.evaluate(() => window.workers.length);
  const told = tab => tab.page.evaluate(() => window.told);
  let alone;

  await report.check('one core, or little memory: one Worker', async () => {
    for (const seen of [
      { cores: 1, memory: 8 },
      { cores: 8, memory: 0.05 },
    ]) {
      const tab = await on(seen);
      await tab.add(...images);
      assert.equal(await workers(tab), 1, JSON.stringify(seen));
      alone ??= await tab.archive();
      await tab.page.context().close();
    }
    return `${Object.keys(alone).length} files`;
  });

  await report.check('two Workers: the same files in the same order', async () => {
    const tab = await on({ cores: 2, memory: 8 });
    const loads = () => world.plain.requests.filter(line => /\.(wasm|safetensors)$/.test(line)).length;
    const before = loads();
    await tab.add(...images);
    assert.equal(await workers(tab), 2);
    const [first, second] = (await told(tab)).filter(({ id }) => id === undefined);
    assert.deepEqual(first, { compiled: true, loaded: false }, 'compiled while the service worker came');
    assert.deepEqual(second, { compiled: true, loaded: true }, 'program and model are handed on');
    assert.equal(loads(), before, 'nothing is loaded a second time');
    const both = await tab.archive();
    assert.deepEqual(Object.keys(both), Object.keys(alone));
    for (const [name, bytes] of Object.entries(alone)) assert.ok(bytes.equals(both[name]), name);
    await tab.clear();
    await until('one Worker', () => tab.page.workers().length === 1, 20);
    await world.quiet(tab);
    await tab.page.context().close();
    return `${table(both['predictions.csv']).length} images, bit by bit`;
  });

  await report.check('a Worker that dies: only its image is computed again', async () => {
    const tab = await on({ cores: 2, memory: 8 });
    await tab.page.setInputFiles('#file-input', images);
    await until('two Workers at work', async () => (await told(tab)).filter(({ compiled }) => compiled).length === 1);
    await until('some of both', async () => (await tab.states()).filter(state => state === 'done').length > 3);
    await tab.page.evaluate(() => window.workers[1].postMessage({ call: -1, name: 'panic', args: {} }));
    await until('a third Worker', async () => (await workers(tab)) === 3);
    await tab.settled();
    assert.deepEqual(await tab.states(), Array(16).fill('done'));
    const times = new Map();
    for (const { id } of await told(tab)) if (id !== undefined) times.set(id, (times.get(id) ?? 0) + 1);
    const again = [...times.values()].filter(count => count > 1);
    assert.ok(again.length <= 1 && again.every(count => count === 2), JSON.stringify(await told(tab)));
    const rows = table((await tab.download('csv')).bytes);
    assert.deepEqual(rows, table(alone['predictions.csv']));
    await tab.page.context().close();
    return `${again.length} of 16`;
  });

  await report.check('cancelled: what was computed stays, and goes on', async () => {
    const tab = await on({ cores: 2, memory: 8 });
    await tab.page.setInputFiles('#file-input', images);
    await until('some', async () => (await tab.states()).filter(state => state === 'done').length > 4);
    await tab.page.click('#cancel');
    await tab.settled();
    const states = await tab.states();
    const done = states.filter(state => state === 'done').length;
    assert.ok(done > 4 && done < 16, states.join());
    assert.deepEqual([...new Set(states)].sort(), ['cancelled', 'done']);
    await tab.page.locator('#images [data-state=cancelled]').first().click();
    await tab.page.click('#retry');
    await tab.settled();
    assert.deepEqual(table((await tab.download('csv')).bytes), table(alone['predictions.csv']));
    await world.quiet(tab);
    await tab.page.context().close();
    return `${done} of 16, the others later`;
  });

  await report.check('another model in the middle of a batch', async () => {
    const tab = await on({ cores: 2, memory: 8 });
    await tab.page.setInputFiles('#file-input', images);
    await until('some', async () => (await tab.states()).filter(state => state === 'done').length > 3);
    await tab.loadModel({ name: 'same.safetensors', mimeType: '', buffer: fs.readFileSync(world.model) });
    await tab.settled();
    assert.deepEqual(table((await tab.download('csv')).bytes), table(alone['predictions.csv']));
    await world.quiet(tab);
    await tab.page.context().close();
    return 'all are the new model’s';
  });

  await report.check('an image whose file is gone: the archive has the others and names it', async () => {
    const tab = await on({ cores: 1, memory: 8 });
    const files = ['kept.png', 'gone.png'].map((name, at) => world.file(name, pngFile(picture(160, 120, at))));
    await tab.add(...files);
    fs.rmSync(files[1]);
    // its results are lost with the Worker
    await tab.page.evaluate(() => window.workers[0].postMessage({ call: -1, name: 'panic', args: {} }));
    await until('another Worker', async () => (await workers(tab)) === 2);
    await tab.ready();
    const entries = await tab.archive();
    assert.deepEqual(Object.keys(entries).filter(name => name.endsWith('_mask.png')), ['kept_mask.png']);
    const run = JSON.parse(entries['run.json']);
    assert.equal(run.images, 1);
    assert.deepEqual(run.failed.map(({ path }) => path), ['gone.png']);
    const notice = await tab.text('notice-text');
    assert.match(notice, /^1 image could not be packed\. “gone\.png”: The file can no longer be read/);
    await tab.page.context().close();
    return notice;
  });

  await report.check('a large batch straight to disk', async () => {
    const tab = await on({ cores: 2, memory: 8 });
    // the dialog is the browser's; what it gives back is a file of the page's own storage here
    await tab.page.evaluate(() => {
      window.showSaveFilePicker = async ({ suggestedName }) => {
        const folder = await navigator.storage.getDirectory();
        return folder.getFileHandle(suggestedName, { create: true });
      };
    });
    const large = bmpFile(picture(4000, 3500));
    await tab.add(...Array.from({ length: 4 }, (_, at) => world.file(`${at}.bmp`, large)));
    await tab.page.click('#download-zip');
    // it is named at once, and filled when it is closed
    const packed = () => tab.page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const handle = await folder.getFileHandle('histomask-predictions.zip').catch(() => undefined);
      const file = await handle?.getFile();
      if (!file?.size) return undefined;
      const end = new Uint8Array(await file.slice(-22).arrayBuffer());
      return { bytes: file.size, entries: end[10] + 256 * end[11] };
    });
    let size;
    await until('it is packed', async () => (size = await packed()) !== undefined, 120);
    await tab.settled();
    assert.equal(size.entries, 4 * 4 + 2);
    const starts = async () => (await told(tab)).filter(({ id }) => id === undefined).length;
    const before = await starts();
    await tab.clear();
    await until('a Worker in place of the one that holds much memory', async () => (await starts()) > before, 20);
    await tab.ready();
    assert.equal(tab.page.workers().length, 1);
    await world.quiet(tab);
    await tab.page.context().close();
    return `${size.entries} entries, ${(size.bytes / 1e6).toFixed(1)} MB, no download; cleared, its memory is given back`;
  });
}
