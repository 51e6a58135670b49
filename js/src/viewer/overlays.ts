/** Overlays in the side panel: shown or not, their colours and range, how they lie over the slices. */
import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { COLORMAP_GROUPS } from "../colormaps";
import { type Channel, MAX_TILES, type OverlayLook } from "../protocol";
import { colormapTitle, gradient } from "./colours";
import type { ViewContext } from "./context";
import { parseNumber, rangeText } from "./format";
import { icon } from "./icons";
import { eye, opacitySlider } from "./layerparts";
import { changedOverlays } from "./overlaylooks";
import { overlayStyles } from "./overlays.styles";
import { define, Part } from "./part";
import { fromEnds, highOf, lowOf } from "./range";
import { segmentationStyles } from "./segmentations.styles";
import { shared } from "./styles";
import { typed } from "./typed";

/** A list that is looked at, not watched. */
const APART_MS = 100;
const MODES = ["blend", "checkerboard", "swipe", "blink"] as const;
const MODE_WORDS = {
  blend: "Blend",
  checkerboard: "Checkerboard",
  swipe: "Swipe",
  blink: "Blink",
} as const;
const PERIODS_S = [0.4, 0.5, 1, 2, 4] as const;
const TILES = [2, 4, 6, 8, 12, 16, 24, 32, MAX_TILES] as const;

type Look = Partial<Omit<OverlayLook, "name">>;

function typedIn(event: Event): string {
  return (event.target as HTMLInputElement | HTMLSelectElement).value;
}

/** The numbers of a list, and the one that is set if it is another. */
function withOwn(numbers: readonly number[], own: number): readonly number[] {
  return numbers.includes(own) ? numbers : [...numbers, own].sort((a, b) => a - b);
}

export class OverlayPanel extends Part {
  static override styles = [shared, segmentationStyles, overlayStyles];
  private readonly closed = new Set<string>();

  constructor(context: ViewContext) {
    super(context, APART_MS);
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Overlays");
  }

