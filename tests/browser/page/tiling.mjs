// Large images: cut into windows, in bounded memory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { bmpFile, foreground, picture } from './images.mjs';
import { scaled } from './model.mjs';
import { compare } from './numbers.mjs';
import { percent } from './tab.mjs';

/** Most memory of a process of the browser in MiB, with an image of the largest size. */
const MOST_MIB = 2048;

export async function tiling(world) {
  const { report } = world;
  const tab = await world.tab(world.plain);
  await tab.ready();

  await report.check('an image that is cut, against native', async () => {
    const model = world.file('unscaled.safetensors', scaled(fs.readFileSync(world.model), { resize: 'none' }));
    const image = world.file('wide.bmp', bmpFile(picture(1500, 1100)));
    await tab.loadModel(model);
    await tab.paintAsNative();
    await tab.add(image);
    return `1500 × 1100, ${compare(await tab.archive(), world.native([image], { model }))}`;
  });

  await report.check('an image of the largest size', async () => {
    await tab.clear();
    await tab.page.click('#model-default');
    await tab.page.waitForFunction(() => document.getElementById('model-default').hidden);
    await tab.add(world.file('largest.bmp', bmpFile(picture(4096, 4096))));
    assert.deepEqual(await tab.states(), ['done'], (await tab.details()).join());
    assert.deepEqual(await tab.page.locator('#painted').evaluate(({ width, height }) => [width, height]), [4096, 4096]);
    const area = percent(foreground((await tab.download('mask')).bytes).share);
    assert.equal(await tab.text('area'), area);
    const most = await peak(tab.page.context().browser());
    if (most) assert.ok(most <= MOST_MIB, `${most} MiB of memory, allowed is ${MOST_MIB}`);
    return `4096 × 4096, ${area} foreground; ${await tab.text('time')}${most ? `, at most ${most} MiB` : ''}`;
  });
  await report.check('console', async () => world.quiet(tab));
  await tab.page.context().close();
}

/** Most memory that one of the browser's processes has had, in MiB; where the system tells. */
async function peak(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const sizes = processInfo.map(({ id }) => {
    const status = fs.existsSync(`/proc/${id}/status`) ? fs.readFileSync(`/proc/${id}/status`, 'utf8') : '';
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  });
  return Math.round(Math.max(...sizes));
}
