/** Menus: planes, channels, picture, more, and the one of the right click. */
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { toolEntries } from "../annotations/toolmenu";
import { isMap } from "../geometry";
import { axisTitle, channelText, positionText, worldOf } from "./axes";
import type { ViewContext } from "./context";
import type { Entry, Item } from "./entries";
import { followEntries } from "./followbar";
import { clamp } from "./format";
import { icon } from "./icons";
import { LAYOUT_WORDS } from "./layout";
import { define, Part, rove } from "./part";
import { planeEntries, planeTitle } from "./planemenu";
import { channelOf } from "./range";
import { recordEntries } from "./recordmark";
import { type Job, pictureJobs } from "./screenshot";
import { type MouseSet, SCROLL_STEPS } from "./settings";
import { copyText } from "./states";
import { shared } from "./styles";
import type { ToolbarHost } from "./toolbar";
import { viewEntries } from "./viewcopy";
import { zoomEntries } from "./zoommenu";

const MOUSE_SETS: readonly (readonly [MouseSet, string])[] = [
  ["standard", "Drag pans, right drag windows"],
  ["radiology", "Drag windows, right drag zooms"],
];

export class Menu extends Part {
  static override styles = [
    shared,
    css`
      :host {
        display: block;
        padding: 4px;
        min-width: 200px;
      }
      button {
        width: 100%;
        min-height: 28px;
        padding: 0 8px;
        display: flex;
        align-items: center;
        gap: 8px;
        border-radius: 4px;
        text-align: left;
        white-space: nowrap;
      }
      button .grow {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      button:hover:not(:disabled),
      button:focus-visible {
        background: var(--hover);
      }
      button:focus-visible {
        outline-offset: -2px;
      }
      .icon {
        color: var(--fg2);
      }
      .room {
        width: 16px;
        flex: none;
      }
      h3 {
        margin: 4px 8px 2px;
        font-size: 12px;
        line-height: 20px;
        font-weight: 600;
        color: var(--fg2);
      }
      hr {
        border: 0;
        height: 1px;
        background: var(--line);
        margin: 4px 0;
      }
      @media (pointer: coarse) {
        button {
          min-height: 44px;
        }
      }
      @media (pointer: coarse) and (hover: none) {
        kbd {
          display: none;
        }
      }
    `,
  ];

  constructor(
    context: ViewContext,
    private readonly owner: ToolbarHost & {
      readonly job: Job;
      readonly whole: ((times: number) => HTMLCanvasElement) | null;
    },
  ) {
    super(context);
  }

  private get buttons(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
  }

  focusFirst(): void {
    const chosen = this.buttons.find((button) => button.getAttribute("aria-checked") === "true");
    (chosen ?? this.buttons[0])?.focus();
  }

  private get entries(): readonly Entry[] {
    switch (this.context.ui.open) {
      case "planes":
        return this.planes();
      case "layouts":
        return this.layouts();
      case "plane":
        return planeEntries(this.context);
      case "channels":
        return this.channels();
      case "picture":
        return this.pictures();
      case "zoom":
        return zoomEntries(this.context);
      case "more":
        return this.more();
      case "settings":
        return this.settings();
      case "context":
        return this.here();
      case "annotate":
      case "measure":
      case "tools":
        return [...toolEntries(this.context.desk, this.context.ui.open)];
      default:
        return [];
    }
  }

  private planes(): Entry[] {
    const { session, actions } = this.context;
    return (session.info?.axes ?? []).map((axis, i) => ({
      label: axisTitle(axis),
      key: String(i + 1),
      checked: i === session.state.axis,
      act: () => this.context.take(() => actions.setAxis(i)),
    }));
  }

  private layouts(): Entry[] {
    const { session, actions } = this.context;
    const { state } = session;
    const layouts: Entry[] = LAYOUT_WORDS.map(([layout, label]) => ({
      label,
      checked: layout === state.layout,
      act: () => actions.patch({ layout }),
    }));
    if (state.panes.length === 0) return layouts;
    return [
      ...layouts,
      "line",
      {
        label: "Linked place and colours",
        checked: state.linked,
        isSwitch: true,
        act: () => actions.patch({ linked: !state.linked }),
      },
      {
        label: "This pane alone",
        key: "Z",
        checked: state.maximised,
        isSwitch: true,
        act: () => actions.patch({ maximised: !state.maximised }),
      },
      {
        label: "Equal sizes",
        disabled: state.columns.length + state.rows.length === 0,
        act: () => actions.patch({ columns: [], rows: [] }),
      },
    ];
  }

  private channels(): Entry[] {
    const { session, actions } = this.context;
    return (session.info?.channels ?? []).map((channel, i) => ({
      label: channel.name,
      checked: i === session.state.channel,
      act: () => actions.setChannel(i),
    }));
  }

