// histomask in a browser tab beside ONNX Runtime Web, on the same image and the same network.
//
//     web/bench/run.sh [options]        installs the peers outside of the repository, exports the network, runs this
//     node web/bench/run.mjs --tools DIR --onnx FILE --image FILE [options]
//
// Options: --devices cpu,gpu   --measure network,predict   --rounds 15   --cold 3   --gpu-rounds 3   --gpu-cold 1
//          --json FILE   --pkg web/pkg   --model native/assets/glas.safetensors   --chromium /usr/bin/chromium
//          --adapter swiftshader
//
// How to read it. All times are milliseconds, medians; a ratio is ours / ONNX Runtime's, below 1 we are faster.
// - cold: a browser that was never opened before, from nothing to the first result: module and model fetched from this
//   machine (uncompressed; the bytes stand beside it), compiled, and the first image predicted. Each sample has its own
//   browser.
// - warm: one tab holds both. The two take turns, and every second round starts with the other, so that whatever else
//   the machine does hits both; the ratio is the median of the rounds' ratios, its range in brackets.
//   `predict`: image file (made a PNG) in memory → class, background and soft mask at the image's size, in memory. ONNX
//   Runtime has no decoder: the browser decodes; JavaScript scales (by the rule the model was trained with),
//   normalises, and brings the mask to the image's size.
//   `network`: ONNX Runtime: tensor in memory → class, background and mask at the model's size, in memory. Ours takes
//   an uncompressed BMP of that size, because it takes files only; so its time includes reading it.
// - cpu: wasm SIMD, one thread each. gpu: WebGPU; each run ends with its results read back. `--adapter` is Chromium's:
//   swiftshader computes on the CPU and says little about GPUs; `default` takes the machine's own.
// - CPU time is that of all the browser's processes during a run (Linux only). Where other programs compete for the
//   cores, the clock also counts waiting for them; CPU time does not, so its ratio is the one to trust there.
// - Both must give the same class and mask (see `allowed`); exit code 1 if not.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuTime } from './cpu_time.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = path.join(here, '../..');
const text = value => ({ type: 'string', default: value });
const { values: options } = parseArgs({ options: {
  tools: text(), onnx: text(), image: text(), json: text(),
  devices: text('cpu,gpu'), measure: text('network,predict'),
  rounds: text('15'), 'gpu-rounds': text('3'), cold: text('3'), 'gpu-cold': text('1'),
  pkg: text(path.join(root, 'web/pkg')), model: text(path.join(root, 'native/assets/glas.safetensors')),
  chromium: text('/usr/bin/chromium'), adapter: text('swiftshader'),
} });
for (const name of ['tools', 'onnx', 'image']) if (!options[name]) throw new Error(`--${name} is missing`);
const modules = path.resolve(options.tools, 'node_modules');
const { chromium } = createRequire(path.join(modules, '_'))('playwright-core');
const version = name => JSON.parse(fs.readFileSync(path.join(modules, name, 'package.json'))).version;

// without the rest a canvas that WebGPU paints takes the device with it
const SOFTWARE = ['--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--use-vulkan=swiftshader',
  '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];
const NAMES = ['histomask', 'onnxruntime'];
// largest differences: on the same input, and where each side scaled the image itself, to levels that round differently
const allowed = { network: { probabilities: 1e-3, mask: 5e-3 }, predict: { probabilities: 5e-3, mask: 0.01 } };

function card(file) {
  const bytes = fs.readFileSync(file);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())));
  return header.__metadata__.histomask;
}

const script = 'text/javascript';
const types = { '.html': 'text/html', '.js': script, '.mjs': script, '.wasm': 'application/wasm' };
const files = { '/model.safetensors': options.model, '/model.onnx': options.onnx, '/image': options.image };
const folders = { pkg: options.pkg, ort: path.join(modules, 'onnxruntime-web/dist') };
const server = http.createServer((request, response) => {
  const name = new URL(request.url, 'http://_').pathname;
  const [, folder, base] = name.match(/^\/(?:(\w+)\/)?([\w.-]*)$/) ?? [];
  // isolated, as `histomask serve` does; times are finer then
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-embedder-policy', 'require-corp');
  if (name === '/favicon.ico') return response.writeHead(204).end();
  response.setHeader('content-type', types[path.extname(base || 'index.html')] ?? 'application/octet-stream');
  if (name === '/card.json') return response.end(card(options.model));
  const file = files[name] ?? path.join(folder ? folders[folder] ?? '' : here, base || 'index.html');
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  fs.createReadStream(file).pipe(response);
});

async function open() {
  const browser = await chromium.launch({
    executablePath: options.chromium,
    chromiumSandbox: false,
    args: [
      '--enable-unsafe-webgpu', '--disable-background-networking',
      ...(options.adapter === 'swiftshader' ? SOFTWARE : options.adapter === 'default' ? [] :
        [`--use-webgpu-adapter=${options.adapter}`]),
    ],
  });
  const page = await browser.newPage();
  page.on('pageerror', error => say(error.message));
  page.on('console', message => { if (message.type() === 'error') say(message.text()); });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => window.bench);
  return { browser, page };
}

