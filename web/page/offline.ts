/** Longest wait for the service worker; without it the page works, only not offline. */
const PATIENCE_MS = 15_000;

/** Longest wait until what the page has loaded is stored. */
const STORING_MS = 10_000;

/** After which a page that was to be reloaded is taken to have stayed. */
const STAYED_MS = 1_000;

export type Offline = { readonly available: true } | { readonly available: false; readonly why: string };

/**
 * Registers the service worker and waits until it serves this page. The Worker is started after that: its script then
 * comes with the security headers, which plain file servers do not send.
 */
export async function goOffline(newVersion: (use: () => void) => void): Promise<Offline> {
  if (import.meta.env.DEV) return { available: false, why: "this is a development server" };
  if (!("serviceWorker" in navigator)) {
    const why = isSecureContext ? "this browser or window does not allow it" : "that needs https or localhost";
    return { available: false, why };
  }
  const { serviceWorker } = navigator;
  try {
    const registration = await serviceWorker.register("./sw.js", { updateViaCache: "none" });
    watchForNewVersion(registration, newVersion);
    await inTime(controlled(registration));
    return { available: true };
  } catch (error) {
    const why = error instanceof DOMException ? "the browser refuses it" : "the browser has not stored the page";
    return { available: false, why };
  }
}

/** Whether program and model, which the page loads itself, have arrived in the cache too. */
export async function stored(): Promise<boolean> {
  const end = performance.now() + STORING_MS;
  while (performance.now() < end) {
    const { controller } = navigator.serviceWorker;
    const answer = new Promise<boolean>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => resolve(data === true);
      controller?.postMessage("complete?", [port2]);
      setTimeout(() => resolve(false), 1000);
    });
    if (await answer) {
      // all of this version is at hand
      controller?.postMessage("tidy");
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}

function controlled(registration: ServiceWorkerRegistration): Promise<void> {
  return new Promise((resolve, reject) => {
    if (navigator.serviceWorker.controller) return resolve();
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
    const first = registration.installing;
    first?.addEventListener("statechange", () => first.state === "redundant" && reject(new Error("not installed")));
    // after a forced reload the active service worker ignores the page unless it is asked
    registration.active?.postMessage("claim");
  });
}

function inTime(promise: Promise<void>): Promise<void> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE_MS));
  return Promise.race([promise, late]);
}

function watchForNewVersion(registration: ServiceWorkerRegistration, tell: (use: () => void) => void): void {
  const reload = () => {
    location.reload();
    // still here: the page asked first, and was told to stay
    setTimeout(() => tell(reload), STAYED_MS);
  };
  const offer = (waiting: ServiceWorker) =>
    tell(() => {
      navigator.serviceWorker.addEventListener("controllerchange", reload, { once: true });
      waiting.postMessage("activate");
    });
  // without a controller it is this page's first one
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && registration.active && registration.active !== worker) offer(worker);
    });
  });
}
