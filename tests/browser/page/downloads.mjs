// Downloads, read again and compared with what the page says and with what native writes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { foreground, grey, picture, pngFile, readPng, shareApart } from './images.mjs';
import { withThreshold } from './model.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';
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
    const painted = await tab.painted();
    const { values } = grey((await tab.download('mask')).bytes);
    // what is outside is darker there too
    painted.data.forEach((level, at) => {
      if (at % 4 < 3 && values[at >> 2] === 0) painted.data[at] = Math.round(0.6 * level);
    });
    assert.equal(shareApart(readPng(bytes), painted, 1), 0);
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
  await folders(world);
  await batches(world);
}

/** Names that some system or program takes for something else. */
async function folders(world) {
  const { report } = world;
  const root = path.dirname(world.file('notes.txt', Buffer.from('no image')));
  const png = pngFile(picture(96, 64));
  const names = [
    'a/one.png',
    'b/one.png',
    'b/ONE.PNG',
    'b/con.png',
    'b/=1+2.png',
    'b/sharp: “x”?.png',
    'b/\u00e4.png',
    'b/a\u0308.png',
    'b/.hidden.png',
    '@sum(A1)/end.png',
  ];
  for (const name of names) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), png);
  }
  const tab = await world.tab(world.plain);
  await tab.ready();

  await report.check('a folder: its paths, names for every system, no formulas', async () => {
    await tab.page.setInputFiles('#folder-input', root);
    await until('images', async () => (await tab.text('image-count')) === '9');
    await tab.settled();
    assert.match(await tab.text('notice-text'), /^No image and left out: “notes\.txt”\.$/);
    const entries = await tab.archive();
    const stems = Object.keys(entries)
      .filter(name => name.endsWith('_mask.png'))
      .map(name => name.replace(/_mask\.png$/, ''));
    assert.deepEqual(
      stems.sort(),
      ['a/one', 'b/one', 'b/ONE-2', 'b/_con', 'b/=1+2', 'b/sharp_ “x”_', 'b/\u00e4', 'b/\u00e4-2', '@sum(A1)/end'].sort(),
    );
    assert.equal(new Set(stems.map(stem => stem.normalize('NFC').toLowerCase())).size, 9, 'one file each');
    const rows = table(entries['predictions.csv']);
    assert.deepEqual(
      rows.map(row => row.path).sort(),
      names.filter(name => !name.includes('.hidden')).map(name => name.replace(/^@/, "'@")).sort(),
    );
    for (const row of rows) {
      for (const column of ['mask', 'overlay', 'geojson']) assert.ok(entries[row[column].replace(/^'/, '')], row[column]);
      assert.ok(Object.values(row).every(cell => !/^[=+@]/.test(cell)), JSON.stringify(row));
    }
    return `${stems.length} images`;
  });

  await report.check('a folder without an image is said', async () => {
    await tab.clear();
    const empty = path.dirname(world.file('only.txt', Buffer.from('no image')));
    await tab.page.setInputFiles('#folder-input', empty);
    await until('a notice', async () => /^There is no image in this folder \(1 file/.test(await tab.text('notice-text')));
    return await tab.text('notice-text');
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}

/** Many images: their table, an archive that is cancelled, results that were not saved. */
async function batches(world) {
  const { report } = world;
  const tab = await world.tab(world.plain);
  const { page } = tab;
  await tab.ready();
  const white = Buffer.alloc(3 * 200 * 130, 255);
  const files = [
    ...['10', '9', '2'].map((name, at) => ({
      name: `${name}.png`,
      mimeType: 'image/png',
      buffer: pngFile(picture(200, 130 + at, at)),
    })),
    { name: 'white.png', mimeType: 'image/png', buffer: pngFile({ width: 200, height: 130, pixels: white }) },
    { name: 'tiny.png', mimeType: 'image/png', buffer: pngFile(picture(1, 1)) },
  ];

  await report.check('cautions, on the page as in the table', async () => {
    await tab.add(...files);
    const theirs = world.native(files.map(({ name, buffer }) => world.file(name, buffer)));
    const cautions = rows => Object.fromEntries(table(rows).map(row => [path.basename(row.path), row.caution]));
    const ours = cautions((await tab.download('csv')).bytes);
    assert.deepEqual(ours, cautions(theirs['predictions.csv']), 'as native says them');
    assert.deepEqual([ours['10.png'], ours['white.png']], ['', 'nearly white']);
    assert.match(ours['tiny.png'], /^tiny; .*enlarged 288 times$/);
    await page.locator('#images > *').nth(3).click();
    await tab.settled();
    assert.match(await tab.text('doubts'), /nearly white: there is hardly any tissue/);
    assert.match((await tab.details())[3], /doubtful$/);
    await page.locator('#images > *').first().click();
    assert.ok(await page.locator('#doubts').isHidden());
    // typed microns per pixel that are far from the model's
    await page.fill('#mpp', '0.1');
    await until('a caution', async () => /0\.05 µm per pixel here/.test(await tab.text('doubts')), 10);
    await page.fill('#mpp', '');
    await until('none', () => page.locator('#doubts').isHidden(), 10);
    return Object.values(ours).filter(Boolean).join(', ');
  });

  await report.check('the table: sorted, filtered, a row leads to its image', async () => {
    await page.click('#table-open');
    const column = number => page.locator(`#table-body td:nth-child(${number})`).allInnerTexts();
    assert.deepEqual(await column(1), ['10.png', '9.png', '2.png', 'white.png', 'tiny.png']);
    const head = number => page.locator(`#table-head th:nth-child(${number})`);
    await head(1).locator('button').click();
    assert.deepEqual((await column(1)).slice(0, 3), ['2.png', '9.png', '10.png'], 'numbers in names count');
    await head(4).locator('button').click();
    await head(4).locator('button').click();
    assert.equal(await head(4).getAttribute('aria-sort'), 'descending');
    const shares = (await column(4)).map(parseFloat);
    assert.deepEqual(shares, [...shares].sort((a, b) => b - a));
    await page.fill('#table-filter', 'white');
    assert.deepEqual(await column(1), ['white.png']);
    await page.locator('#table-body tr').click();
    assert.ok(await page.locator('#table').isHidden());
    assert.equal(await tab.text('image-title'), 'white.png');
    return `${shares.length} rows`;
  });

  await report.check('a threshold is kept as it is', async () => {
    const model = fs.readFileSync(world.model);
    await tab.loadModel({ name: 'odd.safetensors', mimeType: '', buffer: withThreshold(model, 0.3057) });
    await tab.settled();
    assert.equal(await tab.text('threshold-value'), '0.3057');
    assert.equal(JSON.parse((await tab.archive())['run.json']).threshold, 0.3057);
    return 'on the page and in run.json';
  });

  await report.check('leaving asks while something is not saved', async () => {
    await tab.add({ ...files[0], name: 'new.png' });
    // browsers ask only where somebody has touched the page
    await page.locator('#images > *').first().click();
    await page.reload();
    assert.deepEqual(tab.dialogs, ['beforeunload']);
    await tab.ready();
    await tab.add(files[0]);
    await page.locator('#images > *').first().click();
    await tab.download('csv');
    await page.reload();
    assert.deepEqual(tab.dialogs, ['beforeunload'], 'saved: no question');
    await tab.ready();
    return 'once, and not after a download of all';
  });

  await report.check('an archive that is cancelled holds what was packed', async () => {
    const buffer = fs.readFileSync(world.samples[0]);
    await tab.add(...Array.from({ length: 8 }, (_, at) => ({ name: `${at}.jpg`, mimeType: 'image/jpeg', buffer })));
    const arriving = page.waitForEvent('download');
    await page.click('#download-zip');
    assert.ok(await page.locator('#download-zip').isDisabled(), 'a button works once');
    await until('packing', async () => /^Packing [2-7] of 8/.test(await tab.text('status')), 30);
    await page.click('#cancel');
    const entries = await tab.entries(await arriving);
    const packed = table(entries['predictions.csv']).length;
    assert.ok(packed >= 1 && packed < 8, `${packed}`);
    assert.equal(Object.keys(entries).length, 4 * packed + 2);
    assert.equal(JSON.parse(entries['run.json']).images, packed);
    assert.equal(await tab.text('notice-text'), `Cancelled: the archive holds ${packed} of 8 images.`);
    assert.deepEqual(await tab.states(), Array(8).fill('done'));
    return `${packed} of 8`;
  });
  await report.check('console', async () => world.quiet(tab));
  await page.context().close();
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
