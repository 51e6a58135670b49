/** What each command of the keyboard does. */
import type { Turn } from "../geometry";
import { channelText, positionText, sliceOfText } from "./axes";
import type { Command } from "./bindings";
import type { ViewContext } from "./context";
import { nextLayout, wordsOf } from "./layout";
import { labelsText } from "./legend";
import { channelOf } from "./range";
import { stepText } from "./timeplay";
import { cycleDisplay } from "./wigglecontrols";

/** Commands that reach beyond the view's state. */
export interface CommandTarget {
  goToNumber(): void;
  openMenu(): void;
  toggleFullScreen(): void;
  savePicture(): void;
  escape(): void;
}

type Of<K extends Command["do"]> = Command extends infer C
  ? C extends { readonly do: infer D }
    ? K extends D
      ? C
      : never
    : never
  : never;
type Handlers = { readonly [K in Command["do"]]: (command: Of<K>) => void };

/** How the slice lies now. */
function turnWords({ rotation, flip_x, flip_y }: Turn): string {
  const words = [
    rotation ? `rotated by ${rotation} degrees` : "",
    flip_x ? "flipped left to right" : "",
    flip_y ? "flipped top to bottom" : "",
  ].filter(Boolean);
  return words.length > 0 ? `Slice ${words.join(", ")}` : "Slice upright";
}

/** Say the slice, or position and value under the pointer or the crosshair. */
function readAloud(context: ViewContext): void {
  const { info, state } = context.session;
  const { here } = context;
  if (!info) return;
  if (!here) {
    context.say(sliceOfText(info, state.axis, context.actions.sliceIdx));
    return;
  }
  const value = context.valueHere?.value;
  const words =
    value === null || value === undefined ? "no data" : channelText(info, state.channel, value);
  const { name } = channelOf(info, state.channel);
  const labels = labelsText(context.session, context.valueHere);
  context.say([positionText(info, here), `${name} ${words}`, labels].filter(Boolean).join(", "));
}

/** The crosshair comes to the pointer; where it is there already, or there is none, into the middle. */
function centre(context: ViewContext): void {
  const { actions, session, ui } = context;
  const voxel = ui.cursor?.voxel;
  const isThere =
    session.state.crosshair && voxel?.every((v, i) => v === session.state.slice_idx[i]);
  if (!voxel || isThere) {
    actions.centreOnCrosshair();
    return;
  }
  actions.placeCrosshair(voxel);
  actions.showCrosshair(true);
}

/** Arrow keys move the crosshair: what is read is its place then, not the pointer's. */
function movePoint(context: ViewContext, x: number, y: number): void {
  const { info } = context.session;
  context.actions.moveCrosshair(x, y);
  context.set({ cursor: null });
  if (info) context.say(positionText(info, context.session.state.slice_idx));
}

/** Hide all segmentations, or show those again that are not hidden one by one. */
function toggleLabels(context: ViewContext): void {
  const { segmentations, show_segmentations } = context.session.state;
  if (!segmentations.length) {
    context.say("There are no segmentations");
    return;
  }
  context.actions.patch({ show_segmentations: !show_segmentations });
  context.sayDone(show_segmentations ? "Segmentations hidden" : "Segmentations shown");
}

function toggleOverlays(context: ViewContext): void {
  const { overlays, show_overlays } = context.session.state;
  if (!overlays.length) {
    context.say("There are no overlays");
    return;
  }
  context.actions.patch({ show_overlays: !show_overlays });
  context.sayDone(show_overlays ? "Overlays hidden" : "Overlays shown");
}

/** The volume alone, until the key is let go: the eye sees what changes. */
function bareWhileHeld(context: ViewContext): void {
  const { overlays, show_overlays } = context.session.state;
  if (!overlays.length || !show_overlays || !context.actions.canDrive) return;
  context.actions.patch({ show_overlays: false });
  const done = new AbortController();
  const back = (): void => {
    done.abort();
    context.actions.patch({ show_overlays: true });
  };
  const released = (event: KeyboardEvent): void => {
    if (event.key.toLowerCase() === "q") back();
  };
  const signal = AbortSignal.any([done.signal, context.signal]);
  window.addEventListener("keyup", released, { signal, capture: true });
  window.addEventListener("blur", back, { signal });
}

function stepTime(context: ViewContext, steps: number): void {
  const { info } = context.session;
  if (!info || context.time.count < 2) {
    context.say("This volume has no time axis");
    return;
  }
  context.time.step(steps);
  context.say(stepText(info, context.time.idx));
}

function handlersOf(context: ViewContext, target: CommandTarget): Handlers {
  const { actions, cine, session, time } = context;
  return {
    step: ({ slices }) => context.scroll(slices),
    first: () => context.take(() => actions.goTo(0)),
    last: () => context.take(() => actions.goTo(actions.sliceCount - 1)),
    axis: ({ axis }) => context.take(() => actions.setAxis(axis)),
    goto: () => target.goToNumber(),
    zoom: ({ factor }) => actions.zoomAtCentre(factor),
    pan: ({ x, y }) => actions.panStep(x, y),
    rotate: ({ quarters }) => {
      actions.rotate(quarters);
      context.sayDone(turnWords(session.state));
    },
    flip: ({ side }) => {
      actions.flip(side);
      context.sayDone(turnWords(session.state));
    },
    fit: () => actions.fit(),
    reset: () => actions.reset(),
    back: () => actions.back(),
    forward: () => actions.forward(),
    window: ({ factor, shift }) => actions.nudgeRange(factor, shift),
    auto: () => actions.autoRange(),
    preset: ({ index }) => actions.preset(index),
    tool: ({ tool }) => context.pick(tool),
    centre: () => centre(context),
    point: ({ x, y }) => movePoint(context, x, y),
    play: () => cine.toggle(),
    speed: ({ faster }) => (time.cine.playing ? time.cine : cine).faster(faster ? 1 : -1),
    time: ({ steps }) => stepTime(context, steps),
    playtime: () => context.playTime(),
    help: () => context.toggle("help"),
    panel: () => context.set({ panel: !context.ui.panel }),
    maximise: () => context.ask("maximise"),
    layout: () => {
      const layout = nextLayout(session.state.layout);
      actions.patch({ layout });
      context.sayDone(wordsOf(layout));
    },
    display: () => cycleDisplay(context),
    labels: () => toggleLabels(context),
    overlays: () => toggleOverlays(context),
    bare: () => bareWhileHeld(context),
    read: () => readAloud(context),
    menu: () => target.openMenu(),
    fullscreen: () => target.toggleFullScreen(),
    picture: () => target.savePicture(),
    escape: () => target.escape(),
  };
}

/** Returns how to run a command on this view. */
export function commandRunner(
  context: ViewContext,
  target: CommandTarget,
): (command: Command) => void {
  const handlers = handlersOf(context, target);
  return (command) => (handlers[command.do] as (command: Command) => void)(command);
}
