/** The looks of overlays, as the page changes and reads them. */
import type { OverlayLook, ViewState } from "../protocol";
import type { ProbedValue, Session } from "../session";
import { valueText } from "./format";

/** All looks, with something of one of them changed. */
export function changedOverlays(
  { overlays }: ViewState,
  name: string,
  look: Partial<Omit<OverlayLook, "name">>,
): readonly OverlayLook[] {
  return overlays.map((one) => (one.name === name ? { ...one, ...look } : one));
}

/** The uppermost overlay whose divider can be dragged. */
export function swiped({ overlays, show_overlays }: ViewState): OverlayLook | undefined {
  if (!show_overlays) return undefined;
  return overlays.findLast(
    ({ mode, visible, opacity }) => mode === "swipe" && visible && opacity > 0,
  );
}

/** Values of the overlays over a probed voxel: "pet 4.18 SUV"; "" where there are none. */
export function overlaysText(session: Session, read: ProbedValue | null): string {
  const texts = read?.overlays.map(([name, value]) => {
    const unit = session.segmentations.find((one) => one.name === name)?.channel.unit;
    const text = value === null ? "no data" : valueText(value);
    return [name, text, value === null ? "" : unit].filter(Boolean).join(" ");
  });
  return texts?.join(", ") ?? "";
}
