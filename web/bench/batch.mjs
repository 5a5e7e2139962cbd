// Batches in the page, in headless Chromium on the CPU path: time, processor time and memory, by one Worker and by more.
//
//     scripts/web.sh
//     node web/bench/batch.mjs --tools DIR [options]         DIR: CARGO_TARGET_DIR/web-tools, made by web-tests.sh
//
// Options: --app web/dist   --chromium /usr/bin/chromium   --count 32   --width 775   --height 522   --cores 1,2
//          --rounds 3       --zip (the archive too; with --disk straight to a file, as where the user names one)
//          --first 5 (only: first load to first result, so many times)
//
// The images are drawn here (8 different ones, copied), as PNG. Rounds take turns: in each, every number of cores once,
// each in a browser of its own with a profile on disk, as a user's: in a private window Chromium keeps Blobs in memory.
// The page is told how many cores there are. Time is from the files' choice to the last result, of the archive from the
// click to the saved file; `unzip` checks and counts what is in it. Memory is proportional set size, sampled four times a second: of the tab (its process) and of
// the whole browser. With --first: from the first request to the first result, of an image chosen at once; program and
// model come from this machine, uncompressed, and what that takes stands beside it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuTime, descendants } from './cpu_time.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = value => ({ type: 'string', default: value });
const { values: options } = parseArgs({ options: {
  tools: text(), app: text(path.join(root, 'web/dist')), chromium: text('/usr/bin/chromium'),
  count: text('32'), width: text('775'), height: text('522'), cores: text('1,2'), rounds: text('3'), first: text('0'),
  zip: { type: 'boolean', default: false }, disk: { type: 'boolean', default: false },
} });
if (!options.tools) throw new Error('--tools is missing');
const load = createRequire(path.resolve(options.tools, 'node_modules', '_'));
const { chromium } = load('playwright-core');
process.env.WEB_TESTS_MODULES = path.resolve(options.tools, 'node_modules');
const { picture } = await import('../../tests/browser/page/images.mjs');
const { plainServer } = await import('../../tests/browser/page/server.mjs');
const { PNG } = load('pngjs');

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'histomask-batch-'));
const server = await plainServer(options.app);
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const median = values => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const mb = bytes => `${Math.round(bytes / 1e6)} MB`;

function draw(count, width, height) {
  const different = Array.from({ length: Math.min(8, count) }, (_, at) => {
    const png = new PNG({ width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false });
    png.data = picture(width, height, at + 1).pixels;
    const options = { colorType: 2, inputColorType: 2, inputHasAlpha: false, deflateLevel: 1, filterType: 1 };
    return PNG.sync.write(png, options);
  });
  return Array.from({ length: count }, (_, at) => {
    const file = path.join(work, `${String(at).padStart(4, '0')}.png`);
    fs.writeFileSync(file, different[at % different.length]);
    return file;
  });
}

/** Proportional set size in bytes, of the largest renderer and of all processes. */
function memory() {
  let [tab, all] = [0, 0];
  for (const pid of descendants()) {
    try {
      const size = 1024 * Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
      all += size;
      if (fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) tab = Math.max(tab, size);
    } catch {
      // it ended meanwhile
    }
  }
  return { tab, all };
}

/** What something takes: seconds, seconds of processor time, and the most memory meanwhile. */
async function measure(what) {
  const peak = { tab: 0, all: 0 };
  let going = true;
  const watching = (async () => {
    while (going) {
      const now = memory();
      for (const key of ['tab', 'all']) peak[key] = Math.max(peak[key], now[key]);
      await wait(250);
    }
  })();
  const [start, cpu] = [performance.now(), cpuTime()];
  await what();
  const taken = { seconds: (performance.now() - start) / 1000, cpu: (cpuTime() - cpu) / 1000 };
  going = false;
  await watching;
  return { ...taken, ...peak };
}

