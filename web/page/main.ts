/** Wires the parts of the page. */
import "./no-peers";
import { compileEarly } from "./early";
import "./styles/base.css";
import "./styles/intake.css";
import "./styles/layout.css";
import "./styles/result.css";
import "./styles/slide.css";
import "./styles/table.css";
import defaultModel from "../../native/assets/glas.safetensors?url";
import { BatchTable } from "./batch-table";
import { Controls } from "./controls";
import { initialDevice, measuredBefore, onDeviceChosen, rememberFaster, showDevice } from "./device-badge";
import { byId } from "./dom";
import { connectDownloads, enableDownloads } from "./downloads";
import { watchFiles, type Intake } from "./drop-zone";
import { count, duration, ended, sentence, words } from "./format";
import { Cancelled } from "./host-events";
import { ImageList } from "./image-list";
import { Images, foregroundKey, micronsPerPixel, type Found, type Item } from "./images";
import { showModelCard } from "./model-card";
import { goOffline, stored } from "./offline";
import { Pool } from "./pool";
import type { DeviceInfo, LoadedModel } from "./protocol";
import { ResultView } from "./result-view";
import { Runner } from "./runner";
import { showSamples } from "./samples";
import { Slides } from "./slide/slides";
import { dismiss, notify, say, showLoading, showProgress, stickBar } from "./status";
import { Beside } from "./view/beside";
import { Viewer } from "./view/viewer";

const DEFAULT_MODEL = "Default model (GlaS)";
/** Larger models are refused unread, as `histomask` does. */
const MOST_MODEL_BYTES = 512 * 1024 * 1024;

const images = new Images();
let selected: Item | undefined;
let device: DeviceInfo | undefined;
let model: (LoadedModel & { name: string }) | undefined;
let modelName = DEFAULT_MODEL;
let packing = false;
/** An archive was asked to end. */
let stopping = false;
/** Results that were not saved: leaving the page asks first. */
let unsaved = false;
let started = (): void => undefined;
const hasStarted = new Promise<void>((resolve) => (started = resolve));

const firstDevice = initialDevice();
const host = new Pool(firstDevice, defaultModel, {
  starting() {
    device = undefined;
    showDevice(undefined);
    say("Starting…");
  },
  progress(event) {
    if (event.event === "loading") {
      showLoading(event);
    } else {
      showProgress(null);
      say("Warming up: the first run prepares the device, later ones are faster…");
    }
  },
  ready(info, loaded) {
    device = info;
    showDevice(info);
    useModel(loaded);
    started();
    report();
    if (selected) show(selected);
    runner.run();
    void sayOffline();
  },
  grown: () => runner.run(),
  slower: () => rememberFaster("cpu"),
  faster: () => rememberFaster("gpu"),
  restarting(message) {
    notify(`The computation was interrupted: ${ended(message)} It starts again; results so far are kept.`);
  },
  dead(message) {
    showDevice(undefined);
    byId("badge-name").textContent = "Not running";
    showProgress(null);
    say("Not running");
    notify(`histomask could not start: ${message}`, { label: "Try again", run: () => host.open() });
  },
});

const controls = new Controls((what) => {
  if (what === "style") viewer.repaint();
  else rescale();
  result.showArea(undefined, scaleOf(selected));
});
const runner = new Runner(
  host,
  images,
  () => controls.style(),
  () => controls.micronsPerPixel(),
  {
    changed(item, thumbnail) {
      if (thumbnail && item === selected) controls.key.over(thumbnail);
      list.update(item, model?.card, thumbnail);
      table.update();
      if (item.state.kind === "done") unsaved = true;
      if (item === selected) show(item);
      else report();
    },
    idle: report,
  },
);
const beside: Beside = new Beside({
  pool: host,
  images,
  style: () => controls.style(),
  card: () => model?.card,
  moved: () => viewer.link(),
});
const viewer: Viewer = new Viewer(host, () => controls.style(), beside, {
  painted(item, foreground) {
    item.foreground.set(foregroundKey(item, controls.style()), foreground);
    if (item === selected) result.showArea(foreground, scaleOf(item));
  },
  failed: (item, message) => notify(`“${item.name}”: ${message}`),
  turn,
  micronsPerPixel: () => scaleOf(selected),
});
const result = new ResultView({
  choose(item, classIndex) {
    item.chosen = classIndex;
    viewer.repaint();
  },
});
const list = new ImageList(images, { select: show, remove });
const table = new BatchTable({
  images,
  style: () => controls.style(),
  micronsPerPixel: () => controls.micronsPerPixel(),
  card: () => model?.card,
  show,
});

