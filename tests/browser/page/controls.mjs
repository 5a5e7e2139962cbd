// Reading the result, the list of images, and one's own model; by mouse, keys and files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { foreground, grey, picture, pngFile, readPng, shareApart } from './images.mjs';
import { asWildcat, scaled } from './model.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';
import { percent } from './tab.mjs';

export async function controls(world) {
  const { report } = world;
  const images = ['one', 'two', 'three'].map((stem, index) =>
    world.file(`${stem}.png`, pngFile(picture(160 + 16 * index, 120, index + 1))),
  );
  const [image] = images;
  const tab = await world.tab(world.plain);
  const { page } = tab;
  await tab.ready();
  await tab.add(image);

  await report.check('value under the cursor', async () => {
    const { 'one_soft.png': soft } = await tab.archive();
    const { width, values } = grey(soft);
    const expected = (x, y) => `x ${x}, y ${y}: ${(values[y * width + x] / 65535).toFixed(3)}`;
    await page.locator('#canvas').scrollIntoViewIfNeeded();
    const box = await page.locator('#canvas').boundingBox();
    const scale = box.width / width;
    for (const [x, y] of [
      [3, 5],
      [80, 60],
      [157, 117],
    ]) {
      await page.mouse.move(box.x + (x + 0.5) * scale, box.y + (y + 0.5) * scale);
      await until(expected(x, y), async () => (await tab.text('value')) === expected(x, y), 10);
    }
    await page.mouse.move(0, 0);
    await page.locator('#canvas').focus();
    for (const [key, x, y] of [
      ['ArrowRight', 90, 60],
      ['Shift+ArrowDown', 90, 61],
      ['ArrowLeft', 80, 61],
      ['ArrowUp', 80, 51],
    ]) {
      await page.keyboard.press(key);
      await until(expected(x, y), async () => (await tab.text('value')) === expected(x, y), 10);
    }
    assert.ok(await page.locator('#marker').isVisible());
    return 'by mouse and by arrow keys, equal to the soft mask’s file';
  });

  await report.check('area in square millimetres', async () => {
    const mask = foreground((await tab.download('mask')).bytes);
    const share = percent(mask.share);
    for (const typed of ['0.5', '0,5']) {
      await page.fill('#mpp', typed);
      const size = Number(((mask.pixels * 0.25) / 1e6).toPrecision(3));
      assert.equal(await tab.text('area'), `${share} · ${size}\u202fmm²`);
    }
    await page.fill('#mpp', 'half');
    assert.equal(await tab.text('area'), share);
    assert.ok(await page.locator('#mpp-hint').isVisible());
    assert.equal(await page.locator('#mpp').getAttribute('aria-invalid'), 'true');
    await page.fill('#mpp', '');
    return `${mask.pixels} pixels of foreground`;
  });

  await report.check('keys in the list', async () => {
    await tab.add(...images.slice(1));
    const title = () => tab.text('image-title');
    await page.locator('#images [aria-selected=true]').focus();
    for (const [key, name] of [
      ['Home', 'one'],
      ['ArrowDown', 'two'],
      ['End', 'three'],
      ['ArrowUp', 'two'],
      ['Home', 'one'],
      ['ArrowUp', 'one'],
    ]) {
      await page.keyboard.press(key);
      assert.equal(await title(), `${name}.png`, key);
      const chosen = page.locator('#images [aria-selected=true]');
      assert.equal(await chosen.count(), 1);
      assert.match(await chosen.innerText(), new RegExp(`${name}\\.png`));
      assert.ok(await chosen.evaluate(option => option === document.activeElement), 'the focus follows');
    }
    assert.equal((await tab.painted()).width, 160);
    await page.keyboard.press('Delete');
    assert.equal(await title(), 'two.png');
    assert.equal(await tab.text('image-count'), '2');
    await page.click('#next');
    assert.equal(await tab.text('turn-at'), '2 of 2');
    assert.equal((await tab.painted()).width, 192);
    await page.click('#next');
    assert.equal(await title(), 'two.png');
    return 'arrows, Home, End, Delete; the buttons beside the title';
  });

  await report.check('dropped and pasted files', async () => {
    await tab.clear();
    const bytes = fs.readFileSync(image).toString('base64');
    for (const [name, kind] of [
      ['dropped.png', 'drop'],
      ['pasted.png', 'paste'],
    ]) {
      await page.evaluate(
        ([base64, name, kind]) => {
          const files = new DataTransfer();
          files.items.add(new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], name, { type: 'image/png' }));
          const options = { bubbles: true, cancelable: true };
          const event =
            kind === 'drop'
              ? new DragEvent('drop', { ...options, dataTransfer: files })
              : new ClipboardEvent('paste', { ...options, clipboardData: files });
          document.getElementById('drop').dispatchEvent(event);
        },
        [bytes, name, kind],
      );
      await until(name, async () => (await tab.text('image-title')) === name, 10);
    }
    await tab.settled();
    assert.deepEqual(await tab.states(), ['done', 'done']);
    return 'both predicted';
  });

  await report.check('one’s own model: its card, and masks by class', async () => {
    const model = world.file('wildcat.safetensors', scaled(asWildcat(fs.readFileSync(world.model)), { size: 128 }));
    await tab.clear();
    await tab.loadModel(model);
    await page.click('#model-card summary');
    assert.match(
      await tab.text('model-rows'),
      /Method\s+Wildcat, efficientnet-lite0[^]*short side to 128 px[^]*SHA-256\s+[0-9a-f]{64}/,
    );
    await tab.add(image);
    assert.equal(await tab.text('uncertainty'), '—');
    const theirs = world.native([image], { model });
    const [{ class: predicted }] = table(theirs['predictions.csv']);
    assert.equal(await tab.text('class'), predicted);
    const masks = {};
    for (const choice of ['', '0', '1']) {
      await tab.set('class-choice', choice);
      const { bytes } = await tab.download('mask');
      masks[choice] = readPng(bytes);
      assert.equal(await tab.text('area'), percent(foreground(bytes).share));
    }
    const same = ['benign', 'malignant'].indexOf(predicted);
    assert.ok(
      shareApart(masks[''], readPng(theirs['one_mask.png']), 0) <= 1e-3,
      'the predicted class’s as native has it',
    );
    assert.equal(shareApart(masks[''], masks[same], 0), 0, 'chosen by name');
    assert.ok(shareApart(masks[0], masks[1], 0) > 0.05, 'the classes’ masks differ');
    return `WILDCAT, ${predicted}`;
  });

  await report.check('the device that the address names', async () => {
    const chosen = await world.tab(world.plain, { query: '?device=cpu' });
    const { kind, why } = await chosen.ready();
    assert.deepEqual([kind, why], ['cpu', 'The CPU was chosen.']);
    await chosen.page.context().close();
    return why;
  });
  await report.check('console', async () => world.quiet(tab));
  await page.context().close();
}
