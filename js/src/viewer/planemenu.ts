/** The menu of a plane: how it is drawn and turned, and how many slices are reduced to one picture. */
import { UPRIGHT } from "../geometry";
import type { ViewContext } from "./context";
import type { Entry } from "./entries";
import { chooseSlab, thicken } from "./planecontrols";
import { noSlabReason, SLAB_CHOICES, slabThickness } from "./slab";
import { DISPLAY_CHOICES, noWiggleReason } from "./wiggle";
import { excurse } from "./wigglecontrols";

/** What opens the menu. */
export function planeTitle({ session }: ViewContext): string {
  return session.info?.kind === "seismic" ? "Wiggles, turn, slab" : "Turn, flip, slab";
}

export function planeEntries(context: ViewContext): Entry[] {
  return [...turnEntries(context), ...displayEntries(context), ...slabEntries(context)];
}

function turnEntries({ actions }: ViewContext): Entry[] {
  return [
    { label: "Rotate to the right", icon: "rotateright", key: "R", act: () => actions.rotate(1) },
    { label: "Rotate to the left", icon: "rotateleft", act: () => actions.rotate(-1) },
    { label: "Flip left to right", icon: "flipx", key: "H", act: () => actions.flip("x") },
    { label: "Flip top to bottom", icon: "flipy", key: "T", act: () => actions.flip("y") },
    {
      label: "Upright again",
      disabled: !actions.isTurned,
      act: () => actions.setTurn(UPRIGHT),
    },
  ];
}

/** Only surveys have traces. */
function displayEntries(context: ViewContext): Entry[] {
  const { actions, session } = context;
  const { info, state } = session;
  if (info?.kind !== "seismic") return [];
  const reason = noWiggleReason(info, state);
  const disabled = reason !== "" || state.display === "density";
  const stays = true;
  return [
    { heading: reason ? `Display: ${reason}` : "Display (Shift + W)" },
    ...DISPLAY_CHOICES.map(([display, label]) => ({
      label,
      disabled: reason !== "",
      checked: reason ? display === "density" : state.display === display,
      stays,
      act: () => actions.patch({ display }),
    })),
    {
      label: "Fill peaks",
      disabled,
      checked: state.wiggle_fill,
      isSwitch: true,
      stays,
      act: () => actions.patch({ wiggle_fill: !state.wiggle_fill }),
    },
    {
      label: "Reverse polarity",
      disabled,
      checked: state.wiggle_polarity === "reverse",
      isSwitch: true,
      stays,
      act: () =>
        actions.patch({
          wiggle_polarity: state.wiggle_polarity === "reverse" ? "normal" : "reverse",
        }),
    },
    { label: "More excursion", disabled, stays, act: () => excurse(context, 1) },
    { label: "Less excursion", disabled, stays, act: () => excurse(context, -1) },
  ];
}

function slabEntries(context: ViewContext): Entry[] {
  const { info, state } = context.session;
  if (!info) return [];
  const disabled = noSlabReason(info, state) !== "";
  const isOn = state.slab > 1 && !disabled;
  const text = slabThickness(info, state);
  return [
    { heading: isOn ? `Slab of ${text}` : "Slab" },
    { label: "One slice", checked: !isOn, stays: true, act: () => chooseSlab(context, "") },
    ...SLAB_CHOICES.map(([mode, label]) => ({
      label,
      disabled,
      checked: isOn && state.slab_mode === mode,
      stays: true,
      act: () => chooseSlab(context, mode),
    })),
    { label: "Thicker", disabled: !isOn, stays: true, act: () => thicken(context, 1) },
    { label: "Thinner", disabled: !isOn, stays: true, act: () => thicken(context, -1) },
  ];
}
