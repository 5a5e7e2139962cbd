// Whole slides in the tab: opened where they lie, a region predicted as `histomask predict --roi` does, in bounded memory,
// without a request.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { axe, parseCsv } from './libraries.mjs';
import { predict } from './native.mjs';
import { readMap } from './probability-map.mjs';
import { until } from './report.mjs';

/** Largest difference of probabilities and areas, and share of pixels that are apart by more than one level of 255. */
const TOLERANCE = 1e-4;
const APART = 1e-3;
/** Bytes that the tab's process may hold, whatever the file. */
const MOST_MEMORY = 600e6;

export async function slides(world) {
  const { report } = world;
  const file = small(world);
  if (file) await region(world, file);
  else report.skip('a real slide; no ../shared');
  await large(world);
}

export async function slidesOnGpu(world) {
  const file = small(world);
  if (!file) return world.report.skip('a real slide on WebGPU; no ../shared');
  await world.report.check('WebGPU: a region as histomask predict --roi', async () => {
    const tab = await world.tab(world.plain, { webgpu: true });
    assert.equal((await tab.ready()).kind, 'gpu');
    await open(tab.page, file);
    const words = await regionAsNative(world, tab, file, [0.46, 0.46], [0.54, 0.54]);
    world.quiet(tab);
    await tab.page.context().close();
    return words;
  });
}

function small({ root }) {
  const file = path.join(root, '../shared/data/slides/CMU-1-Small-Region.svs');
  return fs.existsSync(file) && file;
}

/** Draws a region, predicts it, and compares what is saved. */
async function regionAsNative(world, tab, file, ...corners) {
  const { page } = tab;
  await draw(page, ...corners);
  const chosen = await tab.text('slide-region');
  const [width, height, left, top] = chosen.match(/\d+/g).map(Number);
  await predicted(page);
  const ours = await results(tab);
  const ring = [[left, top], [left + width, top], [left + width, top + height], [left, top + height], [left, top]];
  const roi = { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } };
  const roiFile = world.file('region.geojson', JSON.stringify(roi));
  const native = predict(world.program, world.model, [file], path.join(path.dirname(roiFile), 'out'), ['--roi', roiFile]);
  return `${chosen}: ${compare(ours, native, path.basename(file, '.svs'))}`;
}

