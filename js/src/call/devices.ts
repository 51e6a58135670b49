/** By which microphone, camera and speaker somebody is heard and seen, and hears. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import type { LiveCall } from "./call";
import { canChooseSpeaker } from "./media";

const KINDS: readonly (readonly [MediaDeviceKind, string])[] = [
  ["audioinput", "Microphone"],
  ["videoinput", "Camera"],
  ["audiooutput", "Speaker"],
];
/** Names that Chromium gives to whatever device the system uses. */
const USUAL = new Set(["", "default", "communications"]);

/** A choice of each kind of which there is one. */
export function deviceChoices(call: LiveCall): readonly (TemplateResult | typeof nothing)[] {
  return KINDS.map(([kind, title]) => deviceChoice(call, kind, title));
}

function deviceChoice(
  call: LiveCall,
  kind: MediaDeviceKind,
  title: string,
): TemplateResult | typeof nothing {
  if (kind === "audiooutput" && !canChooseSpeaker()) return nothing;
  const found = call.devices.filter((device) => device.kind === kind && !USUAL.has(device.id));
  if (found.length === 0) return nothing;
  const chosen = call.chosen[kind];
  // Who listens, or whose microphone is gone, may choose any, also the usual one.
  const isNone = kind === "audioinput" && !call.hasMicrophone;
  const choose = (event: Event): void =>
    void call.choose(kind, (event.target as HTMLSelectElement).value);
  // What did not start is not what the list goes on to show.
  const option = (id: string, label: string): TemplateResult =>
    html`<option value=${id} .selected=${live(!isNone && id === chosen)}>${label}</option>`;
  return html`<label>
    <span>${title}</span>
    <select part=${kind} @change=${choose}>
      <option value="none" disabled ?hidden=${!isNone} .selected=${live(isNone)}>None</option>
      ${option("", "System default")}
      ${found.map(({ id, label }, i) => option(id, label || `${title} ${i + 1}`))}
    </select>
  </label>`;
}
