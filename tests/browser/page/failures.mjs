// Files that are no image or no model: one clear message each, nothing is lost, the page goes on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { picture, pngFile, shareApart } from './images.mjs';
import { asUNet, withoutCard } from './model.mjs';
import { until } from './report.mjs';

const PNG = 'image/png';

/** A PNG whose header promises more than there is. */
function promising(side) {
  const file = pngFile(picture(8, 8));
  file.writeUInt32BE(side, 16);
  file.writeUInt32BE(side, 20);
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
  return file;
}

export async function failures(world) {
  const { report } = world;
  const good = { name: 'good.png', mimeType: PNG, buffer: pngFile(picture(160, 120)) };
  const half = buffer => buffer.subarray(0, buffer.length / 2);
  const tab = await world.tab(world.plain);
  await tab.ready();

  await report.check('files that are no image', async () => {
    const bad = [
      ['notes.png', Buffer.from('These are notes.'), /^This is not a PNG, JPEG, BMP, TIFF or WebP image\.$/],
      ['half.png', half(good.buffer), /^The image cannot be decoded \(.+\); is the file complete\?$/],
      [
        'half.jpg',
        half(fs.readFileSync(world.samples[0])),
        /^The image cannot be decoded \(the JPEG ends before its last scan does\); is the file complete\?$/,
      ],
      ['nothing.png', Buffer.alloc(0), /^The file is empty \(0 bytes\)\./],
      [
        'large.png',
        promising(5000),
        /^An image of 5000 × 5000 pixels is too large for this page, which takes 4096 × 4096; crop it/,
      ],
      [
        'bomb.png',
        promising(30_000),
        /^Decoding this image would take more than 512 MB of memory; if it is what it says, crop it\.$/,
      ],
    ];
    await tab.add(...bad.map(([name, buffer]) => ({ name, mimeType: PNG, buffer })), good);
    assert.deepEqual(await tab.states(), [...bad.map(() => 'failed'), 'done']);
    const details = await tab.details();
    bad.forEach(([name, , message], index) => assert.match(details[index], message, `${name}: ${details[index]}`));
    assert.equal(await tab.text('status'), `1 image done, ${bad.length} failed`);
    await tab.page.locator('#images > *').first().click();
    assert.equal(await tab.text('pending-text'), details[0], 'said in the picture’s place too');
    assert.ok(await tab.page.locator('#download-mask').isDisabled());
    await tab.clear();
    await tab.add(good);
    assert.deepEqual(await tab.states(), ['done']);
    return 'text, half a PNG, half a JPEG, nothing, headers of 5000 × 5000 and 30000 × 30000';
  });

  await report.check('files that are no model', async () => {
    const model = fs.readFileSync(world.model);
    const before = await tab.painted();
    const bad = [
      ['half', half(model)],
      ['picture', good.buffer],
      ['empty', Buffer.alloc(0)],
      ['no-card', withoutCard(model)],
      ['mixed', asUNet(model)],
    ];
    for (const [name, buffer] of bad) {
      await tab.offerModel({ name: `${name}.safetensors`, mimeType: '', buffer });
      const notice = await until(
        'a notice',
        async () => (await tab.page.locator('#notice').isVisible()) && tab.text('notice-text'),
      );
      const refusal = new RegExp(`^“${name}\\.safetensors” was not loaded: .+[.?] The model in use stays\\.$`);
      assert.match(notice, refusal);
      assert.doesNotMatch(notice, /unreachable|RuntimeError|undefined|panic/);
      await tab.page.click('#notice-close');
      assert.equal(await tab.text('model-name'), 'Default model (GlaS)');
    }
    assert.deepEqual(await tab.states(), ['done']);
    await tab.add({ ...good, name: 'again.png' });
    assert.equal(shareApart(before, await tab.painted(), 0), 0, 'predicted as before');
    return 'half a model, a picture, nothing, no card, weights that do not fit the card';
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}