  private pictures(): Entry[] {
    const jobs = pictureJobs(this.owner.job, this.owner.whole).map(
      ({ label, icon: name, act, key }) => ({
        label,
        icon: name,
        act,
        ...(key ? { key } : {}),
      }),
    );
    return [...jobs, ...recordEntries(this.context)];
  }

  private more(): Entry[] {
    const { context } = this;
    const { actions, session, cine } = context;
    const { info, state } = session;
    const stretches = info !== null && info.kind !== "medical";
    const channels = this.channels();
    return [
      ...(channels.length > 1 ? [{ heading: "Channel" }, ...channels, "line" as const] : []),
      {
        label: cine.playing ? "Stop" : "Play slices",
        icon: "play",
        key: "Space",
        act: () => cine.toggle(),
      },
      ...(context.time.count > 1
        ? ([
            {
              label: context.time.cine.playing ? "Stop time" : "Play time",
              icon: "play",
              key: "\\",
              act: () => context.playTime(),
            },
          ] as const)
        : []),
      { label: "Measure and annotate", icon: "ruler", act: () => context.set({ open: "tools" }) },
      { label: "Go to number", key: "G", act: () => context.ask("goto") },
      {
        label: "Layout of the panes",
        icon: "layout",
        key: "L",
        act: () => context.set({ open: "layouts" }),
      },
      "line",
      { label: "Window and colours", icon: "window", act: () => context.set({ open: "window" }) },
      { label: "Automatic window", icon: "auto", key: "N", act: () => actions.autoRange() },
      "line",
      ...zoomEntries(context),
      {
        label: "Earlier view",
        icon: "back",
        key: "U",
        disabled: !actions.history.canGoBack,
        act: () => actions.back(),
      },
      ...(stretches
        ? ([
            { label: "Stretch more", act: () => actions.setStretch(state.stretch * 1.25) },
            { label: "Stretch less", act: () => actions.setStretch(state.stretch / 1.25) },
          ] as const)
        : []),
      {
        label: planeTitle(context),
        icon: "slab",
        act: () => context.set({ open: "plane" }),
      },
      { label: "Reset view", key: "Shift+0", act: () => actions.reset() },
      ...(info !== null && isMap(info, state.axis)
        ? [
            {
              label: "North up",
              checked: state.north_up,
              isSwitch: true,
              act: () => actions.setNorthUp(!state.north_up),
            },
          ]
        : []),
      {
        label: "Crosshair",
        checked: state.crosshair,
        isSwitch: true,
        act: () => actions.showCrosshair(!state.crosshair),
      },
      {
        label: "Side panel",
        key: "]",
        checked: context.ui.panel,
        isSwitch: true,
        act: () => context.set({ panel: !context.ui.panel }),
      },
      {
        label: "Fill the window",
        key: "Z",
        checked: context.ui.maximised,
        isSwitch: true,
        act: () => context.ask("maximise"),
      },
      "line",
      ...this.pictures(),
      "line",
      ...this.people(),
      ...followEntries(context),
      ...viewEntries(context),
      {
        label: "Keys and gestures",
        icon: "help",
        key: "?",
        act: () => context.set({ open: "help" }),
      },
      { label: "Settings", icon: "gear", act: () => context.set({ open: "settings" }) },
    ];
  }

  private people(): Entry[] {
    const { context } = this;
    const { people, role } = context.session;
    const isOwner = role === "owner";
    const entries: Entry[] = [];
    if (isOwner || people.isShared) {
      entries.push({
        label: isOwner ? "Share this view" : "People",
        icon: isOwner ? "share" : "people",
        act: () => context.set({ open: "share" }),
      });
    }
    if (people.isShared) {
      entries.push({ label: "Chat", icon: "chat", act: () => context.set({ open: "chat" }) });
    }
    return entries;
  }

  /** Kept in this browser, for all viewers. */
  private settings(): Entry[] {
    const { settings } = this.context;
    const { mouse, invertWheel, scrollStep } = settings.now;
    return [
      { heading: "Mouse" },
      ...MOUSE_SETS.map(([set, label]) => ({
        label,
        checked: set === mouse,
        stays: true,
        act: () => settings.set({ mouse: set }),
      })),
      {
        label: "Wheel up for the next slice",
        checked: invertWheel,
        isSwitch: true,
        stays: true,
        act: () => settings.set({ invertWheel: !invertWheel }),
      },
      { heading: "Wheel and arrows go by" },
      ...SCROLL_STEPS.map((step) => ({
        label: step === 1 ? "Each slice" : `${step} slices`,
        checked: step === scrollStep,
        stays: true,
        act: () => settings.set({ scrollStep: step }),
      })),
    ];
  }

