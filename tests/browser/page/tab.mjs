// The page in a tab, used as a person does.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { readPng } from './images.mjs';
import { Zip } from './libraries.mjs';
import { until } from './report.mjs';

/** A share as the page writes it. */
export function percent(share) {
  return `${(100 * share).toFixed(1)}\u202f%`;
}

export class Tab {
  /** What the console complains of, and what scripts throw. */
  errors = [];

  /** Kinds of the questions that the page has asked. */
  dialogs = [];

  /** Whether such questions are answered by no. */
  stays = false;

  /** Opens the page; `before` sees it empty, to add scripts. */
  static async open(context, address, before = () => undefined) {
    const tab = new Tab();
    tab.page = await context.newPage();
    tab.page.setDefaultTimeout(60_000);
    tab.page.on('console', message => message.type() === 'error' && tab.errors.push(message.text()));
    tab.page.on('pageerror', error => tab.errors.push(error.message));
    // leaving with results that were not saved is asked about
    tab.page.on('dialog', dialog => {
      tab.dialogs.push(dialog.type());
      void (tab.stays ? dialog.dismiss() : dialog.accept());
    });
    tab.page.on('crash', () => tab.errors.push('the tab crashed'));
    await before(tab.page);
    await tab.page.goto(address);
    return tab;
  }

  text(id) {
    return this.page.locator(`#${id}`).innerText();
  }

  /** Waits until the program runs and says on what. */
  async ready() {
    await until(
      'a device on the badge',
      async () => {
        const kind = await this.page.locator('#badge').getAttribute('data-kind');
        return kind !== 'none' && !/^(Starting|Loading|Warming)/.test(await this.text('status'));
      },
      120,
    );
    return { kind: await this.page.locator('#badge').getAttribute('data-kind'), why: await this.text('badge-why') };
  }

  /** Adds files, by path or as `{ name, mimeType, buffer }`, and waits until they are done. */
  async add(...files) {
    const before = await this.page.locator('#images > *').count();
    await this.page.setInputFiles('#file-input', files);
    await until(
      'as many images',
      async () => (await this.page.locator('#images > *').count()) === before + files.length,
    );
    await this.settled();
  }

  /** Waits until nothing is computed or painted. */
  async settled(seconds = 120) {
    await until(
      'images done',
      () =>
        this.page.evaluate(() =>
          [...document.querySelectorAll('#images > *')].every(({ dataset }) =>
            /done|failed|cancelled/.test(dataset.state),
          ),
        ),
      seconds,
    );
    await this.page.evaluate(async () => {
      const stage = document.getElementById('stage');
      // a change is painted from the next frame on
      for (let still = 0; still < 3; still++) {
        await new Promise(requestAnimationFrame);
        const paints = stage.hasAttribute('aria-busy') || stage.matches('.stale:not(.empty)');
        if (paints) still = -1;
      }
    });
  }

  states() {
    return this.page.locator('#images > *').evaluateAll(rows => rows.map(({ dataset }) => dataset.state));
  }

  /** What stands beside the images in the list. */
  details() {
    return this.page.locator('#images .image-detail').allInnerTexts();
  }

  async clear() {
    await this.page.click('#clear');
    await until('an empty list', async () => (await this.text('image-count')) === '0');
  }

  /** Offers a file as a model, which may be none. */
  async offerModel(file) {
    await this.page.setInputFiles('#model-input', file);
  }

  /** Loads a model, by path or as `{ name, mimeType, buffer }`. */
  async loadModel(file) {
    const name = file.name ?? path.basename(file);
    await this.offerModel(file);
    await until(`${name} loaded`, async () => (await this.text('model-name')) === name, 120);
  }

  /** Moves a slider or chooses from a list, and waits for the picture. */
  async set(id, value) {
    await this.page.locator(`#${id}`).evaluate((input, value) => {
      input.value = value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }, String(value));
    await this.settled();
  }

  /** Colours over the image and the outside as it is, as `histomask predict` paints an overlay. */
  async paintAsNative() {
    await this.page.evaluate(() => {
      const heat = document.getElementById('heat');
      heat.checked = true;
      heat.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await this.set('dim', 0);
  }

  /** What lies over the image at the moment, RGBA. */
  async painted() {
    await this.settled();
    const url = await this.page.locator('#painted').evaluate(canvas => {
      const copy = document.createElement('canvas');
      [copy.width, copy.height] = [canvas.width, canvas.height];
      copy.getContext('2d').drawImage(canvas, 0, 0);
      return copy.toDataURL('image/png');
    });
    return readPng(Buffer.from(url.split(',')[1], 'base64'));
  }

  /** The place in the window of the middle of an image's pixel, with the whole image in view. */
  async at(x, y, { width, height }) {
    const box = await this.page.locator('#stage').boundingBox();
    const inner = { width: box.width - 2, height: box.height - 2 };
    const scale = Math.min(inner.width / width, inner.height / height);
    return [
      box.x + 1 + (inner.width - scale * width) / 2 + scale * (x + 0.5),
      box.y + 1 + (inner.height - scale * height) / 2 + scale * (y + 0.5),
    ];
  }

  /** Waits until the view moves no more. */
  still() {
    return this.page.evaluate(async () => {
      const layers = document.getElementById('layers');
      for (let still = 0, before; still < 5; still++) {
        await new Promise(requestAnimationFrame);
        const now = layers.toDataURL();
        if (now !== before) still = 0;
        before = now;
      }
    });
  }

  /** What a download button saves: its name and bytes. */
  async download(kind) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.page.click(`#download-${kind}`)]);
    assert.equal(await download.failure(), null);
    return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
  }

  /** Entries of the ZIP of all results, by name; reading them checks their sums. */
  async archive() {
    return entries((await this.download('zip')).bytes);
  }

  /** The same of a download under way. */
  async entries(download) {
    return entries(fs.readFileSync(await download.path()));
  }
}

function entries(bytes) {
  const zip = new Zip(bytes);
  return Object.fromEntries(zip.getEntries().map(entry => [entry.entryName, entry.getData()]));
}