async function browser(cores) {
  const profile = fs.mkdtempSync(path.join(work, 'profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: options.chromium,
    chromiumSandbox: false,
    args: ['--disable-background-networking'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  // nobody answers a dialog here: an archive becomes a Blob, or with --disk goes to a file of the page's own
  await page.addInitScript(disk => {
    const folder = () => navigator.storage.getDirectory();
    const file = async () => (await folder()).getFileHandle('archive.zip', { create: true });
    Object.defineProperty(window, 'showSaveFilePicker', { value: disk ? file : undefined });
  }, options.disk);
  if (cores) {
    await page.addInitScript(cores => {
      Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => cores });
    }, cores);
  }
  return { context, page };
}

const states = page => page.evaluate(() => {
  const found = {};
  for (const { dataset } of document.querySelectorAll('#images > *')) found[dataset.state] = (found[dataset.state] ?? 0) + 1;
  return found;
});

async function batch(files, cores) {
  const { context, page } = await browser(cores);
  await page.goto(server.address);
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Ready');
  const predicting = await measure(async () => {
    await page.setInputFiles('#file-input', files);
    while ((await states(page)).done !== files.length) await wait(100);
  });
  assert.deepEqual(await states(page), { done: files.length });
  const workers = page.workers().length;
  let packing;
  if (options.zip) {
    let archive;
    packing = await measure(async () => {
      if (!options.disk) {
        const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download-zip')]);
        archive = await download.path();
        return;
      }
      await page.click('#download-zip');
      await page.waitForFunction(() => !document.getElementById('download-zip').disabled);
    });
    if (options.disk) archive = await fromDisk(page);
    packing.size = fs.statSync(archive).size;
    packing.entries = entries(archive);
  }
  await context.close();
  return { workers, predicting, packing };
}

/** The page's own file, saved. */
async function fromDisk(page) {
  const waiting = page.waitForEvent('download');
  await page.evaluate(async () => {
    const file = await (await (await navigator.storage.getDirectory()).getFileHandle('archive.zip')).getFile();
    const link = document.createElement('a');
    [link.href, link.download] = [URL.createObjectURL(file), 'archive.zip'];
    link.click();
  });
  return (await waiting).path();
}

/** How many files an archive holds; throws if one of them is damaged. */
function entries(archive) {
  const unzip = (...args) => execFileSync('unzip', [...args, archive], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  unzip('-tqq');
  return unzip('-Z1').trim().split('\n').length;
}

async function first(file) {
  const { context, page } = await browser();
  const start = performance.now();
  await page.goto(server.address, { waitUntil: 'commit' });
  await page.waitForSelector('#file-input', { state: 'attached' });
  await page.waitForFunction(() => document.getElementById('samples').children.length > 0);
  await page.setInputFiles('#file-input', file);
  await page.waitForSelector('#images [data-state=done]');
  const seconds = (performance.now() - start) / 1000;
  await context.close();
  return seconds;
}

const say = ({ seconds, cpu, tab, all }) =>
  `${seconds.toFixed(2)} s, processor ${cpu.toFixed(1)} s, tab ${mb(tab)}, browser ${mb(all)}`;
try {
  const [count, width, height, rounds] = ['count', 'width', 'height', 'rounds'].map(name => Number(options[name]));
  if (Number(options.first) > 0) {
    const [file] = draw(1, width, height);
    const taken = [];
    for (let round = 0; round < Number(options.first); round++) taken.push(await first(file));
    console.log(`first load to first result, ${width}×${height}: ${taken.map(value => value.toFixed(2)).join(', ')} s; median ${median(taken).toFixed(2)} s`);
  } else {
    const files = draw(count, width, height);
    const cores = options.cores.split(',').map(Number);
    const taken = new Map(cores.map(cores => [cores, []]));
    for (let round = 0; round < rounds; round++) {
      for (const number of round % 2 ? [...cores].reverse() : cores) {
        const { workers, predicting, packing } = await batch(files, number);
        taken.get(number).push(predicting.seconds);
        console.log(`${count} of ${width}×${height}, told of ${number} cores, ${workers} Workers: ${say(predicting)}`);
        if (packing) console.log(`  archive of ${packing.entries} files, ${mb(packing.size)}: ${say(packing)}`);
      }
    }
    const [base] = cores;
    for (const number of cores) {
      const ratios = taken.get(number).map((value, round) => value / taken.get(base)[round]);
      console.log(`${number} cores: median ${median(taken.get(number)).toFixed(2)} s, of the time with ${base}: ${ratios.map(ratio => ratio.toFixed(2)).join(', ')}`);
    }
  }
} finally {
  await server.stop();
  fs.rmSync(work, { recursive: true, force: true });
}