async function region(world, file) {
  const { report } = world;
  const tab = await world.tab(world.plain);
  const { page } = tab;
  const requests = [];
  await report.check('a slide opens, its label unseen', async () => {
    await tab.ready();
    await until('that it works offline', async () => (await tab.text('offline')) === 'Works offline', 60);
    page.on('requestfinished', async request => {
      // the service worker answers for the page's own parts
      if (!(await request.response())?.fromServiceWorker()) requests.push(request.url());
    });
    await open(page, file);
    const facts = await tab.text('slide-facts');
    assert.match(facts, /2220 × 2967 px/);
    assert.match(facts, /0\.4990\sµm/);
    assert.match(facts, /label.*not shown/);
    await until('the slide', async () => (await colours(page, '#slide-view canvas')) > 1000, 20);
    return facts.replaceAll(/\s+/g, ' ');
  });

  await report.check('a region as histomask predict --roi', async () => {
    const words = await regionAsNative(world, tab, file, [0.3, 0.25], [0.7, 0.6]);
    const painted = await colours(page, '#slide-view canvas');
    assert.ok(painted > 1000);
    return words;
  });

  await report.check('axe-core, a slide', async () => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), []);
    return 'opened, with a result';
  });

  await report.check('another threshold, and the mask hidden', async () => {
    const before = await tab.text('slide-numbers');
    await setThreshold(page, 0.8);
    await until('other numbers', async () => (await tab.text('slide-numbers')) !== before, 60);
    await page.keyboard.press('h');
    assert.equal(await page.locator('#slide-mask').getAttribute('aria-pressed'), 'false');
    await page.keyboard.press('h');
    return 'numbers follow';
  });

  await report.check('stopped, gone on with', async () => {
    await page.click('#slide-whole');
    await page.click('#slide-run');
    await until('a part', async () => /^Part ([2-9]|\d\d)/.test(await tab.text('status')), 120);
    await page.click('#slide-stop');
    await until('a stop', async () => /^Stopped after/.test(await tab.text('status')), 60);
    const stopped = await tab.text('status');
    assert.equal(await tab.text('slide-run'), 'Go on');
    await predicted(page);
    const ours = await results(tab);
    const folder = path.dirname(world.file('none', ''));
    const native = predict(world.program, world.model, [file], path.join(folder, 'out'), ['--threshold', '0.8']);
    const words = compare(ours, native, path.basename(file, '.svs'));
    const tissue = await saved(tab, 'tissue');
    assert.deepEqual(JSON.parse(tissue), JSON.parse(native[`${path.basename(file, '.svs')}_tissue.geojson`]));
    await page.waitForTimeout(2000);
    await page.screenshot({ path: path.join(world.screenshots, 'slide.png') });
    return `${stopped}; then all tissue: ${words}`;
  });

  await report.check('two regions, and tissue of one’s own from GeoJSON, as --roi and --tissue', async () => {
    const rectangle = (left, top, right, bottom) => ({
      type: 'Feature',
      properties: { classification: { name: 'Tissue' } },
      geometry: { type: 'Polygon', coordinates: [[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]] },
    });
    const collection = (...features) => JSON.stringify({ type: 'FeatureCollection', features });
    const regions = collection(rectangle(300, 300, 900, 1000), rectangle(1000, 900, 1900, 1500));
    const tissue = collection(rectangle(500, 200, 1700, 2400));
    const [regionFile, tissueFile] = [world.file('regions.geojson', regions), world.file('own.geojson', tissue)];
    await page.setInputFiles('#slide-region-input', regionFile);
    await until('regions', async () => /^2 regions/.test(await tab.text('slide-region')));
    // as dropped: it calls itself tissue
    await page.setInputFiles('#file-input', tissueFile);
    await until('tissue', async () => /own\.geojson/.test(await tab.text('slide-tissue-line')));
    await page.setInputFiles('#slide-region-input', world.file('elsewhere.geojson', collection(rectangle(1e6, 0, 2e6, 9))));
    await until('a refusal', async () => /elsewhere\.geojson.*lie outside/.test(await tab.text('notice-text')));
    await page.click('#notice-close');
    await predicted(page);
    const before = await tab.text('slide-numbers');
    await setThreshold(page, 0.5);
    await until('other numbers', async () => (await tab.text('slide-numbers')) !== before, 60);
    const ours = await results(tab);
    const out = path.join(path.dirname(world.file('none', '')), 'out');
    const options = ['--roi', regionFile, '--tissue', tissueFile];
    const words = compare(ours, predict(world.program, world.model, [file], out, options), path.basename(file, '.svs'));
    await page.screenshot({ path: path.join(world.screenshots, 'slide-regions.png') });
    await page.click('#slide-tissue-found');
    await page.click('#slide-whole');
    return words;
  });

  await report.check('closing asks while results are not saved', async () => {
    await draw(page, [0.45, 0.35], [0.52, 0.45]);
    await draw(page, [0.5, 0.5], [0.55, 0.55]);
    assert.match(await tab.text('slide-region'), /^2 regions/);
    await page.click('#slide-undo');
    assert.doesNotMatch(await tab.text('slide-region'), /regions/);
    await predicted(page);
    const before = tab.dialogs.length;
    tab.stays = true;
    await page.click('#slide-close');
    assert.deepEqual(tab.dialogs.slice(before), ['confirm']);
    assert.ok(await page.locator('#slide-result').isVisible(), 'it stays');
    tab.stays = false;
    await results(tab);
    return 'and not once they are';
  });

  await report.check('no request for a slide', async () => {
    const asked = requests.filter(url => !/^(blob|data):/.test(url) && !url.endsWith('/sw.js'));
    assert.deepEqual(asked, []);
    return 'opened, predicted, saved';
  });
  await report.check('closed, the images are back', async () => {
    await page.click('#slide-close');
    assert.ok(await page.locator('#drop').isVisible());
    world.quiet(tab);
    return 'nothing in the console';
  });
  await page.context().close();
}

