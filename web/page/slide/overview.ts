import { byId } from "../dom";
import { percent, words } from "../format";
import type { ViewHost } from "./view-host";
import type { SlideAbout } from "./view-protocol";

/**
 * Reads a slide without small levels once, part by part, and says so meanwhile: before that it can be seen close up
 * only. Ends early when `wanted` says that another slide is open; never fails, as tiles then say what is wrong.
 */
export async function readOverview(
  { overview }: SlideAbout,
  view: ViewHost,
  wanted: () => boolean,
  context: { notify(message: string): void },
): Promise<void> {
  const line = byId("slide-pending");
  line.hidden = overview === null;
  if (overview === null) return;
  try {
    for (let share = 0; share < 1; share = await view.ask("overview", {})) {
      line.textContent = `This file has no smaller copies of the slide, so all of it is read once to show the whole: ${percent(share, 0)}. Zoom in to see a part at once.`;
      if (!wanted()) break;
    }
  } catch (error) {
    if (words(error) !== "closed") context.notify(words(error));
  }
  if (wanted()) line.hidden = true;
}
