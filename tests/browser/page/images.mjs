// Pictures that the checks make, and the reading of those that they get.
import assert from 'node:assert/strict';
import { PNG } from './libraries.mjs';

/** An RGB picture of `[height, width]`: rings of stains on pale ground, so that a mask has parts and edges. */
export function picture(width, height, seed = 1) {
  const pixels = Buffer.alloc(3 * width * height);
  const wave = (x, y) => Math.sin(seed + x / 23) + Math.cos(seed * 2 + y / 31) + Math.sin((x + y) / 57);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      const stain = Math.max(0, wave(x, y)) / 3;
      pixels[at] = 225 - 120 * stain;
      pixels[at + 1] = 200 - 150 * stain;
      pixels[at + 2] = 222 - 70 * stain;
    }
  }
  return { width, height, pixels };
}

export function pngFile({ width, height, pixels }) {
  const png = new PNG({ width, height, colorType: 2, inputColorType: 2, inputHasAlpha: false });
  png.data = pixels;
  return PNG.sync.write(png, { colorType: 2, inputColorType: 2, inputHasAlpha: false });
}

/** Written without compression: quick for large pictures. Rows are padded to 4 bytes and start at the bottom. */
export function bmpFile({ width, height, pixels }) {
  const row = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(54 + row * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    const to = 54 + row * (height - 1 - y);
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) file[to + 3 * x + channel] = pixels[from + 2 - channel];
    }
  }
  return file;
}

/** Width, height and RGBA of a PNG, in the file's own depth. */
export function readPng(bytes) {
  return PNG.sync.read(Buffer.from(bytes), { skipRescale: true });
}

/** Values of a grey PNG, one a pixel. */
export function grey(bytes) {
  const { width, height, data } = readPng(bytes);
  return { width, height, values: data.filter((_, index) => index % 4 === 0) };
}

/** Pixels of foreground of a mask PNG, and their share. */
export function foreground(bytes) {
  const { values } = grey(bytes);
  const pixels = values.filter(value => value === 255).length;
  return { pixels, share: pixels / values.length };
}

/** Share of pixels where two RGBA pictures differ by more than `levels` in a channel. */
export function shareApart(one, other, levels) {
  assert.deepEqual([one.width, one.height], [other.width, other.height], 'sizes of two pictures');
  let apart = 0;
  for (let at = 0; at < one.data.length; at += 4) {
    for (let channel = 0; channel < 4; channel++) {
      if (Math.abs(one.data[at + channel] - other.data[at + channel]) > levels) {
        apart++;
        break;
      }
    }
  }
  return apart / (one.data.length / 4);
}
