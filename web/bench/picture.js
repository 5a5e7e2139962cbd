// Pictures for ONNX Runtime, as a page without histomask has to make them.

/** 8-bit RGBA of an encoded image, at its own size. */
export async function pixels(file) {
  const bitmap = await createImageBitmap(new Blob([file]));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/**
 * Bilinear with anti-aliasing by Pillow's rule, as the model was trained; a canvas scales otherwise, and the mask then
 * differs by 0.05.
 */
export function scaled({ width, height, data }, [toWidth, toHeight]) {
  if (width === toWidth && height === toHeight) return { width, height, data };
  const rows = new Uint8ClampedArray(4 * toWidth * height);
  along(data, rows, filter(width, toWidth), { lines: height, next: 4, from: 4 * width, to: 4 * toWidth });
  const out = new Uint8ClampedArray(4 * toWidth * toHeight);
  along(rows, out, filter(height, toHeight), { lines: toWidth, next: 4 * toWidth, from: 4, to: 4 });
  return { width: toWidth, height: toHeight, data: out };
}

/** Weights of the triangle filter for each output position. */
function filter(from, to) {
  const scale = from / to, support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const last = Math.min(Math.trunc(centre + support + 0.5), from);
    const weights = Array.from({ length: last - first },
      (_, k) => Math.max(1 - Math.abs((k + first - centre + 0.5) / support), 0));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: Float32Array.from(weights, weight => weight / sum) };
  });
}

function along(source, target, taps, { lines, next, from, to }) {
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < taps.length; i++) {
      const { first, weights } = taps[i];
      let at = line * from + first * next, red = 0, green = 0, blue = 0;
      for (let k = 0; k < weights.length; k++, at += next) {
        const weight = weights[k];
        red += weight * source[at];
        green += weight * source[at + 1];
        blue += weight * source[at + 2];
      }
      const out = line * to + i * next;
      target[out] = Math.floor(red + 0.5);
      target[out + 1] = Math.floor(green + 0.5);
      target[out + 2] = Math.floor(blue + 0.5);
    }
  }
}

/** `(value / 255 - mean) / std` by channel, planar: the values of a tensor [1, 3, height, width]. */
export function normalised({ width, height, data }, { mean, std }) {
  const plane = width * height, values = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const scale = 1 / (255 * std[channel]), shift = mean[channel] / std[channel];
    for (let i = 0, from = channel, to = channel * plane; i < plane; i++, from += 4, to++) {
      values[to] = data[from] * scale - shift;
    }
  }
  return values;
}

/** A map brought to another size, bilinear with aligned corners. */
export function resized(map, [width, height], [toWidth, toHeight]) {
  if (width === toWidth && height === toHeight) return map;
  const taps = (to, from) => Array.from({ length: to }, (_, i) => {
    const at = to > 1 ? i * (from - 1) / (to - 1) : 0;
    const low = Math.min(Math.floor(at), Math.max(from - 2, 0));
    return { low, high: Math.min(low + 1, from - 1), share: at - low };
  });
  const columns = taps(toWidth, width), out = new Float32Array(toWidth * toHeight);
  const row = new Float32Array(width);
  let to = 0;
  for (const { low, high, share } of taps(toHeight, height)) {
    for (let x = 0; x < width; x++) row[x] = map[low * width + x] * (1 - share) + map[high * width + x] * share;
    for (const column of columns) out[to++] = row[column.low] * (1 - column.share) + row[column.high] * column.share;
  }
  return out;
}

/** An uncompressed BMP of RGBA pixels: an image file that takes next to no time to decode. */
export function bmp({ width, height, data }) {
  const stride = (3 * width + 3) & ~3, head = 54;
  const file = new Uint8Array(head + stride * height), view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, head, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x), to = head + (height - 1 - y) * stride + 3 * x;
      file[to] = data[from + 2];
      file[to + 1] = data[from + 1];
      file[to + 2] = data[from];
    }
  }
  return file;
}
