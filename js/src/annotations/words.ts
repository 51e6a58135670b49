/** What is written beside an annotation: its name and its measures, as the field writes numbers. */

import type { VolumeInfo } from "../protocol";
import { axisOf, axisTitle, channelText, numberText, withUnit } from "../viewer/axes";
import { fixed, valueText } from "../viewer/format";
import { kindName } from "./catalogue";
import { gridFor } from "./grids";
import { isTangled, quantitiesOf } from "./measure";
import { isRegion } from "./shape";
import type { Annotation, Measured, Quantity } from "./types";

/** Three significant figures: no more than a hand on a screen can place. */
export function lengthText(value: number): string {
  const size = Math.abs(value);
  return fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** "38.2 mm", "4.1°", "12.4 km" over 10 000 m. */
export function quantityText({ value, unit }: Quantity): string {
  if (unit === "°") return `${fixed(value, 1)}°`;
  if (unit === "m" && value >= 1e4) return withUnit(lengthText(value / 1e3), "km");
  if (unit === "m³" && value >= 1e9) return withUnit(lengthText(value / 1e9), "km³");
  if (unit === "mm³" && value >= 1e3) return withUnit(lengthText(value / 1e3), "cm³");
  if (unit === "m²·ms" && value >= 1e6) return withUnit(lengthText(value / 1e6), "km²·ms");
  if (unit === "m²" && value >= 1e6) return withUnit(lengthText(value / 1e6), "km²");
  return withUnit(lengthText(value), unit);
}

/** Drawn to be measured: the number is written beside them. Of others only the panel says it. */
const MEASURES = new Set(["distance", "path", "angle", "cobb", "profile"]);

export interface Words {
  /** Name, if it has one. */
  readonly name: string;
  /** What it measures: in bold. */
  readonly main: string;
  /** What is said beside: quietly. */
  readonly more: string;
}

/** An answer, and the channel it was asked of. */
export type Reading = Measured & { readonly channel: number };

/** Mean and standard deviation, or that they are being computed. */
function regionWords(item: Annotation, info: VolumeInfo, measured: Measured | null): Words {
  const area = quantitiesOf(item, info).find(({ name }) => name === "area" || name === "volume");
  const areaText = area ? quantityText(area) : "";
  if (isTangled(item)) return { name: item.label, main: "crosses itself", more: "" };
  if (measured?.error) return { name: item.label, main: areaText, more: measured.error };
  const found = measured?.statistics;
  if (!found || !measured?.done) return { name: item.label, main: areaText, more: "computing…" };
  if (found.mean === null) return { name: item.label, main: "no data", more: areaText };
  return {
    name: item.label,
    main: withUnit(`${valueText(found.mean)} ± ${valueText(found.sd ?? 0)}`, found.unit),
    more: areaText,
  };
}

function pointWords(item: Annotation, info: VolumeInfo, measured: Reading | null): Words {
  const value = measured?.done ? measured.value : undefined;
  if (!measured || value === undefined) return { name: item.label, main: "", more: "" };
  const main = value === null ? "no data" : channelText(info, measured.channel, value);
  return { name: item.label, main, more: "" };
}

/** How deep it lies, and on how much of the volume. */
function horizonWords(item: Annotation, info: VolumeInfo): Words {
  const grid = gridFor(item);
  if (!grid) return { name: item.label, main: "", more: "" };
  const along = axisOf(info, 2);
  const ends = [grid.low, grid.high].map((sample) => numberText(along, Math.round(sample)));
  const main = withUnit(ends.join("–"), along.unit);
  return { name: item.label, main, more: `${fixed(100 * grid.share, 0)} % of traces` };
}

/** On a section in time there is no angle: say so, instead of nothing. */
function hasNoAngle({ kind, points }: Annotation, found: readonly Quantity[]): boolean {
  if (found.length > 0) return false;
  return (kind === "angle" && points.length === 3) || (kind === "cobb" && points.length === 4);
}

export function wordsOf(item: Annotation, info: VolumeInfo, measured: Reading | null): Words {
  if (item.kind === "text") return { name: "", main: item.text || item.label, more: "" };
  if (isRegion(item) || item.kind === "box") return regionWords(item, info, measured);
  if (item.kind === "point") return pointWords(item, info, measured);
  if (item.kind === "horizon") return horizonWords(item, info);
  const found = MEASURES.has(item.kind) ? quantitiesOf(item, info) : [];
  if (hasNoAngle(item, found)) {
    return { name: item.label, main: "", more: "no angle of time and length" };
  }
  const [main, more] = found.map(quantityText);
  return { name: item.label, main: main ?? "", more: more ?? "" };
}

/** Rows of all numbers, for the panel and for people who hear the page. */
export function factsOf(
  item: Annotation,
  info: VolumeInfo,
  measured: Reading | null,
): readonly (readonly [string, string])[] {
  const rows: [string, string][] = [];
  const shown = measured?.done && measured.quantities.length ? measured.quantities : null;
  for (const quantity of shown ?? quantitiesOf(item, info)) {
    const side = /^side (\d)$/.exec(quantity.name)?.[1];
    const name = side ? axisTitle(axisOf(info, Number(side))) : quantity.name;
    rows.push([name.charAt(0).toUpperCase() + name.slice(1), quantityText(quantity)]);
  }
  const grid = item.kind === "horizon" ? gridFor(item) : null;
  if (item.kind === "horizon") rows.push(["Picks", fixed(item.points.length, 0)]);
  if (grid) {
    const along = axisOf(info, 2);
    const depth = (sample: number): string => withUnit(numberText(along, sample), along.unit);
    rows.push(["Traces", `${fixed(grid.picked, 0)} (${fixed(100 * grid.share, 0)} %)`]);
    rows.push(["Shallowest", depth(grid.low)], ["Deepest", depth(grid.high)]);
  }
  const found = measured?.statistics;
  if (found && measured?.done) {
    const text = (value: number | null): string =>
      value === null ? "–" : withUnit(valueText(value), found.unit);
    rows.push(["Mean", text(found.mean)], ["SD", text(found.sd)]);
    rows.push(["Minimum", text(found.minimum)], ["Maximum", text(found.maximum)]);
    rows.push(["Median", text(found.median)], ["Voxels", fixed(found.count, 0)]);
  }
  if (measured?.done && item.kind === "point" && measured.value !== null)
    rows.push(["Value", channelText(info, measured.channel, measured.value)]);
  if (measured?.error) rows.push(["Not measured", measured.error]);
  return rows;
}

/** What an annotation is called in a list. */
export function titleOf(item: Annotation): string {
  return item.label || (item.kind === "text" && item.text) || kindName(item.kind);
}
