/** The menu of the zoom, for hands that know neither the wheel's Ctrl nor the pinch. */
import { ZOOM_STEP } from "./bindings";
import type { ViewContext } from "./context";
import type { Entry } from "./entries";

export function zoomEntries({ actions }: ViewContext): readonly Entry[] {
  const stays = true;
  return [
    {
      label: "Zoom in",
      icon: "zoomin",
      key: "+",
      stays,
      act: () => actions.zoomAtCentre(ZOOM_STEP),
    },
    {
      label: "Zoom out",
      icon: "zoomout",
      key: "−",
      stays,
      act: () => actions.zoomAtCentre(1 / ZOOM_STEP),
    },
    { label: "Fit to pane", icon: "fit", key: "0", act: () => actions.fit() },
  ];
}
