// node run.mjs <package> <folder of node_modules> <chromium>
//
// Serves the wasm package on 127.0.0.1 and runs its checks in headless Chromium, one line for each. A check fails if
// values differ, if the console shows an error, or if more was read back from the GPU than the check asked for. At the
// end: the page must have opened one GPU device, burn's, and compiled every kernel of shaders/wgsl on it.
// Exit code 1 if a check failed, 2 if the browser has no WebGPU.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [packageFolder, modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(path.resolve(modules, 'node_modules', '_'))('playwright-core');
const kernels = fileURLToPath(new URL('../../shaders/wgsl', import.meta.url));
// seconds for one check: ten times what a busy machine with two cores needs
const PATIENCE = 300;

const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const server = http.createServer((request, response) => {
  const name = path.basename(request.url);
  response.setHeader('content-type', types[path.extname(name)] ?? 'text/html');
  const file = path.join(packageFolder, name);
  if (name && fs.existsSync(file)) fs.createReadStream(file).pipe(response);
  else response.writeHead(name === '' ? 200 : 204).end(name === '' ? '<!doctype html><title>kernels</title>' : '');
});

// runs in the page before anything else, and counts what its scripts ask of WebGPU
function watch() {
  const seen = { devices: 0, reads: 0, shaders: [] };
  window.seen = seen;
  if (!navigator.gpu) return;
  const before = (type, method, look) => {
    const original = type.prototype[method];
    type.prototype[method] = function (...given) {
      look(...given);
      return original.apply(this, given);
    };
  };
  before(GPUAdapter, 'requestDevice', () => seen.devices++);
  before(GPUBuffer, 'mapAsync', mode => { if (mode === GPUMapMode.READ) seen.reads++; });
  before(GPUDevice, 'createShaderModule', ({ code }) => seen.shaders.push(code));
}

let passed = 0, failed = 0;
function report(name, problems, text) {
  if (problems.length) failed++;
  else passed++;
  console.log(`${problems.length ? 'FAILED' : 'ok'} ${name}: ${[problems, text].flat().join('\n').trim().replaceAll('\n', '\n    ')}`);
}

function within(seconds, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), 1000 * seconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function drive(page) {
  const errors = [];
  page.on('console', message => {
    // Chromium's own warnings repeat what burn logs as an error; a refused shader's text is in its file
    if (message.type() === 'error') errors.push(message.text().split('\n--- shader source')[0]);
  });
  // of a panic the console has the text, and the stack is wasm's own
  page.on('pageerror', error => errors.push(error.message));
  page.on('crash', () => errors.push('the tab crashed'));

  const checks = await within(PATIENCE, page.evaluate(async () => {
    const { default: load, Tab } = await import('/histomask_browser_tests.js');
    await load();
    window.tab = await Tab.open();
    return Tab.checks();
  }));
  for (const name of checks) {
    const start = performance.now();
    const result = await within(PATIENCE, page.evaluate(async name => {
      const before = seen.reads;
      try {
        const { differences, reads } = await tab.run(name);
        return { differences, unasked: seen.reads - before - reads };
      } catch (error) {
        return { problem: String(error.message ?? error) };
      }
    }, name)).catch(error => ({ problem: error.message }));
    // a device with an invalid object complains of whatever follows
    const followUps = errors.splice(0);
    const problems = followUps.splice(0, 3);
    if (followUps.length) problems.push(`and ${followUps.length} more errors`);
    if (result.problem) problems.unshift(result.problem);
    if (result.unasked) problems.push(`${result.unasked} transfers from the GPU that it did not ask for`);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    report(name, problems, problems.length ? [] : `${result.differences} (${seconds} s)`);
  }

  const { devices, shaders } = await within(PATIENCE, page.evaluate(() => seen));
  report('one device', devices === 1 ? [] : [`the page opened ${devices} GPU devices`], 'of burn and the kernels');
  const names = fs.readdirSync(kernels).filter(name => name.endsWith('.wgsl'));
  // a kernel's text up to what it imports or declares is its own alone
  const head = name => fs.readFileSync(path.join(kernels, name), 'utf8').split(/^(?=#import|struct)/m)[0];
  const idle = names.filter(name => !shaders.some(text => text.startsWith(head(name))));
  report('every kernel', idle.map(name => `${name} was not launched`), `${names.length - idle.length} launched`);
  report('console', errors, errors.length ? [] : 'nothing more in it');
}

await new Promise(listening => server.listen(0, '127.0.0.1', listening));
const browser = await chromium.launch({
  executablePath,
  chromiumSandbox: false,
  // SwiftShader: the same adapter on every machine, on the CPU
  args: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--disable-background-networking'],
});
try {
  const page = await browser.newPage();
  await page.addInitScript(watch);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const adapter = await page.evaluate(async () => (await navigator.gpu?.requestAdapter())?.info.architecture);
  if (adapter === undefined) {
    process.exitCode = 2;
  } else {
    console.log(`Chromium ${browser.version()}, adapter ${adapter}`);
    await drive(page);
  }
} catch (error) {
  report('the page', [error.stack], []);
} finally {
  await browser.close();
  server.close();
}
if (process.exitCode !== 2) console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; 0 ignored`);
if (failed) process.exitCode = 1;
