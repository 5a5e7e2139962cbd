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

/** The canvas empty and in pixels of the screen, `ratio` of which lie on one of the page's. */
export function emptied(canvas: HTMLCanvasElement): { context: CanvasRenderingContext2D; ratio: number } | null {
  const context = canvas.getContext("2d");
  if (!context) return null;
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, ratio };
}
