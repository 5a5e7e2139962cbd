import { byId } from "../dom";

/** Of images and of slides. */
const BUTTONS = ["full-screen", "slide-full-screen"] as const;

/** The picture alone with the status line; the browser's own full screen where it allows it. */
export function toggleFullScreen(): void {
  const on = !document.body.classList.contains("alone");
  showFullScreen(on);
  if (on) void document.documentElement.requestFullscreen?.().catch(() => undefined);
  else if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
}

export function showFullScreen(on: boolean): void {
  document.body.classList.toggle("alone", on);
  for (const id of BUTTONS) byId(id).setAttribute("aria-pressed", String(on));
}

document.addEventListener("fullscreenchange", () => showFullScreen(document.fullscreenElement !== null));
