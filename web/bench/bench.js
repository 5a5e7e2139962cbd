// What run.mjs asks of the page.
import { Histomask, OnnxRuntime } from './peers.js';
import { pixels, scaled } from './picture.js';

const kinds = { histomask: Histomask, onnxruntime: OnnxRuntime };
const sides = {}, results = {};
let file;

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return [performance.now() - start, result];
}

/** As PNG, so that both sides decode the same pixels: decoders of JPEG differ by a level or two. */
async function png(response) {
  const bitmap = await createImageBitmap(await response.blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}

/** Opens one side from nothing and predicts once: milliseconds of each part. */
async function open(name, device) {
  file ??= await png(await fetch('/image'));
  const [opened, side] = await timed(() => kinds[name].open(device));
  const [loaded] = await timed(() => side.load());
  sides[name] = { side };
  const first = await run(name, 'predict');
  // the image itself was fetched before
  const fetched = performance.getEntriesByType('resource').filter(({ name }) => /\/(ort|pkg)\/|\/model/.test(name));
  return { opened, loaded, first, total: opened + loaded + first,
           bytes: fetched.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0) };
}

/** Makes the input of `network`, the same picture for both. */
async function prepare(size) {
  const picture = scaled(await pixels(file), size);
  for (const held of Object.values(sides)) held.input = held.side.prepare(picture);
}

/** One run of a side, in milliseconds. `network`: the model alone; `predict`: all from the image file. */
async function run(name, what) {
  const { side, input } = sides[name];
  const [time, result] = await timed(() => side[what](what === 'network' ? input : file));
  results[name]?.free?.();
  results[name] = result;
  return time;
}

/** How far both sides' last results lie apart. */
function compare() {
  const { histomask: ours, onnxruntime: theirs } = results;
  const [width, height] = theirs.size;
  if (ours.width !== width || ours.height !== height) throw new Error(`sizes differ: ${ours.width}x${ours.height}`);
  const argmax = values => values.indexOf(Math.max(...values));
  const entropy = -theirs.background.reduce((sum, p) => sum + p * Math.log(p), 0) / Math.log(theirs.background.length);
  let mask = 0, flipped = 0, points = 0;
  for (let y = 0; y < height; y += 3) {
    for (let x = 0; x < width; x += 3, points++) {
      const [a, b] = [ours.value(x, y), theirs.mask[y * width + x]];
      // NaN must not pass for small
      mask = Math.abs(a - b) <= mask ? mask : Math.abs(a - b);
      if (a >= 0.5 !== b >= 0.5) flipped++;
    }
  }
  const probabilities = Math.max(...ours.probabilities.map((p, i) => Math.abs(p - theirs.probabilities[i])));
  return {
    classes: [ours.class_index, argmax([...theirs.probabilities])],
    probabilities,
    background_uncertainty: Math.abs(ours.background_uncertainty - entropy),
    mask,
    flipped_percent: 100 * flipped / points,
  };
}

async function adapter() {
  const adapter = await navigator.gpu?.requestAdapter();
  return adapter && `${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.description}`.trim();
}

window.bench = { open, prepare, run, compare, adapter };
