// Processor time of everything this process has started, from Linux's /proc: unlike the clock, it does not count the
// time in which other programs had the cores.
import fs from 'node:fs';

const read = file => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    // it ended meanwhile
    return '';
  }
};

/** Processes that this one has started, and theirs. */
export function descendants() {
  const children = new Map();
  for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    // the name in brackets may hold anything
    const parent = read(`/proc/${pid}/stat`).split(') ').at(-1).split(' ')[1];
    children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const all = [], next = [String(process.pid)];
  while (next.length) {
    const found = children.get(next.pop()) ?? [];
    all.push(...found);
    next.push(...found);
  }
  return all;
}

/** Milliseconds so far; NaN where there is no /proc. */
export function cpuTime() {
  if (!fs.existsSync('/proc/self/schedstat')) return NaN;
  let nanoseconds = 0;
  for (const pid of descendants()) {
    let threads = [];
    try {
      threads = fs.readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const thread of threads) nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]);
  }
  return nanoseconds / 1e6;
}
