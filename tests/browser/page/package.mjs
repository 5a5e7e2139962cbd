// The package for other pages: as npm packs it, in its own example page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { grey, picture, pngFile } from './images.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';
import { plainServer } from './server.mjs';

export async function npmPackage(world) {
  const { report } = world;
  const image = world.file('one.png', pngFile(picture(160, 120)));
  const folder = path.dirname(world.file('packed', Buffer.alloc(0)));
  const text = page => page.locator('#said').innerText();
  const page = await (await world.browser()).newPage();
  let server;

  await report.check('npm pack: types, no model, a page of at most 30 lines', async () => {
    const options = { cwd: path.join(world.root, 'web'), encoding: 'utf8' };
    const [{ filename, size, files }] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], options),
    );
    execFileSync('tar', ['-xzf', path.join(folder, filename), '-C', folder]);
    const names = files.map(file => file.path);
    assert.ok(names.includes('npm/dist/types/npm/histomask.d.ts') && names.includes('README.md'), names.join(' '));
    assert.ok(!names.some(name => name.endsWith('.safetensors')));
    const lines = fs.readFileSync(path.join(folder, 'package/npm/example.html'), 'utf8').trimEnd().split('\n').length;
    assert.ok(lines <= 30, `${lines} lines`);
    server = await plainServer(path.join(folder, 'package'));
    return `${names.length} files, ${(size / 1e6).toFixed(1)} MB; ${lines} lines`;
  });

  await report.check('its example page says what native says', async () => {
    await page.goto(`${server.address}npm/example.html`);
    await page.setInputFiles('#model', world.model);
    await until('a model', async () => /^Ready on the CPU: benign or malignant$/.test(await text(page)), 60);
    await page.setInputFiles('#patch', image);
    const said = await until('a class', async () => /^(benign|malignant) [\d.]+ %/.exec(await text(page))?.[0], 60);
    const theirs = world.native([image]);
    const [row] = table(theirs['predictions.csv']);
    assert.equal(said, `${row.class} ${(100 * row.probability).toFixed(1)} %`);
    const { values } = grey(theirs['one_soft.png']);
    const shown = await page.locator('#mask').evaluate(canvas => [
      ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, at) => at % 4 === 0),
    ]);
    assert.equal(shown.length, values.length);
    const worst = Math.max(...shown.map((level, at) => Math.abs(level / 255 - values[at] / 65535)));
    assert.ok(worst <= 1.1 / 255, `${worst}`);
    return `${said}, mask within ${worst.toFixed(4)}`;
  });

  await report.check('pixels, outlines, errors, an end', async () => {
    const model = fs.readFileSync(world.model).toString('base64');
    const file = fs.readFileSync(image).toString('base64');
    const found = await page.evaluate(
      async ([model, file]) => {
        const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
        const { Segmenter } = await import('./dist/histomask.js');
        const refused = await Segmenter.load(new Uint8Array(9)).catch(error => error.message);
        const segmenter = await Segmenter.load(bytes(model), { device: 'cpu' });
        const blob = new Blob([bytes(file)]);
        const bitmap = await createImageBitmap(blob);
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const [one, other] = [
          await segmenter.segment(blob),
          await segmenter.segment(context.getImageData(0, 0, bitmap.width, bitmap.height)),
        ];
        const wrong = await segmenter.segment(new Blob(['no image'])).catch(error => error.message);
        const later = segmenter.segment(blob).catch(error => error.message);
        segmenter.close();
        return {
          refused,
          wrong,
          closed: await later,
          same: one.mask.every((value, at) => value === other.mask[at]),
          size: [one.width, one.height, one.mask.length],
          sum: Object.values(one.probabilities).reduce((sum, value) => sum + value, 0),
          outlines: JSON.parse(one.geojson).features.length,
          cautions: one.cautions,
        };
      },
      [model, file],
    );
    assert.ok(found.same, 'a file and its pixels');
    assert.deepEqual(found.size, [160, 120, 160 * 120]);
    assert.ok(Math.abs(found.sum - 1) < 1e-5 && found.outlines > 0);
    assert.match(found.wrong, /not a PNG, JPEG, BMP, TIFF or WebP image/);
    assert.equal(found.closed, 'the segmenter was closed');
    assert.ok(found.refused.length > 10, found.refused);
    return `${found.outlines} outlines; “${found.refused}”`;
  });
  await page.context().close();
  await server?.stop();
}
