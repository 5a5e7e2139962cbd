// Sizes that the first visit has to load, and addresses in the app's texts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { formats } from './model.mjs';

const MB = 1e6;

export async function budget({ report, app, model }) {
  const files = fs.readdirSync(app, { recursive: true }).filter(name => fs.statSync(path.join(app, name)).isFile());
  const isModel = name => name.endsWith('.safetensors');
  const own = files.filter(name => !/\.(br|gz)$/.test(name));
  /** Bytes on the wire where the server offers brotli. */
  const size = name => fs.statSync(path.join(app, files.includes(`${name}.br`) ? `${name}.br` : name)).size;

  await report.check('size of the program', async () => {
    const [wasm, ...others] = own.filter(name => name.endsWith('.wasm'));
    assert.equal(others.length, 0);
    assert.ok(files.includes(`${wasm}.br`) && files.includes(`${wasm}.gz`), 'it is compressed');
    assert.ok(size(wasm) <= 3 * MB, `${size(wasm)} bytes`);
    const raw = fs.statSync(path.join(app, wasm)).size;
    return `${(size(wasm) / MB).toFixed(2)} MB of wasm by brotli (raw ${(raw / MB).toFixed(1)}), at most 3`;
  });
  await report.check('size of the first page without the model', async () => {
    const total = own.filter(name => !isModel(name)).reduce((sum, name) => sum + size(name), 0);
    assert.ok(total <= 4 * MB, `${total} bytes`);
    return `${(total / MB).toFixed(2)} MB, at most 4; service worker, icons and samples are in it`;
  });
  await report.check('the model', async () => {
    const [shipped, ...others] = own.filter(isModel);
    assert.equal(others.length, 0);
    const bytes = fs.readFileSync(path.join(app, shipped));
    assert.ok(bytes.equals(fs.readFileSync(model)), 'it is native/assets/glas.safetensors');
    assert.deepEqual([...formats(bytes)], ['F16']);
    return `${(bytes.length / MB).toFixed(1)} MB, f16`;
  });
  await report.check('no address of another origin', async () => {
    // names of XML namespaces: nothing is ever loaded from there
    const namespace = /^http:\/\/www\.w3\.org\/(2000\/svg|1999\/xhtml|1999\/xlink|1998\/Math\/MathML)$/;
    const texts = own.filter(name => /\.(html|js|css|svg|webmanifest)$/.test(name));
    assert.ok(texts.length >= 6);
    const found = texts.flatMap(
      name =>
        fs.readFileSync(path.join(app, name), 'utf8').match(/(?:https?:|wss?:)?\/\/[\w-]+(?:\.[\w-]+)+[\w./-]*/g) ?? [],
    );
    assert.deepEqual(
      found.filter(address => !namespace.test(address)),
      [],
    );
    return `${texts.length} texts`;
  });
}
