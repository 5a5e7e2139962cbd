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

  await report.check('the model card in plain words', async () => {
    const words = await page.locator('#model-words').evaluate(list => list.textContent);
    for (const said of ['colon', 'haematoxylin and eosin', 'µm per pixel', 'All-ones', 'none was chosen by its error', 'Limits']) {
      assert.ok(words.includes(said), said);
    }
    return `${words.length} characters`;
  });

  await report.check('value under the cursor', async () => {
    const { 'one_soft.png': soft } = await tab.archive();
    const { width, values } = grey(soft);
    const value = (x, y) => values[y * width + x] / 65535;
    const expected = (x, y) =>
      `x ${x}, y ${y}: ${value(x, y).toFixed(3)}, ${value(x, y) >= 0.5 ? 'inside' : 'outside'}`;
    await page.click('#fit');
    await tab.still();
    const reads = (x, y) => until(expected(x, y), async () => (await tab.text('value')) === expected(x, y), 10);
    for (const [x, y] of [
      [3, 5],
      [80, 60],
      [157, 117],
    ]) {
      await page.mouse.move(...(await tab.at(x, y, { width: 160, height: 120 })));
      await reads(x, y);
    }
    await page.mouse.move(0, 0);
    // a finger has no cursor: where it rests counts
    const [left, top] = await tab.at(40, 30, { width: 160, height: 120 });
    await page.locator('#canvas').dispatchEvent('pointerdown', { pointerType: 'touch', clientX: left, clientY: top });
    await reads(40, 30);
    await page.locator('#canvas').focus();
    let at = [];
    for (const [key, across, down] of [
      ['Shift+ArrowRight', undefined, undefined],
      ['Shift+ArrowRight', 1, 0],
      ['Shift+ArrowDown', 0, 1],
      ['Shift+ArrowLeft', -1, 0],
      ['Shift+ArrowUp', 0, -1],
    ]) {
      await page.keyboard.press(key);
      await tab.still();
      if (across !== undefined) await reads(at[0] + across, at[1] + down);
      at = /^x (\d+), y (\d+)/.exec(await tab.text('value')).slice(1).map(Number);
    }
    await page.keyboard.press('ArrowRight');
    await tab.still();
    await until('a larger step', async () => Number(/^x (\d+)/.exec(await tab.text('value'))[1]) > at[0] + 5, 10);
    assert.ok(await page.locator('#cross').isVisible());
    await page.click('#fit');
    return 'by mouse, finger and arrow keys, equal to the soft mask’s file';
  });

  await report.check('zoom, rotation, scale bar, full screen', async () => {
    const bar = () => page.locator('#scale-bar').evaluate(bar => [bar.textContent, bar.offsetWidth]);
    assert.ok(await page.locator('#scale-bar').isHidden());
    await page.fill('#mpp', '0.5');
    await page.click('#actual');
    await tab.still();
    // 1:1: a pixel of half a micron on one of the screen
    assert.deepEqual(await bar(), ['50\u202fµm', 100]);
    await page.locator('#canvas').focus();
    const close = () => page.locator('#stage').evaluate(stage => stage.classList.contains('close-up'));
    await page.keyboard.press('0');
    await tab.still();
    assert.equal(await close(), false);
    for (let times = 0; times < 4; times++) await page.keyboard.press('+');
    await tab.still();
    assert.equal(await close(), true);
    assert.ok(await page.locator('#navigator').isVisible(), 'an overview when a part is in view');
    const box = await page.locator('#stage').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const before = await bar();
    await page.mouse.wheel(0, -400);
    await tab.still();
    assert.notDeepEqual(await bar(), before, 'the wheel zooms');
    assert.equal(await page.evaluate(() => scrollY), 0, 'and the page stays');
    await page.locator('#canvas').focus();
    await page.keyboard.press('0');
    await page.keyboard.press('r');
    await tab.still();
    // turned by a quarter, the upper left pixel is on the upper right
    await page.mouse.move(0, 0);
    const inner = { width: box.width - 2, height: box.height - 2 };
    const scale = Math.min(inner.width / 160, inner.height / 120);
    await page.mouse.move(box.x + 1 + inner.width / 2 + scale * 30, box.y + 1 + inner.height / 2 - scale * 40);
    await until('the turned value', async () => /^x (39|40), y (29|30):/.test(await tab.text('value')), 10);
    await page.keyboard.press('Shift+R');
    await page.click('#full-screen');
    assert.ok(await page.locator('#model').isHidden());
    await until('room', async () => (await page.locator('#stage').boundingBox()).width > box.width + 300, 10);
    assert.ok(await page.locator('#status').isVisible(), 'the status is still there');
    await page.click('#full-screen');
    await until('the page', () => page.locator('#model').isVisible(), 10);
    await page.fill('#mpp', '');
    await page.click('#fit');
    return 'by buttons, keys and wheel';
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
    assert.match(await tab.text('model-words'), /benign and malignant[^]*organ and stain its file does not say/);
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
