// Two images, or two models, beside each other.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { grey, picture, pngFile } from './images.mjs';
import { asWildcat, withThreshold } from './model.mjs';
import { table } from './numbers.mjs';
import { until } from './report.mjs';
import { percent } from './tab.mjs';

export async function compare(world) {
  const { report } = world;
  const images = ['one', 'two'].map((stem, at) => world.file(`${stem}.png`, pngFile(picture(160, 120, at + 1))));
  const size = { width: 160, height: 120 };
  const tab = await world.tab(world.plain);
  const { page } = tab;
  await tab.ready();
  await tab.add(...images);
  await page.locator('#images > *').first().click();
  await tab.settled();
  const soft = Object.fromEntries(
    Object.entries(await tab.archive()).flatMap(([name, bytes]) =>
      name.endsWith('_soft.png') ? [[name.replace('_soft.png', ''), grey(bytes).values]] : [],
    ),
  );

  /** What is read where the pointer is, of a pane's middle and some pixels beside it. */
  const readAt = async (pane, [across, down]) => {
    const box = await page.locator(pane).boundingBox();
    await page.mouse.move(0, 0);
    await page.evaluate(() => (document.getElementById('value').textContent = ''));
    await page.mouse.move(box.x + box.width / 2 + across, box.y + box.height / 2 + down);
    const said = await until(`a value in ${pane}`, async () => {
      const text = await tab.text('value');
      return /: \d/.test(text) && text;
    }, 10);
    const [, x, y, value] = /x (\d+), y (\d+): ([\d.]+)/.exec(said);
    return { x: Number(x), y: Number(y), value: Number(value), said };
  };
  const alike = async (one, other, what) => {
    for (const place of [
      [21, 13],
      [-32, 40],
    ]) {
      const [here, there] = [await readAt('#view', place), await readAt('#beside-view', place)];
      assert.ok(Math.abs(here.x - there.x) <= 1 && Math.abs(here.y - there.y) <= 1, `${what}: ${here.said} and ${there.said}`);
      for (const [{ x, y, value }, stem] of [
        [here, one],
        [there, other],
      ]) {
        assert.ok(Math.abs(value - soft[stem][y * size.width + x] / 65535) < 6e-4, `${what}: ${value} of ${stem}`);
      }
    }
  };

  await report.check('two images: one zoom, one place', async () => {
    await page.click('#compare-toggle');
    await until('the other image', async () => /\d/.test(await tab.text('beside-class')), 20);
    await tab.still();
    await alike('one', 'two', 'at first');
    await page.locator('#canvas').focus();
    for (const key of ['+', '+', '+', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    await tab.still();
    const first = await readAt('#view', [0, 0]);
    assert.ok(Math.abs(first.x - 80) > 2 && Math.abs(first.y - 60) > 2, first.said);
    await alike('one', 'two', 'after keys');
    await page.locator('#beside-canvas').focus();
    await page.keyboard.press('-');
    await page.keyboard.press('ArrowLeft');
    await tab.still();
    const second = await readAt('#view', [0, 0]);
    assert.ok(second.x < first.x, `${second.said} after ${first.said}: the first view follows too`);
    await alike('one', 'two', 'after keys in the other');
    return `${first.said}, then ${second.said}`;
  });

  await report.check('two models: classes, values, a threshold each', async () => {
    const wildcat = asWildcat(fs.readFileSync(world.model));
    const model = world.file('wildcat.safetensors', withThreshold(wildcat, 0.3057));
    await page.setInputFiles('#beside-input', model);
    const said = await until('a class', async () => /threshold/.test(await tab.text('beside-class')) && tab.text('beside-class'), 60);
    const theirs = world.native(images.slice(0, 1), { model });
    const [row] = table(theirs['predictions.csv']);
    assert.equal(said, `${row.class} ${percent(Number(row.probability))}, threshold 0.3057`);
    await tab.still();
    const { x, y, said: read } = await readAt('#beside-view', [21, 13]);
    const other = grey(theirs['one_soft.png']).values[y * size.width + x] / 65535;
    const [, first, second, side] = /: ([\d.]+), \w+; by the other model ([\d.]+), (\w+)$/.exec(read);
    assert.ok(Math.abs(first - soft.one[y * size.width + x] / 65535) < 6e-4, read);
    assert.ok(Math.abs(second - other) < 6e-4, `${read}; native has ${other}`);
    assert.equal(side, other >= 0.3057 ? 'inside' : 'outside');
    assert.equal(await tab.text('model-name'), 'Default model (GlaS)', 'the first one stays');
    // another image is shown by both
    await page.click('#next');
    await until('the next image', async () => (await tab.text('beside-class')) !== said, 30);
    await tab.settled();
    assert.equal(page.workers().length, 2);
    await page.click('#compare-toggle');
    await until('its Worker is gone', () => page.workers().length === 1, 10);
    assert.ok(await page.locator('#beside').isHidden());
    return `${said}; ${read}`;
  });

  await report.check('a model that is none', async () => {
    await page.click('#compare-toggle');
    await page.setInputFiles('#beside-input', world.file('bad.safetensors', Buffer.from('no model')));
    const said = await until('a refusal', async () => /was not loaded/.test(await tab.text('beside-pending')) && tab.text('beside-pending'), 30);
    await page.click('#compare-toggle');
    await tab.settled();
    assert.deepEqual(await tab.states(), ['done', 'done']);
    return said;
  });
  await report.check('console', async () => world.quiet(tab));
  await page.context().close();

  await report.check('on a phone: one above the other, all tools, the value under a finger', async () => {
    const phone = await world.tab(world.plain, { viewport: { width: 360, height: 740 }, hasTouch: true });
    await phone.ready();
    await phone.add(...images);
    await phone.page.tap('#compare-toggle');
    await until('the other image', async () => /\d/.test(await phone.text('beside-class')), 20);
    await phone.still();
    const [one, other] = await Promise.all(['#pane', '#beside'].map(id => phone.page.locator(id).boundingBox()));
    assert.ok(Math.abs(one.y + one.height - other.y) < 2 && one.width > 300 && one.height > 100, 'one above the other');
    const tools = phone.page.locator('#tools button');
    for (const tool of await tools.all()) {
      const box = await tool.boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= 360 && box.height >= 24, await tool.innerText());
    }
    assert.ok(await phone.page.locator('#badge-why').isVisible(), 'why this device');
    for (const [pane, pattern] of [
      ['#canvas', /^x \d+, y \d+: [\d.]+, (in|out)side$/],
      ['#beside-canvas', /^Beside it, x \d+, y \d+: [\d.]+, (in|out)side$/],
    ]) {
      const box = await phone.page.locator(pane).boundingBox();
      await phone.page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
      await until(`a value in ${pane}`, async () => pattern.test(await phone.text('value')), 10);
    }
    const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${wide} pixels wide`);
    assert.deepEqual(phone.errors, []);
    await phone.page.context().close();
    return 'both views';
  });
}
