/** The element of an id. That it exists is a matter of index.html, not of what a user does. */
export function byId<T extends Element = HTMLElement>(id: string, type?: new () => T): T {
  const element = document.getElementById(id);
  if (!element || (type && !(element instanceof type))) throw new Error(`index.html has no such #${id}`);
  return element as unknown as T;
}

/** A new element with a class and text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** Whether keys typed now are meant for a field. */
export function typing(): boolean {
  const active = document.activeElement;
  if (active instanceof HTMLInputElement) return active.type !== "checkbox" && active.type !== "file";
  return active instanceof HTMLSelectElement || active instanceof HTMLTextAreaElement;
}

/** Shows a picture from the Worker, without a copy, and takes its size. */
export function showBitmap(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
  if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
}
