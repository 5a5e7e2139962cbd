// Pictures of the page's states at two widths, light and dark, for people to look at.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { until } from './report.mjs';

export async function takeScreenshots(world) {
  const { report } = world;
  fs.mkdirSync(world.screenshots, { recursive: true });
  await report.check('a wide window and a phone’s, light and dark', async () => {
    for (const width of [1280, 360]) {
      for (const colorScheme of ['light', 'dark']) {
        const viewport = { width, height: width === 360 ? 740 : 800 };
        const tab = await world.tab(world.plain, { viewport, colorScheme });
        await tab.ready();
        await until('that it works offline', async () => (await tab.text('offline')) === 'Works offline', 30);
        const shoot = async name => {
          const file = path.join(world.screenshots, `${name}-${width}-${colorScheme}.png`);
          await tab.page.screenshot({ path: file, fullPage: true });
          const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(wide <= width, `${name}: ${wide} pixels wide in a window of ${width}`);
        };
        await shoot('start');
        await tab.add(...world.samples.slice(2));
        await shoot('result');
        const { page } = tab;
        await page.selectOption('#outside', 'hatched');
        await page.click('#compare-toggle');
        await until('the other image', async () => /\d/.test(await tab.text('beside-class')), 30);
        await tab.settled();
        await shoot('compared');
        await page.click('#compare-toggle');
        await page.selectOption('#outside', 'darker');
        await tab.add({ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no image') });
        await page.locator('#images > *').last().click();
        await shoot('error');
        await page.click('#model-card summary');
        await shoot('card');
        await page.click('#table-open');
        await shoot('batch');
        assert.deepEqual(tab.errors, []);
        await tab.page.context().close();
      }
    }
    return `in ${world.screenshots}; nothing is wider than the window`;
  });
}
