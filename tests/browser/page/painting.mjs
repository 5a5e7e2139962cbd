// What the controls change in the picture.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { foreground, grey, picture, pngFile, readPng, shareApart } from './images.mjs';
import { percent } from './tab.mjs';

export async function painting(world) {
  const { report } = world;
  const image = world.file('one.png', pngFile(picture(160, 120)));
  const bare = readPng(fs.readFileSync(image));
  const tab = await world.tab(world.plain);
  const { page } = tab;
  await tab.ready();
  await tab.add(image);

  await report.check('threshold, opacity, colours and contour as native draws them', async () => {
    let apart = 0;
    for (const [threshold, opacity, colormap] of [
      [0.5, 0.45, 'viridis'],
      [0.8, 0.45, 'viridis'],
      [0.8, 1, 'viridis'],
      [0.8, 1, 'cividis'],
    ]) {
      await tab.set('threshold', threshold);
      await tab.set('opacity', opacity);
      await tab.set('colormap', colormap);
      const options = ['--threshold', threshold, '--opacity', opacity, '--colormap', colormap].map(String);
      const theirs = world.native([image], { options });
      const share = shareApart(await tab.painted(), readPng(theirs['one_overlay.png']), 1);
      assert.ok(share <= 1e-3, `${options.join(' ')}: a share of ${share} of the pixels differs`);
      apart = Math.max(apart, share);
      assert.equal(await tab.text('area'), percent(foreground(theirs['one_mask.png']).share));
    }
    return `share of pixels apart: ${apart}`;
  });

  await report.check('opacity scales the colours, contour alone draws edges', async () => {
    await page.setChecked('#contour', false);
    await tab.set('opacity', 0);
    assert.equal(shareApart(await tab.painted(), bare, 0), 0, 'opacity 0 is the image');
    await tab.set('opacity', 0.4);
    const faint = await tab.painted();
    await tab.set('opacity', 0.8);
    const strong = await tab.painted();
    let tinted = 0;
    bare.data.forEach((level, at) => {
      const [once, twice] = [faint.data[at] - level, strong.data[at] - level];
      assert.ok(Math.abs(2 * once - twice) <= 2, `byte ${at}: ${once} at 0.4 and ${twice} at 0.8`);
      tinted += twice !== 0;
    });
    assert.ok(tinted > bare.data.length / 4, 'colours over most of the image');
    await page.setChecked('#contour', true);
    const edged = await tab.painted();
    const { width, height, values } = grey((await tab.download('mask')).bytes);
    let edges = 0;
    for (let y = 1; y < height - 1; y++) {
      for (let x = 1; x < width - 1; x++) {
        const at = y * width + x;
        if (!values[at] || [at - 1, at + 1, at - width, at + width].every(beside => values[beside])) continue;
        edges++;
        assert.deepEqual([...edged.data.subarray(4 * at, 4 * at + 3)], [255, 255, 255], `edge at ${x}, ${y}`);
      }
    }
    assert.ok(edges > 50, `${edges} pixels of edge`);
    return `${edges} pixels of edge`;
  });

  await report.check('defaults, and choices that are remembered', async () => {
    await tab.set('opacity', 0.7);
    await tab.set('colormap', 'cividis');
    const style = page => Promise.all(['threshold', 'opacity', 'colormap'].map(id => page.inputValue(`#${id}`)));
    const other = await page.context().newPage();
    await other.goto(world.plain.address);
    assert.deepEqual(await style(other), ['0.5', '0.7', 'cividis'], 'the threshold is the model’s');
    await other.close();
    await page.click('#reset');
    await tab.settled();
    assert.deepEqual(await style(page), ['0.5', '0.45', 'viridis']);
    assert.equal(await tab.text('threshold-hint'), 'The model’s own is 0.50');
    return 'opacity and colours';
  });

  await report.check('H hides the mask, held it shows the image until released', async () => {
    const pressed = () => page.locator('#overlay-toggle').getAttribute('aria-pressed');
    // however slow the machine, this key is held for a moment only
    const press = () =>
      page.locator('#canvas').evaluate(canvas => {
        for (const type of ['keydown', 'keyup'])
          canvas.dispatchEvent(new KeyboardEvent(type, { key: 'h', bubbles: true }));
      });
    const shown = await tab.painted();
    await page.locator('#canvas').focus();
    await press();
    assert.equal(shareApart(await tab.painted(), bare, 0), 0, 'the bare image');
    assert.equal(await pressed(), 'false');
    await press();
    assert.equal(shareApart(await tab.painted(), shown, 0), 0, 'the mask again');
    await page.keyboard.down('h');
    assert.equal(await pressed(), 'false');
    await page.waitForTimeout(500);
    await page.keyboard.up('h');
    assert.equal(await pressed(), 'true');
    await page.click('#overlay-toggle');
    assert.equal(await pressed(), 'false');
    await page.click('#overlay-toggle');
    await page.locator('#mpp').focus();
    await page.keyboard.press('h');
    assert.equal(await pressed(), 'true', 'H in a field is a letter');
    await page.locator('#mpp').fill('');
    return 'by key, held key and button';
  });

  await report.check('console', async () => world.quiet(tab));
  await page.context().close();
}
