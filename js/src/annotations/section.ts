/** A slice on the screen: where a place of the volume lies in the pane, and the way back. */
import type { Placement, Point } from "../geometry";
import type { Fit } from "../viewer/camera";
import { gridFor } from "./grids";
import type { Annotation, Point3 } from "./types";

/** Slices to either side on which an annotation is still seen, dashed. */
export const NEAR_SLICES = 2.5;
export const ON_SLICES = 0.5 + 1e-6;

/** How an annotation is seen on a section. */
export type Presence = "on" | "near" | "off";

/** A slice, not a section across no axis. */
export type SliceSection = Section & { readonly axis: number };

/** The slice that a pane shows; null: it shows an oblique plane or a fence. */
export function asSlice(section: Section | null): SliceSection | null {
  return section?.axis == null ? null : (section as SliceSection);
}

export class Section {
  protected constructor(
    /** Axis across which the slice lies; null of a section across none. */
    readonly axis: number | null,
    /** Its index: where it lies in `depthOf`. */
    readonly slice: number,
    readonly columnAxis: number,
    readonly rowAxis: number,
    /** CSS pixels of the pane = offset + scale * index. */
    readonly scaleX: number,
    readonly scaleY: number,
    readonly offsetX: number,
    readonly offsetY: number,
  ) {}

  static of(placement: Placement, fit: Fit, slice: number): Section {
    const { plane } = placement;
    const origin = placement.toPixel(0, 0);
    const next = placement.toPixel(1, 1);
    return new Section(
      plane.normal,
      slice,
      plane.columnAxis,
      plane.rowAxis,
      (next.x - origin.x) * fit.scale,
      (next.y - origin.y) * fit.scale,
      fit.x + origin.x * fit.scale,
      fit.y + origin.y * fit.scale,
    );
  }

  toPixel(voxel: Point3): Point {
    return this.pixelOf(this.planeOf(voxel));
  }

  /** Pixel of a column and row. */
  pixelOf({ x, y }: Point): Point {
    return { x: this.offsetX + this.scaleX * x, y: this.offsetY + this.scaleY * y };
  }

  /** The place of the shown slice under a point of the pane. */
  toVoxel(at: Point): Point3 {
    return this.lift(this.toPlane(at), this.slice);
  }

  /** Column and row of a point of the pane. */
  toPlane(at: Point): Point {
    return {
      x: (at.x - this.offsetX) / this.scaleX,
      y: (at.y - this.offsetY) / this.scaleY,
    };
  }

  /** Does it stand upright in a survey, with the samples along one side? */
  get isUpright(): boolean {
    return this.axis !== 2;
  }

  /** Where a place lies across the slice, in voxels: as `slice`. */
  depthOf(voxel: Point3): number {
    return voxel[this.axis ?? 0] ?? 0;
  }

  /** Where the way between two places goes through the slice. */
  cutsOf(a: Point3, b: Point3): readonly Point3[] {
    const [from, to] = [a, b].map((point) => this.depthOf(point) - this.slice) as [number, number];
    if (from < 0 === to < 0) return [];
    const t = from / (from - to);
    return [a.map((v, k) => v + t * ((b[k] ?? 0) - v)) as unknown as Point3];
  }

  planeOf(voxel: Point3): Point {
    return { x: voxel[this.columnAxis] ?? 0, y: voxel[this.rowAxis] ?? 0 };
  }

  /** The place with this column and row, `across` as `depthOf` says. */
  lift(inPlane: Point, across: number): Point3 {
    const voxel: [number, number, number] = [0, 0, 0];
    voxel[this.columnAxis] = inPlane.x;
    voxel[this.rowAxis] = inPlane.y;
    voxel[this.axis ?? 0] = across;
    return voxel;
  }

  /** By how much of the volume a movement on the screen, from a point of it, moves a place. */
  moveOf(dx: number, dy: number, _from: Point): Point3 {
    return this.lift({ x: dx / this.scaleX, y: dy / this.scaleY }, 0);
  }

  /** The same slice in the same place. */
  same(other: Section | null): boolean {
    return other !== null && this.sameSlice(other) && this.samePlace(other);
  }

  sameSlice(other: Section): boolean {
    return (
      this.axis === other.axis &&
      this.slice === other.slice &&
      this.columnAxis === other.columnAxis &&
      this.rowAxis === other.rowAxis
    );
  }

  private samePlace(other: Section): boolean {
    return (
      this.scaleX === other.scaleX &&
      this.scaleY === other.scaleY &&
      this.offsetX === other.offsetX &&
      this.offsetY === other.offsetY
    );
  }

  /** Does a place lie on this slice, or on one beside it? */
  isNear(point: Point3): boolean {
    return Math.abs(this.depthOf(point) - this.slice) <= NEAR_SLICES;
  }

  /** Is the annotation on this slice, on one beside it, or far off? */
  presence(item: Annotation): Presence {
    if (item.kind === "horizon") return this.presenceOfHorizon(item);
    if (item.axis !== null && item.axis !== this.axis && isFlat(item)) return "off";
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const point of item.points) {
      const across = this.depthOf(point) - this.slice;
      low = Math.min(low, across);
      high = Math.max(high, across);
    }
    const far = Math.max(Math.abs(low), Math.abs(high));
    if (this.axis === null && far <= ON_SLICES) return "on";
    const isCut = item.kind === "box" || (item.kind === "fault" && item.axis !== this.axis);
    if (isCut) return low <= 0.5 && high >= -0.5 ? "on" : "off";
    if (far <= ON_SLICES) return "on";
    return far <= NEAR_SLICES ? "near" : "off";
  }

  /** Its picks may lie on several sections, and what was followed from them on all. */
  protected presenceOfHorizon(item: Annotation): Presence {
    if (this.meetsGrid(item)) return "on";
    const far = item.points.map((point) => Math.abs(this.depthOf(point) - this.slice));
    const nearest = Math.min(...far);
    if (nearest <= ON_SLICES) return "on";
    return nearest <= NEAR_SLICES ? "near" : "off";
  }

  /** Does what was followed from a horizon lie on it? */
  protected meetsGrid(item: Annotation): boolean {
    const slice = asSlice(this);
    return slice !== null && !!gridFor(item)?.spanOn(slice);
  }
}

/** It has an inside, which only its own section shows. */
function isFlat({ kind, closed }: Annotation): boolean {
  return kind === "rectangle" || kind === "ellipse" || kind === "polygon" || closed;
}
