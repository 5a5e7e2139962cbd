// Checks, one line each, counted.

// seconds for one check: many times what a busy machine with two cores needs
const PATIENCE = 300;

export class Report {
  passed = 0;
  failed = 0;
  ignored = 0;

  /** Runs a check; it fails if it throws, and what it returns is printed. */
  async check(name, work) {
    const start = performance.now();
    const time = () => `(${((performance.now() - start) / 1000).toFixed(1)} s)`;
    try {
      const text = await within(PATIENCE, work());
      this.passed++;
      console.log(`ok ${name}: ${text} ${time()}`);
    } catch (error) {
      this.failed++;
      const text = error.code === 'ERR_ASSERTION' ? error.message : error.stack;
      console.log(`FAILED ${name}: ${text.trim().replaceAll('\n', '\n    ')} ${time()}`);
    }
  }

  skip(text) {
    this.ignored++;
    console.log(`skipped: ${text}`);
  }

  /** The last line, as cargo writes it. */
  get line() {
    const { passed, failed, ignored } = this;
    const result = failed ? 'FAILED' : 'ok';
    return `test result: ${result}. ${passed} passed; ${failed} failed; ${ignored} ignored; 0 measured`;
  }
}

function within(seconds, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), 1000 * seconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Does what comes in turns until it holds; for what the page does in its own time. */
export async function until(what, holds, seconds = 60) {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
