/** By which microphone, camera and speaker somebody is heard and seen, and hears. */
import { html, nothing, type TemplateResult } from "lit";
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
  const choose = (event: Event): void =>
    void call.choose(kind, (event.target as HTMLSelectElement).value);
  return html`<label>
    <span>${title}</span>
    <select part=${kind} @change=${choose}>
      <option value="" ?selected=${chosen === ""}>The usual one</option>
      ${found.map(({ id, label }, i) => html`<option value=${id} ?selected=${id === chosen}>${label || `${title} ${i + 1}`}</option>`)}
    </select>
  </label>`;
}