const slides = new Slides({
  started: hasStarted,
  shared: () => host.shared,
  device: () => device?.kind ?? firstDevice,
  card: () => model?.card,
  style: () => controls.style(),
  say,
  progress: showProgress,
  notify,
  closed: report,
});

function scaleOf(item: Item | undefined): number | null {
  return item ? micronsPerPixel(item, controls.micronsPerPixel()) : null;
}

/** Other microns per pixel were typed: what depends on them is said anew, of the image on show at once. */
function rescale(): void {
  viewer.rescale();
  void runner.scale(images.done());
  table.update();
}

/** Files of all kinds; what is not taken is named. */
function take({ images: found, models, skipped, folder }: Intake): void {
  const [first, second] = models;
  if (first) void changeModel(first);
  if (second) notify(`Of ${models.length} models “${first?.name}” was taken, “${second.name}” was not`);
  if (found.length > 0) void slides.take(found).then((rest) => rest.length > 0 && add(rest));
  if (folder && found.length === 0 && !first) {
    const what = skipped.length > 0 ? ` (${count(skipped.length, "file")} of other kinds)` : "";
    notify(`There is no image in this folder${what}: PNG, JPEG, BMP, TIFF and WebP are read`);
  } else if (folder && skipped.length > 0) {
    const more = skipped.length > 1 ? ` and ${skipped.length - 1} more` : "";
    notify(`No image and left out: “${skipped[0]}”${more}`);
  }
}

function add(found: readonly Found[]): void {
  const items = images.add(found);
  document.body.classList.add("working");
  for (const item of items) {
    list.add(item);
    list.update(item, model?.card);
  }
  // what is new is what one wants to see; a whole batch does not take the view from an image being looked at
  if (items[0] && (!selected || items.length === 1)) show(items[0]);
  // what comes before the program is ready is predicted when it is
  if (device) runner.run();
  report();
}

function show(item: Item): void {
  const changed = item !== selected;
  selected = item;
  runner.preferred = item;
  if (changed) list.select(item);
  byId("image-title").textContent = item.name;
  controls.showOwnScale(item.state.kind === "done" ? item.state.findings.mpp : null);
  const { state } = item;
  byId("findings").hidden = state.kind !== "done";
  byId("pending").hidden = state.kind === "done";
  byId("retry").hidden = !(state.kind === "cancelled" || (state.kind === "failed" && state.again));
  if (state.kind === "done" && model) {
    result.show(item, state.findings, model.card);
    result.showArea(undefined, scaleOf(item));
    viewer.show(item);
    if (changed) {
      void runner.scale([item]);
      const picture = list.picture(item);
      if (picture) controls.key.over(picture);
    }
  } else {
    viewer.show(undefined);
    byId("pending-text").textContent =
      state.kind === "failed"
        ? sentence(state.message)
        : { waiting: "Waiting…", running: "Computing…", cancelled: "Cancelled.", done: "" }[state.kind];
  }
  byId("retry").textContent = alike(item).length > 1 ? `Go on with ${alike(item).length} images` : "Try again";
  byId("pending").dataset["state"] = state.kind;
  report();
}

/** What a second try is for: with a cancelled image, all that were cancelled. */
function alike(item: Item): Item[] {
  return item.state.kind === "cancelled" ? images.all.filter(({ state }) => state.kind === "cancelled") : [item];
}

/** The image before or after, around the end. */
function turn(step: number): void {
  const { all } = images;
  const item = selected && all[(all.indexOf(selected) + step + all.length) % all.length];
  if (item) show(item);
}

function remove(item: Item): void {
  const at = images.all.indexOf(item);
  images.remove(item);
  list.remove(item);
  host.forget(item.id);
  const next = images.all[Math.min(at, images.all.length - 1)];
  if (next) show(next);
  else showNothing();
  report();
}

function showNothing(): void {
  selected = undefined;
  unsaved = false;
  viewer.clear();
  document.body.classList.remove("working");
  byId("file-input").focus({ preventScroll: true });
}