  protected override shows(): readonly unknown[] {
    const { state, segmentations, palettes } = this.context.session;
    return [state.overlays, state.show_overlays, segmentations, palettes.revision];
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, actions } = this.context;
    const { overlays, show_overlays: shown } = session.state;
    if (!overlays.length) return nothing;
    return html`
      <div class="head">
        <h2>Overlays</h2>
        <span class="count">${overlays.length}</span><span class="grow"></span>
        ${eye(this.context, shown, "all overlays", "Shift + Q", () =>
          actions.patch({ show_overlays: !shown }),
        )}
      </div>
      <div class=${shown ? "" : "away"}>${overlays.map((look) => this.one(look))}</div>
    `;
  }

  private one(look: OverlayLook): TemplateResult {
    const { name, visible } = look;
    const info = this.context.session.segmentations.find((one) => one.name === name);
    const isOpen = !this.closed.has(name);
    return html`<div class="one ${visible ? "" : "away"}" role="group" aria-label=${name}>
      <div class="title">
        <button
          class="name"
          aria-expanded=${isOpen ? "true" : "false"}
          @click=${() => this.fold(name, isOpen)}
        >
          <span class="twist ${isOpen ? "open" : ""}">${icon("next")}</span>
          <span class="cut">${name}</span>
        </button>
        ${info ? nothing : html`<span class="quiet">opening…</span>`}
        ${eye(this.context, visible, name, "", () => this.change(name, { visible: !visible }))}
      </div>
      ${isOpen ? this.settings(look, info?.channel) : nothing}
    </div>`;
  }

  private fold(name: string, isOpen: boolean): void {
    if (isOpen) this.closed.add(name);
    else this.closed.delete(name);
    this.requestUpdate();
  }

  private settings(look: OverlayLook, channel: Channel | undefined): TemplateResult {
    const { name, opacity } = look;
    return html`
      <div class="settings">
        ${opacitySlider(this.context, name, opacity, (value) => this.change(name, { opacity: value }))}
      </div>
      ${this.scale(look, channel)} ${this.colours(look)} ${this.threshold(look)} ${this.mode(look)}
    `;
  }

  /** The colour bar, with the values at its ends. */
  private scale(look: OverlayLook, channel: Channel | undefined): TemplateResult {
    const { name, colormap, reverse, window } = look;
    const [low, high] = [lowOf(look), highOf(look)];
    const [from, to] = [rangeText(low, window), rangeText(high, window)];
    const unit = channel?.unit ? ` ${channel.unit}` : "";
    const range = (ends: { low?: number; high?: number }): void => {
      const [newLow, newHigh] = [ends.low ?? low, ends.high ?? high];
      if (newHigh > newLow) this.change(name, fromEnds(newLow, newHigh));
      else this.requestUpdate(); // which puts the old number back
    };
    return html`
      <div
        class="scale"
        role="img"
        aria-label=${`Colours of ${name}: ${from} to ${to}${unit}`}
        style="background:${gradient(colormap, reverse, "right")}"
      ></div>
      <div class="ends">
        ${this.number(`Low end of ${name}`, from, (value) => range({ low: value }))}
        <span class="quiet cut" title=${channel?.name ?? ""}>${channel?.name ?? ""}${unit ? html`,${unit}` : nothing}</span>
        ${this.number(`High end of ${name}`, to, (value) => range({ high: value }))}
      </div>
    `;
  }

  private number(
    label: string,
    text: string,
    act: (value: number) => void,
    none?: () => void,
  ): TemplateResult {
    const changed = (event: Event): void => {
      const typed = typedIn(event);
      const value = parseNumber(typed);
      if (value !== null) act(value);
      else if (typed.trim() === "" && none) none();
      this.requestUpdate();
    };
    return html`<input
      class="number"
      inputmode="decimal"
      aria-label=${label}
      title=${label}
      placeholder=${none ? "nowhere" : ""}
      data-lm-suppress-shortcuts="true"
      .value=${typed(text)}
      ?disabled=${!this.context.actions.canDrive}
      @change=${changed}
    />`;
  }

  private select(
    label: string,
    act: (value: string) => void,
    options: readonly (readonly [string, string])[],
    chosen: string,
  ): TemplateResult {
    return html`<select
      aria-label=${label}
      title=${label}
      ?disabled=${!this.context.actions.canDrive}
      .value=${live(chosen)}
      @change=${(e: Event) => act(typedIn(e))}
    >
      ${options.map(([value, words]) => html`<option value=${value} .selected=${live(value === chosen)}>${words}</option>`)}
    </select>`;
  }

  private colours({ name, colormap, reverse }: OverlayLook): TemplateResult {
    const { actions, session } = this.context;
    const own = session.palettes.maps.map(
      ({ name: map }) => [map, session.palettes.titleOf(map)] as const,
    );
    return html`<div class="row">
      <span class="quiet">Colours</span>
      <select
        class="grow"
        aria-label=${`Colour map of ${name}`}
        ?disabled=${!actions.canDrive}
        .value=${live(colormap)}
        @change=${(e: Event) => this.change(name, { colormap: typedIn(e) })}
      >
        ${own.map(([value, title]) => html`<option value=${value} .selected=${live(value === colormap)}>${title}</option>`)}
        ${Object.entries(COLORMAP_GROUPS)
          .filter(([title]) => title !== "Labels")
          .map(
            ([title, names]) => html`<optgroup label=${title}>
              ${names.map((map) => html`<option value=${map} .selected=${live(map === colormap)}>${colormapTitle(map)}</option>`)}
            </optgroup>`,
          )}
      </select>
      <label title="From the other end"
        ><input
          type="checkbox"
          aria-label=${`Reverse the colours of ${name}`}
          .checked=${live(reverse)}
          ?disabled=${!actions.canDrive}
          @change=${() => this.change(name, { reverse: !reverse })}
        />Reverse</label
      >
    </div>`;
  }

  private threshold({ name, threshold, two_sided, window }: OverlayLook): TemplateResult {
    const text = threshold === null ? "" : rangeText(threshold, window);
    return html`<div class="row">
      <span class="quiet">Clear below</span>
      ${this.number(
        `Clear below, of ${name}`,
        text,
        (value) => this.change(name, { threshold: value }),
        () => this.change(name, { threshold: null }),
      )}
      <label title="Clear where the value is nearer to zero, on both sides"
        ><input
          type="checkbox"
          aria-label=${`Clear around zero, of ${name}`}
          .checked=${live(two_sided)}
          ?disabled=${!this.context.actions.canDrive}
          @change=${() => this.change(name, { two_sided: !two_sided })}
        />Both signs</label
      >
    </div>`;
  }

  private mode(look: OverlayLook): TemplateResult {
    const { name, mode } = look;
    const modes = MODES.map((one) => [one, MODE_WORDS[one]] as const);
    return html`<div class="row">
      <span class="quiet">Mode</span>
      ${this.select(`Mode of ${name}`, (value) => this.setMode(look, value as OverlayLook["mode"]), modes, mode)}
      ${this.ofMode(look)}
    </div>`;
  }

  /** What is compared is shown as it is; what is mixed lets the volume through. */
  private setMode({ name, mode, opacity }: OverlayLook, wanted: OverlayLook["mode"]): void {
    const [was, becomes] = [mode === "blend", wanted === "blend"];
    const usual = was === becomes ? opacity : becomes ? 0.5 : 1;
    this.change(name, { mode: wanted, opacity: usual });
  }

  private ofMode({
    name,
    mode,
    tiles,
    divider,
    period_s,
  }: OverlayLook): TemplateResult | typeof nothing {
    if (mode === "checkerboard") {
      const options = withOwn(TILES, tiles).map((n) => [String(n), `${n} tiles`] as const);
      const act = (value: string): void => this.change(name, { tiles: Number(value) });
      return this.select(`Tiles of ${name}`, act, options, String(tiles));
    }
    if (mode === "swipe") {
      const options = [
        ["vertical", "Left, right"],
        ["horizontal", "Top, bottom"],
      ] as const;
      const act = (value: string): void =>
        this.change(name, { divider: value as OverlayLook["divider"] });
      return this.select(`Divider of ${name}`, act, options, divider);
    }
    if (mode === "blink") {
      const options = withOwn(PERIODS_S, period_s).map((s) => [String(s), `${s} s`] as const);
      const act = (value: string): void => this.change(name, { period_s: Number(value) });
      return this.select(`Period of ${name}`, act, options, String(period_s));
    }
    return nothing;
  }

  private change(name: string, look: Look): void {
    const { actions, session } = this.context;
    actions.patch({ overlays: changedOverlays(session.state, name, look) });
  }
}

define("blustream-overlays", OverlayPanel);
