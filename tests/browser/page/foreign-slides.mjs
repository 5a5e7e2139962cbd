// Files that are nearly slides or pictures: read, or refused by what is wrong with them. A slide without small levels.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { picture, pngFile, shareApart } from './images.mjs';
import { until } from './report.mjs';
import { aperio, tiffFile } from './tiff.mjs';

const ring = picture(200, 150);
const HAMAMATSU = 65420;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;

/** Name, bytes, and what the page says. */
const REFUSED = [
  ['zstd.svs', tiffFile(ring, { tile: 64, description: aperio(ring, 0.5), tags: { [COMPRESSION]: 50000 } }), /Zstandard/],
  ['webp.btf', tiffFile(ring, { big: true, tile: 64, tags: { [COMPRESSION]: 50001 } }), /WebP/],
  ['cmyk.svs', tiffFile(ring, { tile: 64, tags: { [PHOTOMETRIC]: 5, 258: [8, 8, 8, 8], 277: 4 } }), /a TIFF in CMYK/],
  ['scan.ndpi', tiffFile(ring, { tags: { [HAMAMATSU]: 1 } }), /NDPI.*convert it to pyramidal TIFF/],
  ['scan.czi', Buffer.from('ZISRAWFILE'.padEnd(64)), /not a slide this program reads .*convert it to pyramidal TIFF/],
  ['cut.svs', tiffFile(ring, { tile: 64, description: aperio(ring, 0.5) }).subarray(0, 9000), /cut off|complete/],
];

export async function foreignSlides(world) {
  const { report } = world;
  const tab = await world.tab(world.plain);
  const { page } = tab;
  await tab.ready();

  await report.check('BigTIFF as a picture', async () => {
    const files = { 'plain.png': pngFile(ring), 'big.tif': tiffFile(ring, { big: true }), 'tiled.tif': tiffFile(ring, { big: true, tile: 64 }) };
    const painted = [];
    for (const [name, buffer] of Object.entries(files)) {
      await tab.add({ name, mimeType: '', buffer });
      await page.locator('#images > *').last().click();
      painted.push(await tab.painted());
    }
    assert.deepEqual(await tab.states(), ['done', 'done', 'done'], (await tab.details()).join('; '));
    for (const other of painted.slice(1)) assert.equal(shareApart(painted[0], other, 0), 0);
    return 'in one strip and in tiles, as the PNG';
  });

  await report.check('slides that are not read are refused by the reason', async () => {
    const said = [];
    for (const [name, buffer, reason] of REFUSED) {
      await page.setInputFiles('#file-input', { name, mimeType: '', buffer });
      const words = await until('a notice', async () => {
        const text = await page.locator('#notice-text').textContent();
        return text.includes(name) && text;
      });
      assert.match(words, reason, name);
      assert.doesNotMatch(words, /unreachable|RuntimeError|undefined|panic/);
      assert.equal(await page.locator('#slide').isVisible(), false);
      said.push(words);
    }
    assert.equal((await tab.states()).length, 3, 'none of them is in the list');
    return said.join(' ');
  });

  await report.check('a picture in a compression that is not read', async () => {
    await tab.add({ name: 'zstd.tif', mimeType: '', buffer: tiffFile(ring, { tags: { [COMPRESSION]: 50000 } }) });
    const [words] = (await tab.details()).slice(-1);
    assert.match(words, /Zstandard|ZSTD|compression/i);
    return words;
  });

  await report.check('a slide without small levels: all of it is read once, and said', async () => {
    const wide = picture(9000, 1200);
    const file = world.file('flat.svs', tiffFile(wide, { tile: 256, description: aperio(wide, 0.5) }));
    await page.evaluate(() => {
      window.said = new Set();
      const line = document.getElementById('slide-pending');
      new MutationObserver(() => window.said.add(line.textContent)).observe(line, { childList: true });
    });
    await page.setInputFiles('#file-input', file);
    await page.waitForSelector('body.slide');
    await until('an overview', () => page.locator('#slide-pending').isHidden(), 60);
    const said = await page.evaluate(() => [...window.said]);
    assert.match(said[0], /no smaller copies/);
    const seen = await until('the whole of it', () => average(page), 20);
    const mean = [0, 1, 2].map(channel => {
      let sum = 0;
      for (let at = channel; at < wide.pixels.length; at += 3) sum += wide.pixels[at];
      return sum / (wide.pixels.length / 3);
    });
    seen.forEach((level, channel) => assert.ok(Math.abs(level - mean[channel]) < 3, `${seen} and ${mean}`));
    await page.click('#slide-close');
    return `${said.length} times, colours as in the file`;
  });
  await report.check('console', async () => world.quiet(tab));
  await page.context().close();
}

/** Mean colour of what the slide's view shows; undefined before it shows anything. */
function average(page) {
  return page.locator('#slide-view canvas').first().evaluate(canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const sums = [0, 0, 0];
    let pixels = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] < 255) continue;
      pixels++;
      for (let channel = 0; channel < 3; channel++) sums[channel] += data[at + channel];
    }
    return pixels > 1000 ? sums.map(sum => sum / pixels) : undefined;
  });
}