const say = line => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
const bench = (page, name, ...given) =>
  page.evaluate(({ name, given }) => window.bench[name](...given), { name, given });

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function cold(device, samples) {
  const runs = { histomask: [], onnxruntime: [] };
  for (let i = 0; i < samples; i++) {
    for (const name of i % 2 ? [...NAMES].reverse() : NAMES) {
      const { browser, page } = await open();
      const before = cpuTime();
      const parts = await bench(page, 'open', name, device);
      runs[name].push({ ...parts, cpu: cpuTime() - before });
      await browser.close();
      say(`${device} cold ${name}: ${Math.round(runs[name].at(-1).total)} ms`);
    }
  }
  const parts = Object.keys(runs.histomask[0] ?? {});
  return Object.fromEntries(NAMES.map(name =>
    [name, Object.fromEntries(parts.map(part => [part, median(runs[name].map(run => run[part]))]))]));
}

async function warm(device, rounds, size) {
  const { browser, page } = await open();
  for (const name of NAMES) await bench(page, 'open', name, device);
  await bench(page, 'prepare', size);
  const result = {};
  for (const what of options.measure.split(',')) {
    const runs = { histomask: [], onnxruntime: [] };
    // on the CPU first some rounds for the browser's optimising compiler
    for (let i = device === 'cpu' ? -6 : 0; i < rounds; i++) {
      for (const name of i % 2 ? [...NAMES].reverse() : NAMES) {
        const before = cpuTime();
        const clock = await bench(page, 'run', name, what);
        if (i >= 0) runs[name].push({ clock, cpu: cpuTime() - before });
      }
      const last = NAMES.map(name => Math.round(runs[name].at(-1)?.clock));
      if (device === 'gpu') say(`gpu ${what}: ${last.join(' against ')} ms`);
    }
    const difference = await bench(page, 'compare');
    say(`${device} ${what}: results differ by ${JSON.stringify(difference)}`);
    const ratio = Object.fromEntries(['clock', 'cpu'].map(of => {
      const all = runs.histomask.map((run, i) => run[of] / runs.onnxruntime[i][of]);
      return [of, { median: median(all), least: Math.min(...all), most: Math.max(...all) }];
    }));
    const [first, second] = difference.classes;
    const same = first === second && Object.entries(allowed[what]).every(([part, most]) => difference[part] <= most);
    result[what] = {
      ...Object.fromEntries(NAMES.map(name => {
        const of = part => median(runs[name].map(run => run[part]));
        return [name, { clock: of('clock'), cpu: of('cpu'), runs: runs[name] }];
      })),
      ratio, difference, same,
    };
  }
  await browser.close();
  return result;
}

await new Promise(listening => server.listen(0, '127.0.0.1', listening));
const { browser, page } = await open();
const about = {
  browser: `Chromium ${browser.version()}`,
  onnxruntime_web: version('onnxruntime-web'),
  adapter: await bench(page, 'adapter'),
  processor: `${os.cpus()[0].model}, ${os.cpus().length} cores`,
  load_before: os.loadavg(),
};
const size = await page.evaluate(async ({ short }) => {
  const { width, height } = await createImageBitmap(await (await fetch('/image')).blob());
  const scaled = side => Math.floor(side * short / Math.min(width, height));
  return { image: [width, height], model: [scaled(width), scaled(height)] };
}, { short: JSON.parse(card(options.model)).input.size });
await browser.close();

const result = { ...about, ...size, date: new Date().toISOString() };
let same = true;
for (const device of options.devices.split(',')) {
  if (device === 'gpu' && !about.adapter) {
    say('this browser has no WebGPU');
    continue;
  }
  const number = name => Number(options[device === 'gpu' ? `gpu-${name}` : name]);
  result[device] = {
    cold: await cold(device, number('cold')),
    warm: await warm(device, number('rounds'), size.model),
  };
  same &&= Object.values(result[device].warm).every(({ same }) => same);
}
result.load_after = os.loadavg();
server.close();

const ms = value => (value === undefined ? '-' : value.toFixed(value < 100 ? 1 : 0)).padStart(9);
console.log(`${about.browser}, onnxruntime-web ${about.onnxruntime_web}, WebGPU adapter ${about.adapter ?? 'none'}`);
console.log(`${about.processor}, load ${about.load_before[0].toFixed(1)} to ${result.load_after[0].toFixed(1)}; `
  + `image ${size.image.join('x')}, model's input ${size.model.join('x')}\n`);
console.log(`${''.padEnd(28)} ours, ms  ORT Web, ms  ratio`);
const line = (name, ours, theirs, rest = '') => console.log(`${name.padEnd(28)}${ms(ours)}    ${ms(theirs)}   ${rest}`);
for (const device of ['cpu', 'gpu'].filter(device => result[device])) {
  const { cold, warm } = result[device];
  for (const what of Object.keys(warm)) {
    const { histomask, onnxruntime, ratio, same } = warm[what];
    for (const [of, name] of [['clock', ''], ['cpu', ', CPU time']]) {
      const { median, least, most } = ratio[of];
      if (Number.isNaN(median)) continue;
      line(`${device} warm ${what}${name}`, histomask[of], onnxruntime[of],
        `${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})${same ? '' : '  RESULTS DIFFER'}`);
    }
  }
  if (!cold.histomask.total) continue;
  for (const part of ['opened', 'loaded', 'first', 'total']) {
    const [a, b] = NAMES.map(name => cold[name][part]);
    line(`${device} cold ${part}`, a, b, part === 'total' ? (a / b).toFixed(2) : '');
  }
  const { histomask: { cpu: ours }, onnxruntime: { cpu: theirs } } = cold;
  if (!Number.isNaN(ours)) line(`${device} cold total, CPU time`, ours, theirs, (ours / theirs).toFixed(2));
  const [a, b] = NAMES.map(name => cold[name].bytes / 2 ** 20);
  line(`${device} MiB fetched`, a, b);
}
if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(result, null, 1)}\n`);
if (!same) process.exitCode = 1;
