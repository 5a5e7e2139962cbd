import { byId } from "./dom";
import { sentence } from "./format";
import type { DeviceChoice, DeviceInfo } from "./protocol";
import { remember, remembered } from "./settings";

const select = byId("device", HTMLSelectElement);

/** The device to start on: of the address (?device=cpu), else of the last visit, else the best there is. */
export function initialDevice(): DeviceChoice {
  const asked = new URLSearchParams(location.search).get("device") ?? remembered("device");
  const choice = asked === "gpu" || asked === "cpu" ? asked : "auto";
  select.value = choice;
  return choice;
}

/**
 * What was measured on an earlier visit of this version: why `auto` is the CPU, or true for the GPU; undefined if it has
 * to be tried.
 */
export function measuredBefore(choice: DeviceChoice): string | true | undefined {
  const before = choice === "auto" ? remembered("faster") : null;
  if (before === `gpu ${__BUILD__.version}`) return true;
  return before === `cpu ${__BUILD__.version}` ? "The CPU was faster than the GPU when both were tried." : undefined;
}

export function rememberFaster(kind: DeviceInfo["kind"]): void {
  remember("faster", `${kind} ${__BUILD__.version}`);
}

export function onDeviceChosen(use: (choice: DeviceChoice) => void): void {
  select.addEventListener("change", () => {
    const choice = select.value as DeviceChoice;
    remember("device", choice);
    use(choice);
  });
}

/** Says which device computes and why; undefined while none does. */
export function showDevice(device: DeviceInfo | undefined): void {
  const badge = byId("badge");
  badge.dataset["kind"] = device?.kind ?? "none";
  byId("badge-name").textContent = device ? title(device) : "Starting…";
  byId("badge-why").textContent = device ? sentence(device.why) : "";
}

function title({ kind, name }: DeviceInfo): string {
  const short = kind.toUpperCase();
  return name.startsWith(short) ? name : `${short} · ${name}`;
}