/** The status line, the batch's progress and what may be pressed. */
function report(): void {
  const all = images.all;
  const of = (kind: Item["state"]["kind"]) => all.filter(({ state }) => state.kind === kind).length;
  const [done, failed, waiting] = [of("done"), of("failed"), of("waiting") + of("running")];
  byId("cancel").hidden = waiting === 0 && !packing;
  byId("image-count").textContent = String(all.length);
  byId("turn").hidden = all.length < 2;
  byId("turn-at").textContent = selected ? `${all.indexOf(selected) + 1} of ${all.length}` : "";
  enableDownloads(selected, images);
  if (!device) return;
  if (packing) return;
  showProgress(waiting > 0 && all.length > 1 ? (all.length - waiting) / all.length : null);
  if (waiting > 0) {
    const left = waiting > 1 ? runner.left(waiting) : null;
    const time = left === null ? "" : `, about ${duration(left)} left`;
    say(`Computing ${all.length - waiting + 1} of ${all.length}${time}…`);
  } else if (all.length === 0) {
    say("Ready");
  } else {
    say(`${count(done, "image")} done${failed > 0 ? `, ${failed} failed` : ""}`);
  }
}

function useModel(loaded: LoadedModel): void {
  const isOther = model?.sha256 !== loaded.sha256 || model?.name !== modelName;
  model = { ...loaded, name: modelName };
  showModelCard(loaded, modelName, modelName !== DEFAULT_MODEL);
  if (!isOther) return;
  controls.useModelThreshold(loaded.card.threshold);
  slides.modelChanged();
}

/** Another model, or null for the default one; images are predicted again with it. */
async function changeModel(file: File | null): Promise<void> {
  dismiss();
  try {
    if (file && file.size > MOST_MODEL_BYTES) throw new Error("it is larger than 512 MiB");
    // bytes are kept, so that the model survives its file and the Worker
    const kept = file ? new Blob([await file.arrayBuffer()]) : null;
    say("Loading the model…");
    const loaded = await host.load(kept);
    modelName = file?.name ?? DEFAULT_MODEL;
    useModel(loaded);
    runner.repeat(images.all.filter(({ state }) => state.kind !== "running"));
  } catch (error) {
    if (!(error instanceof Cancelled)) {
      notify(`“${file?.name ?? DEFAULT_MODEL}” was not loaded: ${ended(words(error))} The model in use stays.`);
    }
  }
  report();
}

/** Whether the page will open without a network: known once all is loaded. */
async function sayOffline(): Promise<void> {
  const line = byId("offline");
  const available = offline.available && (line.dataset["available"] === "true" || (await stored()));
  const why = offline.available ? "the browser has not stored all parts" : offline.why;
  line.textContent = available ? "Works offline" : `Not available offline: ${why}`;
  line.dataset["available"] = String(available);
}

watchFiles(take, (file) => void changeModel(file));
showSamples((file) => add([{ file, path: file.name }]), notify);
onDeviceChosen((choice) => host.open(choice, measuredBefore(choice)));
connectDownloads({
  host,
  images,
  selected: () => selected,
  style: () => controls.style(),
  micronsPerPixel: () => controls.micronsPerPixel(),
  model: () => model,
  device: () => device,
  failed: notify,
  saved() {
    unsaved = false;
  },
  packing(underWay) {
    packing = underWay;
    stopping = false;
    report();
  },
  packed(done, all) {
    showProgress(done / all);
    say(`Packing ${done + 1} of ${all}…`);
  },
  stopped: () => stopping,
});
byId("previous").addEventListener("click", () => turn(-1));
byId("next").addEventListener("click", () => turn(1));
byId("model-default").addEventListener("click", () => void changeModel(null));
byId("retry").addEventListener("click", () => selected && runner.repeat(alike(selected)));
byId("remove").addEventListener("click", () => selected && remove(selected));
byId("cancel").addEventListener("click", () => {
  runner.cancel();
  // an archive ends with what it holds; asked again, nothing is waited for
  if (!packing ? runner.busy : stopping) host.cancel();
  stopping = packing;
  report();
});
byId("clear").addEventListener("click", () => {
  runner.cancel();
  host.clear();
  images.clear();
  list.clear();
  showNothing();
  report();
});

stickBar();
addEventListener("beforeunload", (event) => {
  if (unsaved || packing || slides.unsaved) event.preventDefault();
});

const early = compileEarly((event) => event.event === "loading" && showLoading(event));
const offline = await goOffline((use) => notify("A new version of this page is ready", { label: "Reload", run: use }));
host.supply(await early);
host.open(firstDevice, measuredBefore(firstDevice));
