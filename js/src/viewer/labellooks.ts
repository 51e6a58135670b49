/** How single labels of a segmentation look, as the page changes and reads it. */
import type { SegmentationInfo, SegmentationLook } from "../protocol";
import type { Session } from "../session";

/** A stroke that is being drawn is seen, however clear its label is. */
const FAINTEST = 0.15;

/** Share of its segmentation's opacity that a label has. */
export function labelOpacity(look: SegmentationLook, value: number): number {
  return look.opacities?.[value] ?? 1; // recordings may be older than opacities
}

/** Opacities of all labels, with that of one changed; those as usual are not among them. */
export function withLabelOpacity(
  look: SegmentationLook,
  value: number,
  opacity: number,
): SegmentationLook["opacities"] {
  const { [value]: _, ...others } = look.opacities;
  return opacity === 1 ? others : { ...others, [value]: opacity };
}

/** Opacity of a stroke of a label while the picture does not have it. */
export function strokeOpacity(
  session: Session,
  segmentation: SegmentationInfo | null,
  value: number,
): number {
  const look = session.state.segmentations.find(({ name }) => name === segmentation?.name);
  return look ? Math.max(look.opacity * labelOpacity(look, value), FAINTEST) : 0.5;
}
