/** A slice on the screen: where a place of the volume lies in the pane, and the way back. */
import type { Placement, Point } from "../geometry";
import type { Fit } from "../viewer/camera";
import { gridFor } from "./grids";
import type { Annotation, Point3 } from "./types";

/** Slices to either side on which an annotation is still seen, dashed. */
export const NEAR_SLICES = 2.5;
const ON_SLICES = 0.5 + 1e-6;

/** How an annotation is seen on a section. */
export type Presence = "on" | "near" | "off";

export class Section {
  private constructor(
    /** Axis across which the slice lies. */
    readonly axis: number,
    /** Its index. */
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
    return {
      x: this.offsetX + this.scaleX * (voxel[this.columnAxis] ?? 0),
      y: this.offsetY + this.scaleY * (voxel[this.rowAxis] ?? 0),
    };
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

  planeOf(voxel: Point3): Point {
    return { x: voxel[this.columnAxis] ?? 0, y: voxel[this.rowAxis] ?? 0 };
  }

  /** The place with this column and row, `across` along the section's axis. */
  lift(inPlane: Point, across: number): Point3 {
    const voxel: [number, number, number] = [0, 0, 0];
    voxel[this.columnAxis] = inPlane.x;
    voxel[this.rowAxis] = inPlane.y;
    voxel[this.axis] = across;
    return voxel;
  }

  /** By how much of the volume a movement on the screen moves a place. */
  moveOf(dx: number, dy: number): Point3 {
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
    return Math.abs((point[this.axis] ?? 0) - this.slice) <= NEAR_SLICES;
  }

  /** Is the annotation on this slice, on one beside it, or far off? */
  presence(item: Annotation): Presence {
    if (item.kind === "horizon") return this.presenceOfHorizon(item);
    if (item.axis !== null && item.axis !== this.axis && isFlat(item)) return "off";
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const point of item.points) {
      const across = (point[this.axis] ?? 0) - this.slice;
      low = Math.min(low, across);
      high = Math.max(high, across);
    }
    const isCut = item.kind === "box" || (item.kind === "fault" && item.axis !== this.axis);
    if (isCut) return low <= 0.5 && high >= -0.5 ? "on" : "off";
    const far = Math.max(Math.abs(low), Math.abs(high));
    if (far <= ON_SLICES) return "on";
    return far <= NEAR_SLICES ? "near" : "off";
  }

  /** Its picks may lie on several sections, and what was followed from them on all. */
  private presenceOfHorizon(item: Annotation): Presence {
    if (gridFor(item)?.spanOn(this)) return "on";
    const far = item.points.map((point) => Math.abs((point[this.axis] ?? 0) - this.slice));
    const nearest = Math.min(...far);
    if (nearest <= ON_SLICES) return "on";
    return nearest <= NEAR_SLICES ? "near" : "off";
  }
}

/** It has an inside, which only its own section shows. */
function isFlat({ kind, closed }: Annotation): boolean {
  return kind === "rectangle" || kind === "ellipse" || kind === "polygon" || closed;
}
