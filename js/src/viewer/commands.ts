/** What each command of the keyboard does. */
import { channelText, positionText, sliceOfText } from "./axes";
import type { Command } from "./bindings";
import type { ViewContext } from "./context";
import { channelOf } from "./range";

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

/** Say the slice, or the position and value under the pointer. */
function readAloud(context: ViewContext): void {
  const { info, state } = context.session;
  const { cursor } = context.ui;
  if (!info) return;
  if (!cursor) {
    context.say(sliceOfText(info, state.axis, context.actions.sliceIdx));
    return;
  }
  const value = context.valueHere?.value;
  const words =
    value === null || value === undefined ? "no data" : channelText(info, state.channel, value);
  const { name } = channelOf(info, state.channel);
  context.say(`${positionText(info, cursor.voxel)}, ${name} ${words}`);
}

function handlersOf(context: ViewContext, target: CommandTarget): Handlers {
  const { actions, cine } = context;
  return {
    step: ({ slices }) => context.scroll(slices),
    first: () => context.take(() => actions.goTo(0)),
    last: () => context.take(() => actions.goTo(actions.sliceCount - 1)),
    axis: ({ axis }) => context.take(() => actions.setAxis(axis)),
    goto: () => target.goToNumber(),
    zoom: ({ factor }) => actions.zoomAtCentre(factor),
    pan: ({ x, y }) => actions.panStep(x, y),
    fit: () => actions.fit(),
    reset: () => actions.reset(),
    back: () => actions.back(),
    forward: () => actions.forward(),
    window: ({ factor, shift }) => actions.nudgeRange(factor, shift),
    auto: () => actions.autoRange(),
    preset: ({ index }) => actions.preset(index),
    tool: ({ tool }) => context.set({ tool }),
    play: () => cine.toggle(),
    speed: ({ faster }) => cine.faster(faster ? 1 : -1),
    help: () => context.toggle("help"),
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
