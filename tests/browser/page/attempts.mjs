// What a hostile script would try, to send something to another origin.

/** Ways to send something to another origin from a page; the directive of the policy that refuses each. */
export const FROM_PAGE = {
  fetch: [
    'connect-src',
    url => {
      fetch(url, { method: 'POST', body: 'patient', mode: 'no-cors' }).catch(() => undefined);
    },
  ],
  XMLHttpRequest: [
    'connect-src',
    url => {
      const request = new XMLHttpRequest();
      request.open('GET', url);
      request.send();
    },
  ],
  WebSocket: [
    'connect-src',
    url => {
      new WebSocket(url.replace('http', 'ws'));
    },
  ],
  EventSource: [
    'connect-src',
    url => {
      new EventSource(url);
    },
  ],
  sendBeacon: ['connect-src', url => navigator.sendBeacon(url, 'patient')],
  img: [
    'img-src',
    url => {
      new Image().src = url;
    },
  ],
  background: [
    'img-src',
    url => {
      document.body.style.backgroundImage = `url(${url})`;
    },
  ],
  script: [
    'script-src-elem',
    url => document.head.append(Object.assign(document.createElement('script'), { src: url })),
  ],
  link: [
    'style-src-elem',
    url => document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: url })),
  ],
  iframe: ['frame-src', url => document.body.append(Object.assign(document.createElement('iframe'), { src: url }))],
  embed: ['object-src', url => document.body.append(Object.assign(document.createElement('embed'), { src: url }))],
  audio: [
    'media-src',
    url => {
      new Audio(url).load();
    },
  ],
  font: [
    'font-src',
    url => {
      new FontFace('strange', `url(${url})`).load().catch(() => undefined);
    },
  ],
  form: [
    'form-action',
    url => {
      const target = document.body.appendChild(Object.assign(document.createElement('iframe'), { name: 'target' }));
      const form = Object.assign(document.createElement('form'), { action: url, method: 'post', target: target.name });
      document.body.append(form);
      form.submit();
    },
  ],
  import: [
    'script-src-elem',
    url => {
      import(url).catch(() => undefined);
    },
  ],
};
/** Those that a Worker has too. */
export const FROM_WORKER = Object.fromEntries(
  Object.entries(FROM_PAGE).filter(([name]) =>
    ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'import'].includes(name),
  ),
);

/** Those of a service worker. */
export const FROM_SERVICE_WORKER = Object.fromEntries(
  Object.entries(FROM_PAGE).filter(([name]) => ['fetch', 'WebSocket', 'EventSource'].includes(name)),
);

/**
 * Makes each attempt, with an address of its own; returns by which directive it was refused, null if by none within
 * `patience` milliseconds.
 */
export async function attempt(scope, attempts, address, patience = 3000) {
  const refused = {};
  for (const [name, [, work]] of Object.entries(attempts)) {
    const url = address + name;
    await scope.evaluate(
      ([url, patience]) => {
        const late = new Promise(resolve => setTimeout(resolve, patience, null));
        const violation = new Promise(resolve =>
          addEventListener('securitypolicyviolation', event => {
            // of frames the origin alone is told
            const [blocked, asked] = [event.blockedURI, url].map(address => address.replace(/^\w+/, ''));
            if (asked.startsWith(blocked)) resolve(event.effectiveDirective);
          }),
        );
        self.refused = Promise.race([violation, late]);
      },
      [url, patience],
    );
    // some throw as well
    await scope.evaluate(work, url).catch(() => undefined);
    refused[name] = await scope.evaluate(() => self.refused);
  }
  return refused;
}
