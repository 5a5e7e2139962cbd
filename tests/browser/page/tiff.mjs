// Small TIFF and BigTIFF files that the checks write.

/**
 * Uncompressed RGB, little-endian. `tile` is a tile's side, 0 for one strip; `tags` are whole numbers by tag that take the
 * place of those that would be written.
 */
export function tiffFile(picture, { big = false, tile = 0, description = '', tags = {} } = {}) {
  const { width, height } = picture;
  const parts = tile ? tiles(picture, tile) : [picture.pixels];
  const head = big ? 16 : 8;
  const offsets = [];
  let end = head;
  for (const part of parts) {
    offsets.push(end);
    end += part.length;
  }
  const lengths = parts.map(part => part.length);
  const places = tile
    ? { 322: [tile], 323: [tile], 324: offsets, 325: lengths }
    : { 273: offsets, 278: [height], 279: lengths };
  const numbers = { 256: [width], 257: [height], 258: [8, 8, 8], 259: [1], 262: [2], 277: [3], ...places };
  for (const [tag, value] of Object.entries(tags)) numbers[tag] = [value].flat();
  const entries = Object.entries(numbers).map(([tag, values]) => ({ tag: Number(tag), type: 4, values }));
  if (description) entries.push({ tag: 270, type: 2, text: Buffer.from(`${description}\0`) });
  entries.sort((one, other) => one.tag - other.tag);
  return Buffer.concat([header(big, end), ...parts, directory(entries, end, big)]);
}

/** Aperio's words for a scale. */
export function aperio({ width, height }, mpp) {
  return `Aperio Image Library v1\r\n${width}x${height}|AppMag = 20|MPP = ${mpp}`;
}

function header(big, directoryAt) {
  const bytes = Buffer.alloc(big ? 16 : 8);
  bytes.write('II');
  bytes.writeUInt16LE(big ? 43 : 42, 2);
  if (big) {
    bytes.writeUInt16LE(8, 4);
    bytes.writeBigUInt64LE(BigInt(directoryAt), 8);
  } else {
    bytes.writeUInt32LE(directoryAt, 4);
  }
  return bytes;
}

function directory(entries, at, big) {
  const [count, entry, field] = big ? [8, 20, 8] : [2, 12, 4];
  const table = Buffer.alloc(count + entry * entries.length + field);
  const write = (value, to) => (big ? table.writeBigUInt64LE(BigInt(value), to) : table.writeUInt32LE(value, to));
  if (big) table.writeBigUInt64LE(BigInt(entries.length));
  else table.writeUInt16LE(entries.length);
  const beyond = [];
  let end = at + table.length;
  entries.forEach(({ tag, type, values, text }, index) => {
    const bytes = text ?? Buffer.from(Uint32Array.from(values).buffer);
    const to = count + entry * index;
    table.writeUInt16LE(tag, to);
    table.writeUInt16LE(type, to + 2);
    write(text ? text.length : values.length, to + 4);
    if (bytes.length <= field) {
      bytes.copy(table, to + 4 + field);
    } else {
      write(end, to + 4 + field);
      beyond.push(bytes);
      end += bytes.length;
    }
  });
  return Buffer.concat([table, ...beyond]);
}

function tiles({ width, height, pixels }, side) {
  const made = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const tile = Buffer.alloc(3 * side * side);
      for (let y = 0; y < Math.min(side, height - top); y++) {
        const from = 3 * ((top + y) * width + left);
        pixels.copy(tile, 3 * y * side, from, from + 3 * Math.min(side, width - left));
      }
      made.push(tile);
    }
  }
  return made;
}
