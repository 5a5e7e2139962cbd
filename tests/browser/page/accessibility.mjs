// axe-core over the page's states in both themes, keys in the order that is seen, and what systems ask for.
import assert from 'node:assert/strict';
import { picture, pngFile } from './images.mjs';
import { axe } from './libraries.mjs';

export async function accessibility(world) {
  const { report } = world;
  const image = (name, seed) => ({ name, mimeType: 'image/png', buffer: pngFile(picture(200, 130, seed)) });
  const white = { width: 200, height: 130, pixels: Buffer.alloc(3 * 200 * 130, 255) };
  const files = [
    image('one.png', 1),
    { ...image('white.png', 1), buffer: pngFile(white) },
    { name: 'none.png', mimeType: 'image/png', buffer: Buffer.from('no image') },
  ];

  for (const colorScheme of ['light', 'dark']) {
    await report.check(`axe-core, ${colorScheme}`, async () => {
      // a button that was just pressed would be looked at between two colours
      const tab = await world.tab(world.plain, { colorScheme, reducedMotion: 'reduce' });
      const { page } = tab;
      const states = [];
      const look = async state => {
        await tab.settled();
        // by the debugger: the page's policy allows no script from elsewhere
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
        const said = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
        assert.deepEqual(said, [], state);
        states.push(state);
      };
      await tab.ready();
      await look('start');
      await tab.add(...files);
      await look('result');
      await page.setChecked('#heat', true);
      await page.click('#swipe-toggle');
      await page.locator('#images > *').nth(1).click();
      await look('colours, swipe, a caution');
      await page.locator('#images > *').nth(2).click();
      await page.click('#model-card summary');
      await look('a failed image, the model card');
      await page.locator('#images > *').first().click();
      await page.click('#compare-toggle');
      await look('two views');
      await page.click('#table-open');
      await look('table');
      await page.context().close();
      return states.join('; ');
    });
  }

  await report.check('keys reach everything in the order seen', async () => {
    const tab = await world.tab(world.plain);
    const { page } = tab;
    await tab.ready();
    await tab.add(files[0]);
    await page.locator('body').click({ position: { x: 2, y: 2 } });
    const reached = [];
    for (let times = 0; times < 60; times++) {
      await page.keyboard.press('Tab');
      const id = await page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
      if (reached.includes(id)) break;
      reached.push(id);
    }
    const order = ['device', 'file-input', 'folder-input', 'table-open', 'clear', 'model-input', 'canvas', 'threshold', 'contour', 'download-mask'];
    const places = order.map(id => reached.indexOf(id));
    assert.ok(places.every((place, at) => place >= 0 && place > (places[at - 1] ?? -1)), reached.join(' '));
    await page.context().close();
    return `${reached.length} stops`;
  });

  await report.check('200 % zoom, forced colours, reduced motion', async () => {
    const viewport = { width: 640, height: 400 };
    const tab = await world.tab(world.plain, { viewport, forcedColors: 'active', reducedMotion: 'reduce' });
    const { page } = tab;
    await tab.ready();
    await tab.add(files[0]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 640, `${wide} pixels wide in a window of 640`);
    const box = await page.locator('#stage').boundingBox();
    assert.ok(box.height > 120 && box.y + box.height <= 400, 'the picture is in view');
    await page.click('#zoom-in');
    await tab.still();
    assert.ok((await tab.painted()).data.some(level => level > 0), 'the picture keeps its colours');
    const ground = id => page.locator(id).evaluate(button => getComputedStyle(button).backgroundColor);
    assert.notEqual(await ground('#overlay-toggle'), await ground('#swipe-toggle'), 'what is pressed is seen');
    assert.deepEqual(tab.errors, []);
    await page.context().close();
    return 'nothing is wider than the window, the picture is in view';
  });
}
