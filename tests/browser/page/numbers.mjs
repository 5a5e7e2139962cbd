// The page's numbers beside those of `histomask predict`, and the GPU's beside the CPU's: same files, same model.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { bmpFile, grey, picture, pngFile, readPng, shareApart } from './images.mjs';
import { parseCsv } from './libraries.mjs';
import { scaled } from './model.mjs';

/** Largest difference of probabilities, background's uncertainty and soft masks. */
const TOLERANCE = 1e-4;

/** Largest share of pixels on the other side of the threshold, or of another colour by more than one level. */
const APART = 1e-3;

/**
 * Compares two sets of results, of `histomask predict` or of a ZIP from the page: classes, all numbers of the table,
 * masks, soft masks and overlays. Returns the largest differences in words.
 */
export function compare(ours, theirs) {
  const [rows, others] = [ours, theirs].map(results => table(results['predictions.csv']));
  assert.deepEqual(Object.keys(rows[0]), Object.keys(others[0]), 'columns');
  assert.equal(rows.length, others.length, 'rows');
  const worst = { numbers: 0, soft: 0, masks: 0, overlays: 0 };
  const larger = (key, value) => (worst[key] = Math.max(worst[key], value));
  rows.forEach((row, index) => {
    const other = others[index];
    for (const [column, value] of Object.entries(row)) {
      const name = `${row.path}, ${column}`;
      if (column === 'path') assert.equal(path.basename(value), path.basename(other.path), name);
      else if (/^(probability|p_|background)/.test(column))
        larger('numbers', apart(value, other[column], TOLERANCE, name));
      else if (column === 'foreground_percent') apart(value, other[column], 100 * APART, name);
      else assert.equal(value, other[column], name);
    }
    const stem = row.mask.replace(/_mask\.png$/, '');
    const pictures = suffix => [ours, theirs].map(results => results[`${stem}_${suffix}.png`]);
    larger('masks', shareApart(...pictures('mask').map(readPng), 0));
    larger('overlays', shareApart(...pictures('overlay').map(readPng), 1));
    const [soft, otherSoft] = pictures('soft').map(grey);
    soft.values.forEach((value, at) => larger('soft', Math.abs(value - otherSoft.values[at]) / 65535));
  });
  assert.ok(worst.soft <= TOLERANCE, `soft masks differ by ${worst.soft}, allowed is ${TOLERANCE}`);
  for (const key of ['masks', 'overlays']) {
    assert.ok(worst[key] <= APART, `${key} differ at a share of ${worst[key]} of their pixels, allowed is ${APART}`);
  }
  return (
    `largest difference of probabilities ${worst.numbers.toExponential(1)}, ` +
    `soft masks ${worst.soft.toExponential(1)}; ` +
    `share of pixels apart: masks ${worst.masks.toExponential(1)}, overlays ${worst.overlays.toExponential(1)}`
  );
}

export function table(csv) {
  return parseCsv(Buffer.from(csv), { columns: true });
}

function apart(one, other, tolerance, name) {
  const difference = Math.abs(Number(one) - Number(other));
  assert.ok(one !== '' && difference <= tolerance, `${name}: ${one} and ${other}, allowed is ${tolerance}`);
  return difference;
}

export async function numbersOnCpu(world) {
  const { report } = world;
  const images = [...world.samples];
  if (world.glas) images.push(world.glas);
  else report.skip('an image of GlaS; no ../shared');
  const tab = await world.tab(world.plain);
  await report.check('CPU against native, shipped model', async () => {
    assert.equal((await tab.ready()).kind, 'cpu');
    await tab.paintAsNative();
    await tab.add(...images);
    return `${images.length} images, ${compare(await tab.archive(), world.native(images))}`;
  });
  await report.check('sample buttons', async () => {
    await tab.clear();
    const buttons = tab.page.locator('#samples .sample');
    assert.equal(await buttons.count(), world.samples.length);
    await buttons.nth(0).click();
    await tab.page.waitForSelector('#images > *');
    await tab.settled();
    assert.deepEqual(await tab.states(), ['done']);
    const [file] = (await tab.download('csv')).bytes.toString().split('\n')[1].split(',');
    assert.ok(
      world.samples.some(sample => path.basename(sample) === file),
      file,
    );
    return file;
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}

export async function numbersOnGpu(world) {
  const { report } = world;
  const model = world.file('small.safetensors', scaled(fs.readFileSync(world.model), { size: 64 }));
  const images = [
    world.file('rings.png', pngFile(picture(160, 120))),
    world.file('waves.bmp', bmpFile(picture(150, 111, 2))),
  ];
  const tab = await world.tab(world.plain, { webgpu: true });
  let onGpu;
  await report.check('WebGPU against native, same model with small inputs', async () => {
    const { kind, why } = await tab.ready();
    assert.equal(kind, 'gpu', why);
    await tab.loadModel(model);
    await tab.paintAsNative();
    await tab.add(...images);
    onGpu = await tab.archive();
    return compare(onGpu, world.native(images, { model }));
  });
  await report.check('painted by the GPU as by the CPU', async () => {
    const { why } = await tab.ready();
    assert.doesNotMatch(why, /CPU paints/);
    const [worker] = tab.page.workers();
    await worker.evaluate(() => {
      const { mapAsync } = GPUBuffer.prototype;
      self.reads = 0;
      GPUBuffer.prototype.mapAsync = function (mode, ...rest) {
        if (mode === GPUMapMode.READ) self.reads++;
        return mapAsync.call(this, mode, ...rest);
      };
    });
    const styles = [
      [0.5, 0.45, 'viridis', true],
      [0.72, 0.9, 'cividis', false],
      [0.2, 1, 'viridis', true],
    ];
    const shares = [];
    for (const [threshold, opacity, colormap, contour] of styles) {
      await tab.set('threshold', threshold);
      await tab.set('opacity', opacity);
      await tab.set('colormap', colormap);
      await tab.page.setChecked('#contour', contour);
      const painted = await tab.painted();
      shares.push(shareApart(painted, readPng((await tab.download('overlay')).bytes), 1));
    }
    await tab.page.click('#reset');
    await tab.paintAsNative();
    assert.ok(Math.max(...shares) <= APART, `shares of pixels apart by more than one level: ${shares}`);
    const reads = await worker.evaluate(() => self.reads);
    assert.equal(reads, 0, 'transfers from the GPU while it painted');
    return `shares of pixels apart by more than one level: ${shares.join(', ')}; nothing was read back`;
  });
  await report.check('WebGPU against the CPU in one page', async () => {
    await tab.settled();
    await tab.page.selectOption('#device', 'cpu');
    await tab.page.waitForFunction(() => document.getElementById('badge').dataset.kind === 'cpu');
    assert.deepEqual(await tab.states(), ['done', 'done']);
    return compare(onGpu, await tab.archive());
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}
