/** What a recording shows at a time, in words. */
import { shownPanes, viewOfPane } from "../panes";
import type { ViewState, VolumeInfo } from "../protocol";
import { sliceText } from "../viewer/axes";
import { fixed, rangeText } from "../viewer/format";
import { channelOf } from "../viewer/range";
import { stepText } from "../viewer/timeplay";

/** Time for people, as exact as pictures are apart: "0:07.3", "1:02:03.0". */
export function timeText(t: number): string {
  const tenths = Math.floor(t * 10 + 1e-6);
  const [h, m, s] = [
    Math.floor(tenths / 36_000),
    Math.floor(tenths / 600) % 60,
    (tenths % 600) / 10,
  ];
  const seconds = fixed(s, 1).padStart(4, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${seconds}` : `${m}:${seconds}`;
}

/** The slices of all panes, and how values are shown: "Inline 1 020 · Window 400, level 40". */
export function viewText(info: VolumeInfo, state: ViewState): string {
  const slices = shownPanes(state).map((pane) => {
    const { axis, slice_idx, section } = viewOfPane(state, pane);
    if (section) return section.kind === "fence" ? "Section along a line" : "Oblique plane";
    return sliceText(info, axis, slice_idx[axis] ?? 0).join("\u00a0");
  });
  const { window, level, time_idx } = state;
  const channel = channelOf(info, state.channel);
  const range = `Window\u00a0${rangeText(window, window)}, level\u00a0${rangeText(level, window)}`;
  return [
    ...new Set(slices),
    info.time && info.time.n > 1 ? stepText(info, time_idx) : "",
    info.channels.length > 1 ? channel.name : "",
    channel.is_label ? "" : range,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** When it was made, in the reader's own words for dates; "" where the file does not say. */
export function beganText(beganMs: number): string {
  if (!(beganMs > 0)) return "";
  return new Date(beganMs).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
