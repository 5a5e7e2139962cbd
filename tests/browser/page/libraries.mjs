// Libraries that scripts/web-tests.sh installs outside of the repository, in the folder that it names.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';

const load = createRequire(path.resolve(process.env.WEB_TESTS_MODULES, '_'));

export const { chromium } = load('playwright-core');
export const { PNG } = load('pngjs');
export const Zip = load('adm-zip');
export const axe = fs.readFileSync(load.resolve('axe-core/axe.min.js'), 'utf8');
export const { parse: parseCsv } = load('csv-parse/sync');
