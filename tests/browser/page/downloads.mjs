// Downloads, read again and compared with what the page says and with what native writes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { foreground, grey, picture, pngFile, readPng, shareApart } from './images.mjs';
import { table } from './numbers.mjs';
import { percent } from './tab.mjs';

export async function downloads(world) {
  const { report } = world;
  // names that a table must quote, and of one stem
  const images = [
    ['glands, “6” and ü.png', 1],
    ['patch.png', 2],
  ].map(([name, seed]) => world.file(name, pngFile(picture(200, 130, seed))));
  const tab = await world.tab(world.plain);
  await tab.ready();
  await tab.add(...images);
  await tab.page.locator('#images > *').first().click();
  await tab.settled();
  const stem = 'glands, “6” and ü';
  let pixels = 0;

  await report.check('mask PNG', async () => {
    const { name, bytes } = await tab.download('mask');
    assert.equal(name, `${stem}_mask.png`);
    const { width, height, values } = grey(bytes);
    assert.deepEqual([width, height], [200, 130]);
    assert.deepEqual(
      [...new Set(values)].sort((a, b) => a - b),
      [0, 255],
    );
    pixels = foreground(bytes).pixels;
    assert.equal(await tab.text('area'), percent(pixels / (width * height)));
    return `${pixels} pixels of foreground, as the page says`;
  });

  await report.check('overlay PNG', async () => {
    const { name, bytes } = await tab.download('overlay');
    assert.equal(name, `${stem}_overlay.png`);
    assert.equal(shareApart(readPng(bytes), await tab.painted(), 0), 0);
    return 'equal to what is shown';
  });

  await report.check('GeoJSON', async () => {
    const { name, bytes } = await tab.download('geojson');
    assert.equal(name, `${stem}.geojson`);
    const { type, features } = JSON.parse(bytes);
    assert.equal(type, 'FeatureCollection');
    let area = 0;
    for (const { geometry, properties } of features) {
      assert.equal(geometry.type, 'Polygon');
      assert.equal(properties.objectType, 'annotation');
      assert.equal(properties.classification.name, await tab.text('class'));
      const rings = geometry.coordinates.map(ringArea);
      area += rings.slice(1).reduce((sum, hole) => sum - hole, rings[0]);
      assert.ok(
        geometry.coordinates.flat().every(([x, y]) => x >= 0 && x <= 200 && y >= 0 && y <= 130),
        'in the image',
      );
    }
    assert.equal(area, pixels);
    const theirs = world.native(images.slice(0, 1), { options: ['--geojson'] });
    assert.deepEqual(shape(JSON.parse(theirs[`${stem}.geojson`])), shape(JSON.parse(bytes)), 'as native writes it');
    return `${features.length} polygons, their area is the mask’s`;
  });

  await report.check('CSV', async () => {
    const { name, bytes } = await tab.download('csv');
    assert.equal(name, 'predictions.csv');
    const theirs = world.native(images)['predictions.csv'];
    const withoutFolder = rows => rows.map(row => ({ ...row, path: path.basename(row.path) }));
    const [ours, native] = [table(bytes), withoutFolder(table(theirs))];
    assert.deepEqual(Object.keys(ours[0]), Object.keys(native[0]), 'columns');
    ours.forEach((row, index) =>
      Object.entries(row).forEach(([column, value]) => {
        const other = native[index][column];
        if (Number.isNaN(Number(value)) || value === '') assert.equal(value, other, column);
        else assert.ok(Math.abs(value - other) <= 1e-4, `${column}: ${value} and ${other}`);
        assert.equal(
          /\.(\d+)$/.exec(value)?.[1].length,
          /\.(\d+)$/.exec(other)?.[1].length,
          `${column}: digits of ${value} and ${other}`,
        );
      }),
    );
    return `${ours.length} rows as native’s, columns ${Object.keys(ours[0]).join(' ')}`;
  });

  await report.check('ZIP', async () => {
    const bad = { name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('no image') };
    const same = { name: 'patch.bmp', mimeType: 'image/bmp', buffer: fs.readFileSync(images[1]) };
    await tab.add(same, bad);
    const entries = await tab.archive();
    const stems = [stem, 'patch', 'patch-2'];
    const expected = stems.flatMap(stem => [
      `${stem}_mask.png`,
      `${stem}_overlay.png`,
      `${stem}_soft.png`,
      `${stem}.geojson`,
    ]);
    assert.deepEqual(Object.keys(entries).sort(), [...expected, 'predictions.csv', 'run.json'].sort());
    assert.deepEqual(
      table(entries['predictions.csv']).map(row => row.mask),
      stems.map(stem => `${stem}_mask.png`),
    );
    assert.deepEqual(
      entries[`${stem}_mask.png`],
      (await tab.page.locator('#images > *').first().click(), await tab.settled(), await tab.download('mask')).bytes,
    );
    const { values } = grey(entries['patch_soft.png']);
    const mask = grey(entries['patch_mask.png']).values;
    assert.ok(
      values.every((value, at) => (mask[at] === 255) === value / 65535 >= 0.5 || Math.abs(value / 65535 - 0.5) < 2e-5),
      'the mask is the soft mask from the threshold on',
    );
    assert.deepEqual(JSON.parse(entries['patch.geojson']).type, 'FeatureCollection');
    const run = JSON.parse(entries['run.json']);
    const sha256 = createHash('sha256').update(fs.readFileSync(world.model)).digest('hex');
    assert.deepEqual([run.model_sha256, run.images, run.threshold], [sha256, 3, 0.5]);
    assert.deepEqual(
      run.failed.map(({ path }) => path),
      ['no.png'],
    );
    return `${Object.keys(entries).length} entries`;
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}

/** A JSON value without its texts and numbers: masks may differ by a pixel. */
function shape(value) {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)]));
}

/** Shoelace formula. */
function ringArea(ring) {
  let twice = 0;
  for (let at = 1; at < ring.length; at++) twice += ring[at - 1][0] * ring[at][1] - ring[at][0] * ring[at - 1][1];
  return Math.abs(twice) / 2;
}
