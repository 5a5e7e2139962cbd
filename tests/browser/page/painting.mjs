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
  const size = { width: 160, height: 120 };
  const [inside, outside] = await sides(tab);

  /** Colours in the window, in the middle of pixels of the image. */
  const seen = async places => {
    await page.click('#fit');
    await tab.still();
    const box = await page.locator('#stage').boundingBox();
    const shot = readPng(await page.locator('#stage').screenshot());
    const points = [];
    for (const { x, y } of places) {
      const [left, top] = await tab.at(x, y, size);
      const at = 4 * (Math.floor(top - box.y) * shot.width + Math.floor(left - box.x));
      points.push([...shot.data.subarray(at, at + 3)]);
    }
    return points;
  };
  const near = (one, other, what) =>
    one.forEach((level, at) => assert.ok(Math.abs(level - other[at]) <= 3, `${what}: ${one} and ${other}`));
  const level = ({ x, y }) => [...bare.data.subarray(4 * (160 * y + x), 4 * (160 * y + x) + 3)];

  await report.check('at first a contour, the inside as it is and the outside darker', async () => {
    const style = await page.evaluate(() => ['contour', 'heat'].map(id => document.getElementById(id).checked));
    assert.deepEqual(style, [true, false]);
    const dark = place => level(place).map(value => 0.6 * value);
    (await seen(inside)).forEach((color, at) => near(color, level(inside[at]), 'inside'));
    (await seen(outside)).forEach((color, at) => near(color, dark(outside[at]), 'outside'));
    await tab.set('dim', 0);
    (await seen(outside)).forEach((color, at) => near(color, level(outside[at]), 'not darkened'));
    await tab.set('dim', 0.4);
    return `${inside.length} places inside and ${outside.length} outside, in a picture of the window`;
  });

  await report.check('hatched outside: inside and outside cannot be taken for each other', async () => {
    await tab.set('dim', 1);
    await page.selectOption('#outside', 'hatched');
    await tab.settled();
    // places in a row come upon the lines, dark and light, and upon the image between them
    const around = places => places.flatMap(({ x, y }) => Array.from({ length: 7 }, (_, at) => ({ x: x - 3 + at, y })));
    const kinds = (colors, places) => {
      const found = { dark: 0, light: 0, image: 0 };
      colors.forEach((color, at) => {
        const own = level(places[at]);
        if (color.every((value, channel) => Math.abs(value - own[channel]) <= 3)) found.image++;
        else if (Math.max(...color) < 90) found.dark++;
        else if (Math.min(...color) > 235) found.light++;
      });
      return found;
    };
    const [within, beyond] = [around(inside), around(outside)];
    (await seen(within)).forEach((color, at) => near(color, level(within[at]), 'inside'));
    const { dark, light, image } = kinds(await seen(beyond), beyond);
    for (const [name, count] of Object.entries({ dark, light, image })) {
      assert.ok(count > beyond.length / 20, `${name}: ${count} of ${beyond.length}`);
    }
    const key = await page.locator('#scale').evaluate(canvas => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width / 4, canvas.height);
      const levels = data.filter((_, at) => at % 4 === 0);
      return [Math.min(...levels), Math.max(...levels)];
    });
    assert.ok(key[0] < 30 && key[1] > 225, `the key is hatched too: ${key}`);
    await page.click('#reset');
    await tab.settled();
    return `of ${beyond.length} places outside ${dark} dark, ${light} light, ${image} the image's own`;
  });

  await report.check('the line between image and mask', async () => {
    await page.click('#swipe-toggle');
    const colors = await seen(outside);
    const dark = place => level(place).map(value => 0.6 * value);
    const isLeft = ({ x }) => x < 76;
    const apart = outside.map((place, at) => ({ place, color: colors[at] })).filter(({ place }) => Math.abs(place.x - 80) > 6);
    assert.ok(apart.some(({ place }) => isLeft(place)) && apart.some(({ place }) => !isLeft(place)));
    for (const { place, color } of apart) near(color, isLeft(place) ? level(place) : dark(place), `at ${place.x}`);
    await page.locator('#swipe').focus();
    await page.keyboard.press('End');
    assert.equal(await page.locator('#swipe').getAttribute('aria-valuenow'), '100');
    (await seen(outside)).forEach((color, at) => near(color, level(outside[at]), 'all bare'));
    await page.click('#swipe-toggle');
    assert.ok(await page.locator('#swipe').isHidden());
    return `${apart.length} places left and right of it`;
  });

  await report.check('the key has the colours of the picture', async () => {
    await page.setChecked('#heat', true);
    await tab.set('opacity', 1);
    await tab.set('dim', 0.4);
    await page.setChecked('#contour', false);
    const { values } = grey((await tab.archive())['one_soft.png']);
    const soft = ({ x, y }) => values[160 * y + x] / 65535;
    const [high] = [...inside].sort((one, other) => soft(other) - soft(one));
    const [color] = await seen([high]);
    const key = await page.locator('#scale').evaluate((canvas, at) => {
      const context = canvas.getContext('2d');
      return [1, Math.floor(at * canvas.width)].map(x => [...context.getImageData(x, 5, 1, 1).data.subarray(0, 3)]);
    }, soft(high));
    // at full opacity high values nearly hide the image
    key[1].forEach((value, at) => assert.ok(Math.abs(value - color[at]) <= 25, `${key[1]} and ${color}`));
    assert.ok(key[0].every(value => value <= 0.6 * 255 + 1), `${key[0]}: the outside is dark in the key too`);
    await page.click('#reset');
    await tab.settled();
    return `${key[1]} where the picture has ${color}`;
  });
  await tab.paintAsNative();

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
    assert.ok(!(await page.isChecked('#heat')));
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
    const isBare = () =>
      page.locator('#layers').evaluate(canvas => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.every(value => value === 0);
      });
    assert.equal(await isBare(), false);
    await page.locator('#canvas').focus();
    await press();
    assert.equal(await isBare(), true, 'nothing lies over the image');
    assert.equal(await pressed(), 'false');
    await press();
    assert.equal(await isBare(), false, 'the mask again');
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

/** Pixels well inside and well outside of the mask. */
async function sides(tab) {
  const { values } = grey((await tab.download('mask')).bytes);
  const even = (x, y, side) => {
    for (let down = -4; down <= 4; down++) {
      for (let across = -4; across <= 4; across++) if (values[160 * (y + down) + x + across] !== side) return false;
    }
    return true;
  };
  // clear of tools, navigator and scale bar
  const found = side => {
    const places = [];
    for (let y = 30; y < 84; y += 6) for (let x = 8; x < 152; x += 6) if (even(x, y, side)) places.push({ x, y });
    return places;
  };
  const [inside, outside] = [255, 0].map(found);
  assert.ok(inside.length > 5 && outside.length > 5, `${inside.length} inside, ${outside.length} outside`);
  return [inside, outside];
}
