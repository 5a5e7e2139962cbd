// A GPU that is lost, too small for an image, or wrong: the CPU takes over and the badge says why; results stay.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { bmpFile, picture, pngFile, shareApart } from './images.mjs';
import { scaled } from './model.mjs';
import { compare } from './numbers.mjs';
import { plainServer } from './server.mjs';

export async function gpuFaults(world) {
  await lostDevice(world);
  await smallAdapter(world);
  await wrongNumbers(world);
}

async function lostDevice(world) {
  const { report } = world;
  const model = { name: 'small.safetensors', mimeType: '', buffer: scaled(fs.readFileSync(world.model), { size: 64 }) };
  const image = { name: 'kept.png', mimeType: 'image/png', buffer: pngFile(picture(160, 120)) };
  const tab = await world.tab(world.plain, { webgpu: true });
  let before;

  await report.check('a lost GPU device', async () => {
    await tab.ready();
    await tab.loadModel(model);
    await tab.add(image);
    before = await tab.painted();
    await lose(tab);
    const { kind } = await tab.ready();
    assert.equal(kind, 'gpu', 'the GPU again');
    assert.match(
      await tab.text('notice-text'),
      /^The computation was interrupted: .+ It starts again; results so far are kept\.$/,
    );
    assert.equal(await tab.text('model-name'), model.name);
    assert.deepEqual(await tab.states(), ['done']);
    assert.equal(shareApart(before, await tab.painted(), 1), 0, 'the picture is there again');
    return await tab.text('notice-text');
  });

  await report.check('a second lost GPU device', async () => {
    await lose(tab);
    const { kind, why } = await tab.ready();
    assert.equal(kind, 'cpu');
    assert.match(why, /^The GPU failed twice \(.+\); the CPU took over\.$/);
    assert.deepEqual(await tab.states(), ['done']);
    assert.ok(shareApart(before, await tab.painted(), 1) < 1e-3, 'the picture is there again');
    await tab.add({ ...image, name: 'new.png' });
    assert.deepEqual(await tab.states(), ['done', 'done']);
    return why;
  });
  await tab.page.context().close();
}

/** The app with a script before that of the Worker, which no init script reaches. */
async function patched(app, patch) {
  const server = await plainServer(app);
  server.before = { name: /worker-[\w-]+\.js$/, script: `(${patch})();` };
  return server;
}

async function smallAdapter(world) {
  const { report } = world;
  const server = await patched(world.app, () => {
    for (const name of ['maxBufferSize', 'maxStorageBufferBindingSize']) {
      Object.defineProperty(GPUSupportedLimits.prototype, name, { get: () => 8 << 20 });
    }
  });
  const model = world.file('unscaled.safetensors', scaled(fs.readFileSync(world.model), { resize: 'none' }));
  const image = world.file('large.bmp', bmpFile(picture(448, 320)));
  await report.check('an image too large for the adapter', async () => {
    const tab = await world.tab(server, { webgpu: true });
    assert.equal((await tab.ready()).kind, 'gpu');
    await tab.loadModel(model);
    await tab.paintAsNative();
    await tab.add(image);
    const { kind, why } = await tab.ready();
    assert.equal(kind, 'cpu', why);
    assert.match(why, /^An image was too large for the GPU: .+\.$/);
    const agreement = compare(await tab.archive(), world.native([image], { model }));
    assert.deepEqual(tab.errors, []);
    await tab.page.context().close();
    return `${why} There: ${agreement}`;
  });
  await server.stop();
}

async function wrongNumbers(world) {
  const { report } = world;
  const server = await patched(world.app, () => {
    const { getMappedRange } = GPUBuffer.prototype;
    GPUBuffer.prototype.getMappedRange = function (...given) {
      const range = getMappedRange.apply(this, given);
      if (this.usage & GPUBufferUsage.MAP_READ) {
        const values = new Float32Array(range);
        values.set(values.map(value => value + 1));
      }
      return range;
    };
  });
  await report.check('a GPU that computes something else', async () => {
    const tab = await world.tab(server, { webgpu: true });
    const { kind, why } = await tab.ready();
    assert.equal(kind, 'cpu', why);
    assert.match(
      why,
      /^The GPU could not be used: this GPU's results differ from the CPU's by .+; they are not to be trusted\.$/,
    );
    await tab.add({ name: 'one.png', mimeType: 'image/png', buffer: pngFile(picture(96, 64)) });
    assert.deepEqual(await tab.states(), ['done']);
    await tab.page.context().close();
    return why;
  });
  await server.stop();
}

/** Destroys the device that the Worker paints with, and waits until the page has another Worker. */
async function lose(tab) {
  const [worker] = tab.page.workers();
  const gone = new Promise(resolve => worker.once('close', resolve));
  await worker.evaluate(() => {
    const { createCommandEncoder } = GPUDevice.prototype;
    GPUDevice.prototype.createCommandEncoder = function (...given) {
      const encoder = createCommandEncoder.apply(this, given);
      setTimeout(() => this.destroy());
      return encoder;
    };
  });
  const opacity = Number(await tab.page.inputValue('#opacity'));
  // drawn anew, and back to what it was for the comparison
  await tab.page.locator('#opacity').evaluate(
    (input, values) => {
      for (const value of values) {
        input.value = value;
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }
    },
    [opacity + 0.1, opacity].map(String),
  );
  await gone;
}
