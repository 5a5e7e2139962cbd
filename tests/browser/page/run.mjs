// WEB_TESTS_MODULES=FOLDER node run.mjs APP PROGRAM CHROMIUM SCREENSHOTS [SUITE…]
//
// The page in headless Chromium: APP is what scripts/web.sh builds, PROGRAM the native histomask, whose predictions the
// page's are compared with. One line for each check; the last one counts them as cargo does. Exit code 1 if one failed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { accessibility } from './accessibility.mjs';
import { launch } from './browser.mjs';
import { budget } from './budget.mjs';
import { compare } from './compare.mjs';
import { controls } from './controls.mjs';
import { downloads } from './downloads.mjs';
import { failures } from './failures.mjs';
import { foreignSlides } from './foreign-slides.mjs';
import { gpuFaults } from './gpu-faults.mjs';
import { predict } from './native.mjs';
import { numbersOnCpu, numbersOnGpu } from './numbers.mjs';
import { npmPackage } from './package.mjs';
import { painting } from './painting.mjs';
import { pool } from './pool.mjs';
import { privacy } from './privacy.mjs';
import { recovery } from './recovery.mjs';
import { Report } from './report.mjs';
import { takeScreenshots } from './screenshots.mjs';
import { plainServer } from './server.mjs';
import { slides, slidesOnGpu } from './slides.mjs';
import { Tab } from './tab.mjs';
import { tiling } from './tiling.mjs';
import { updates } from './updates.mjs';

const [app, program, executablePath, screenshots, ...asked] = process.argv.slice(2);
const SUITES = {
  budget,
  numbersOnCpu,
  tiling,
  slides,
  foreignSlides,
  painting,
  controls,
  compare,
  downloads,
  pool,
  npmPackage,
  failures,
  accessibility,
  recovery,
  updates,
  privacy,
  takeScreenshots,
};
const GPU_SUITES = { numbersOnGpu, slidesOnGpu, gpuFaults };

const root = fileURLToPath(new URL('../../..', import.meta.url));
const glas = path.join(root, '../shared/data/glas/images/train_1.png');
const sampleFolder = path.join(root, 'web/page/samples');
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'histomask-page-'));
let folders = 0;

/** What a suite works with. */
const world = {
  report: new Report(),
  app,
  program,
  executablePath,
  root,
  screenshots,
  model: path.join(root, 'native/assets/glas.safetensors'),
  samples: fs.readdirSync(sampleFolder).map(name => path.join(sampleFolder, name)),
  glas: fs.existsSync(glas) && glas,
  plain: await plainServer(app),
  browsers: {},

  /** A file for a check, of a folder of its own. */
  file(name, bytes) {
    const folder = path.join(work, String(folders++));
    fs.mkdirSync(folder);
    const file = path.join(folder, name);
    fs.writeFileSync(file, bytes);
    return file;
  },

  /** What `histomask predict` says, as files by name; with the page's opacity when nobody has touched it. */
  native(images, { model = this.model, options = ['--opacity', '0.45', '--geojson'] } = {}) {
    return predict(program, model, images, path.join(work, String(folders++)), options);
  },

  browser(webgpu = false) {
    return (this.browsers[webgpu] ??= launch(executablePath, webgpu));
  },

  /** The architecture of the GPU adapter; undefined without one. */
  async adapter() {
    const page = await (await this.browser(true)).newPage();
    await page.goto(this.plain.address);
    const adapter = await page.evaluate(async () => (await navigator.gpu?.requestAdapter())?.info.architecture);
    await page.context().close();
    return adapter;
  },

  /** A tab of its own browser profile. */
  async tab(server, { webgpu = false, query = webgpu ? '?device=gpu' : '', before, ...context } = {}) {
    const browser = await this.browser(webgpu);
    return Tab.open(await browser.newContext(context), server.address + query, before);
  },

  quiet(tab) {
    assert.deepEqual(tab.errors, []);
    return 'nothing in it';
  },
};

async function run(suites) {
  for (const [name, suite] of Object.entries(suites)) {
    if (asked.length && !asked.includes(name)) continue;
    const start = performance.now();
    await suite(world).catch(error => world.report.check(name, () => Promise.reject(error)));
    console.log(`${name} took ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
}

try {
  const adapter = await world.adapter();
  console.log(`Chromium ${(await world.browser()).version()}, WebGPU adapter ${adapter ?? 'none'}`);
  await run(SUITES);
  if (adapter === undefined) world.report.skip('WebGPU; this browser has no adapter');
  else await run(GPU_SUITES);
} finally {
  for (const browser of Object.values(world.browsers)) await (await browser).close();
  await world.plain.stop();
  fs.rmSync(work, { recursive: true, force: true });
}
console.log(world.report.line);
if (world.report.failed) process.exitCode = 1;
