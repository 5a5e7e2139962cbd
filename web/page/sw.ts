/**
 * The service worker: serves the page and its parts from a cache and refuses every other request. It adds the security
 * headers to what it serves, because plain file servers don't and a Worker takes its policy from its own response.
 */

/** Written into the built file by build/offline.ts. */
declare const __SITE__: {
  /** Hash of everything below. */
  readonly version: string;
  /** The page and its small parts, loaded at once. */
  readonly shell: readonly string[];
  /** Program and model: kept when the page loads them, so that it can show their progress. */
  readonly large: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
};

const scope = self as unknown as ServiceWorkerGlobalScope;
const site = __SITE__;
const root = new URL("./", scope.location.href).href;
// another copy of this page may lie under another path of the same origin
const family = `histomask ${root} `;
const cacheName = family + site.version;
/** Where the page leaves what it loaded before there was a service worker (early.ts). */
const stage = `histomask-early ${root}`;
const urls = new Set([...site.shell, ...site.large].map((path) => new URL(path, root).href));

scope.addEventListener("install", (event) => event.waitUntil(install()));
scope.addEventListener("activate", (event) => event.waitUntil(activate()));
scope.addEventListener("fetch", (event) => event.respondWith(answer(event)));
scope.addEventListener("message", (event) => {
  if (event.data === "claim") event.waitUntil(scope.clients.claim());
  if (event.data === "activate") event.waitUntil(scope.skipWaiting());
  if (event.data === "complete?") event.waitUntil(complete().then((all) => event.ports[0]?.postMessage(all)));
  if (event.data === "tidy") event.waitUntil(tidy());
});

async function install(): Promise<void> {
  const isUpdate = (await caches.keys()).some((name) => name.startsWith(family) && name !== cacheName);
  const cache = await caches.open(cacheName);
  // an update must be complete before it replaces a version that works offline
  const wanted = isUpdate ? [...site.shell, ...site.large] : site.shell;
  await Promise.all(
    wanted.map(async (path) => {
      const url = new URL(path, root).href;
      const old = hasHash(url) ? await caches.match(url, { ignoreVary: true }) : undefined;
      await cache.put(url, old ?? (await load(url)));
    }),
  );
}

async function activate(): Promise<void> {
  await scope.clients.claim();
}

/** Deletes older versions, unless another tab may still run one. */
async function tidy(): Promise<void> {
  const tabs = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (tabs.filter(({ url }) => url.startsWith(root)).length > 1) return;
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(family) && name !== cacheName);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function answer(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const url = new URL(request.url);
  url.search = url.hash = "";
  if (url.href === `${root}index.html`) url.href = root;
  if (request.method !== "GET") return Response.error();
  if (!urls.has(url.href)) return older(url.href);
  const cache = await caches.open(cacheName);
  const cached = (await cache.match(url.href, { ignoreVary: true })) ?? (await adopt(url.href));
  if (cached) return withHeaders(cached);
  const response = await load(url.href);
  event.waitUntil(cache.put(url.href, response.clone()));
  return withHeaders(response);
}

/** A part of an older version, for a tab that still runs it. */
async function older(url: string): Promise<Response> {
  for (const name of await caches.keys()) {
    if (!hasHash(url) || !name.startsWith(family)) continue;
    const response = await (await caches.open(name)).match(url, { ignoreVary: true });
    if (response) return withHeaders(response);
  }
  return Response.error();
}

/** Whether everything is at hand without a network. */
async function complete(): Promise<boolean> {
  const cache = await caches.open(cacheName);
  const found = await Promise.all(
    [...urls].map(async (url) => (await cache.match(url, { ignoreVary: true })) ?? adopt(url)),
  );
  return found.every((response) => response !== undefined);
}

/** Takes over what the page has loaded itself. */
async function adopt(url: string): Promise<Response | undefined> {
  if (!(await caches.has(stage))) return undefined;
  const response = await (await caches.open(stage)).match(url, { ignoreVary: true });
  if (!response) return undefined;
  await (await caches.open(cacheName)).put(url, response.clone());
  await caches.delete(stage);
  return response;
}

async function load(url: string): Promise<Response> {
  const response = await fetch(url, { cache: hasHash(url) ? "default" : "no-cache" });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

/** Names with a hash never change their content. */
function hasHash(url: string): boolean {
  return url.startsWith(`${root}assets/`);
}

/** A copy, which also forgets redirects: a page may not be served from a redirected response. */
function withHeaders(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of site.headers) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}