async function large(world) {
  const { report } = world;
  const file = world.file('large.tif', '');
  await report.check('a slide of 50,000 × 50,000 pixels in bounded memory', async () => {
    execFileSync(path.join(path.dirname(world.program), 'examples/large-slide'), [file, '50000', '0.02']);
    const tab = await world.tab(world.plain);
    const { page } = tab;
    await tab.ready();
    await open(page, file);
    await draw(page, [0.45, 0.45], [0.52, 0.52]);
    const chosen = await tab.text('slide-region');
    await page.click('#slide-run');
    let most = 0;
    await until('a result', async () => {
      most = Math.max(most, await memory(page));
      return page.locator('#slide-result').isVisible();
    }, 300);
    assert.ok(most <= MOST_MEMORY, `${(most / 1e6).toFixed(0)} MB`);
    const numbers = (await tab.text('slide-numbers')).replaceAll(/\s+/g, ' ');
    await page.waitForTimeout(2000);
    await page.screenshot({ path: path.join(world.screenshots, 'large-slide.png') });
    world.quiet(tab);
    await page.context().close();
    return `${chosen}: ${numbers}; at most ${(most / 1e6).toFixed(0)} MB in the tab's process`;
  });
}

/** Adds a slide and waits until it is seen. */
async function open(page, file) {
  await page.setInputFiles('#file-input', file);
  await page.waitForSelector('body.slide');
  await page.waitForTimeout(2500);
}

/** Predicts what is chosen, or goes on, until there is a result. */
async function predicted(page) {
  await page.click('#slide-run');
  await page.waitForSelector('#slide-result', { state: 'hidden' });
  await page.waitForSelector('#slide-result:not([hidden])', { timeout: 300_000 });
}

/** Draws a rectangle over the stage, corners as shares of it. */
async function draw(page, [left, top], [right, bottom]) {
  const box = await page.locator('#slide-stage').boundingBox();
  await page.click('#slide-draw');
  await page.mouse.move(box.x + left * box.width, box.y + top * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + right * box.width, box.y + bottom * box.height, { steps: 4 });
  await page.mouse.up();
}

async function setThreshold(page, value) {
  await page.locator('#slide-threshold').evaluate((input, value) => {
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }, String(value));
}

/** The downloads, by kind. */
async function results(tab) {
  const files = {};
  for (const kind of ['geojson', 'map', 'table', 'tiles']) files[kind] = await saved(tab, kind);
  return files;
}

async function saved(tab, kind) {
  const waiting = tab.page.waitForEvent('download');
  await tab.page.click(`#slide-${kind}`);
  return fs.readFileSync(await (await waiting).path());
}

/** The page's results beside those of `histomask predict`. */
function compare(ours, native, stem) {
  const [map, other] = [ours.map, native[`${stem}_probability.tif`]].map(bytes => readMap(bytes));
  assert.deepEqual([map.width, map.height], [other.width, other.height], 'size of the map');
  let [apart, foreground] = [0, 0];
  map.values.forEach((value, at) => {
    apart += Math.abs(value - other.values[at]) > 1;
    foreground += value >= 128;
  });
  assert.ok(foreground > 0, 'there is foreground');
  assert.ok(apart / foreground <= APART, `${apart} pixels of the map are apart, beside ${foreground} of foreground`);
  const [row, theirs] = [ours.table, native['slides.csv']].map(csv => parseCsv(csv, { columns: true })[0]);
  let largest = 0;
  for (const [column, value] of Object.entries(row)) {
    if (column === 'path') continue;
    assert.ok(column in theirs, column);
    if (column === 'regions') continue;
    if (!/\d/.test(value)) assert.equal(value, theirs[column], column);
    else {
      const apart = Math.abs(value - theirs[column]) / Math.max(1, Math.abs(value));
      assert.ok(apart <= 10 * TOLERANCE, `${column}: ${value} and ${theirs[column]}`);
      largest = Math.max(largest, apart);
    }
  }
  const polygons = JSON.parse(ours.geojson).features;
  assert.equal(polygons.length, Number(row.regions));
  assert.match(polygons[0].geometry.type, /Polygon/);
  assert.equal(parseCsv(ours.tiles, { columns: true }).length, Number(row.tiles));
  return `${apart} of ${map.values.length} pixels apart, numbers by ${largest.toExponential(1)}, ${polygons.length} regions`;
}

/** Different colours of a canvas. */
function colours(page, selector) {
  return page.locator(selector).first().evaluate(canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return seen.size;
  });
}

/** Resident bytes of the tab's own process. */
async function memory(page) {
  const session = await page.context().browser().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const resident = id => {
    try {
      const [, pages] = fs.readFileSync(`/proc/${id}/statm`, 'utf8').split(' ');
      return 4096 * Number(pages);
    } catch {
      return 0;
    }
  };
  return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => resident(id)));
}
