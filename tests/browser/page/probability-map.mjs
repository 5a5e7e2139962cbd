// The finest level of a probability map: a little-endian BigTIFF of 8-bit grey tiles in Deflate, as histomask writes it.
import zlib from 'node:zlib';

const [WIDTH, HEIGHT, COMPRESSION, TILE, OFFSETS, LENGTHS] = [256, 257, 259, 322, 324, 325];
const SIZES = { 1: 1, 3: 2, 4: 4, 16: 8 };

/** Width, height and values. */
export function readMap(bytes) {
  const number = (at, size) => (size === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, size));
  const directory = number(8, 8);
  const tags = {};
  for (let entry = 0; entry < number(directory, 8); entry++) {
    const at = directory + 8 + 20 * entry;
    const size = SIZES[number(at + 2, 2)];
    const count = number(at + 4, 8);
    if (!size) continue;
    const values = size * count <= 8 ? at + 12 : number(at + 12, 8);
    tags[number(at, 2)] = Array.from({ length: count }, (_, index) => number(values + size * index, size));
  }
  const [width, height, side] = [WIDTH, HEIGHT, TILE].map(tag => tags[tag][0]);
  if (![8, 32946].includes(tags[COMPRESSION][0])) throw new Error(`compression ${tags[COMPRESSION][0]}`);
  const values = new Uint8Array(width * height);
  const across = Math.ceil(width / side);
  tags[OFFSETS].forEach((offset, index) => {
    const tile = zlib.inflateSync(bytes.subarray(offset, offset + tags[LENGTHS][index]));
    const [left, top] = [(index % across) * side, Math.floor(index / across) * side];
    for (let y = 0; y < Math.min(side, height - top); y++) {
      const row = tile.subarray(y * side, y * side + Math.min(side, width - left));
      values.set(row, (top + y) * width + left);
    }
  });
  return { width, height, values };
}