  private here(): Entry[] {
    const { context } = this;
    const { actions, session, ui } = context;
    return [
      ...this.copies(),
      {
        label: "Crosshair here",
        icon: "crosshair",
        key: "C",
        disabled: !ui.cursor,
        act: () => this.point(),
      },
      {
        label: "Centre here",
        disabled: !ui.cursor,
        act: () => this.centre(),
      },
      { label: "Fit to pane", icon: "fit", key: "0", act: () => actions.fit() },
      { label: "Automatic window", icon: "auto", key: "N", act: () => actions.autoRange() },
      { label: "Window and colours", icon: "window", act: () => context.set({ open: "window" }) },
      {
        label: planeTitle(context),
        icon: "slab",
        act: () => context.set({ open: "plane" }),
      },
      "line",
      ...(session.info ? this.pictures() : []),
    ];
  }

  private copies(): Entry[] {
    const { context } = this;
    const { info, state } = context.session;
    const { cursor } = context.ui;
    if (!info || !cursor) return [];
    const { voxel } = cursor;
    const read = context.valueHere;
    const name = channelOf(info, state.channel).name;
    const value = read?.value == null ? "" : channelText(info, state.channel, read.value);
    const world = worldOf(info, voxel);
    const copy = (text: string) => () => void copyText(context, text);
    const items: Entry[] = [
      {
        label: "Copy position and value",
        icon: "copy",
        act: copy(
          [positionText(info, voxel), value && `${name} ${value}`].filter(Boolean).join("\t"),
        ),
      },
      { label: "Copy voxel index", act: copy(`(${voxel.join(", ")})`) },
    ];
    if (world)
      items.push({
        label: "Copy world position",
        act: copy(`(${world.map((w) => w.toFixed(3)).join(", ")})`),
      });
    return [...items, "line"];
  }

  private point(): void {
    const { actions, ui } = this.context;
    if (!ui.cursor) return;
    actions.placeCrosshair(ui.cursor.voxel);
    actions.showCrosshair(true);
  }

  private centre(): void {
    const { context } = this;
    const at = context.ui.cursor?.at;
    const { width, height } = context.ui.pane;
    const scale = context.wanted()?.fit.scale;
    if (!at || !scale) return;
    context.actions.panFrom(
      context.session.state,
      (width / 2 - at.x) / scale,
      (height / 2 - at.y) / scale,
    );
  }

  protected override updated(_: PropertyValues): void {
    const { menuAt } = this.context.ui;
    const host = this.offsetParent;
    // Where it hung the last time says nothing.
    this.style.inset = "";
    this.toggleAttribute("hangs", menuAt !== null);
    if (!menuAt || !(host instanceof HTMLElement)) return;
    // Beside the pointer, but whole inside the viewer.
    this.style.inset = "0 auto auto 0";
    this.style.left = `${clamp(menuAt.x, 4, Math.max(4, host.clientWidth - this.offsetWidth - 4))}px`;
    this.style.top = `${clamp(menuAt.y, 4, Math.max(4, host.clientHeight - this.offsetHeight - 4))}px`;
  }

  protected override render(): TemplateResult {
    const { entries } = this;
    const room = entries.some(
      (entry) =>
        entry !== "line" && "label" in entry && (entry.checked !== undefined || entry.icon),
    );
    return html`<div role="menu" aria-label="Menu" @keydown=${(e: KeyboardEvent) => rove(e, this.buttons, true)}>
      ${entries.map((entry) => {
        if (entry === "line") return html`<hr role="separator" />`;
        if ("heading" in entry) return html`<h3 role="presentation">${entry.heading}</h3>`;
        return this.item(entry, room);
      })}
    </div>`;
  }

  private item(item: Item, room: boolean): TemplateResult {
    const isChoice = item.checked !== undefined;
    const left = item.checked
      ? icon("check")
      : item.icon
        ? icon(item.icon)
        : html`<span class="room"></span>`;
    return html`<button
      role=${isChoice ? (item.isSwitch ? "menuitemcheckbox" : "menuitemradio") : "menuitem"}
      aria-checked=${isChoice ? (item.checked ? "true" : "false") : nothing}
      tabindex="-1"
      ?disabled=${item.disabled ?? false}
      @click=${() => this.choose(item)}
    >
      ${room ? left : nothing}<span class="grow">${item.label}</span>
      ${item.key ? html`<kbd aria-hidden="true">${item.key}</kbd>` : nothing}
    </button>`;
  }

  /** Close first: what is chosen may open something else. */
  private choose(item: Item): void {
    if (!item.stays) this.context.set({ open: "" });
    item.act();
  }
}

define("blustream-menu", Menu);
