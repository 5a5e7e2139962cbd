// What `histomask predict` says of the same files.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Results as files by name, as the page's ZIP has them. */
export function predict(program, model, images, out, options = []) {
  execFileSync(program, [
    'predict',
    '--quiet',
    '--device',
    'cpu',
    '--model',
    model,
    '--out',
    out,
    ...options,
    ...images,
  ]);
  return Object.fromEntries(fs.readdirSync(out).map(name => [name, fs.readFileSync(path.join(out, name))]));
}
