/** An oblique plane or a fence on the screen, as annotations see it: the way from places to pixels and back. */
import type { Placement, Point } from "../geometry";
import type { VolumeInfo } from "../protocol";
import {
  normalOf,
  placeOf,
  projected,
  type SectionGrid,
  toIndex,
  type Vector,
  verticalAxis,
} from "../sections";
import type { Fit } from "../viewer/camera";
import { rounded } from "./edits";
import { gridFor } from "./grids";
import { outlinesOn } from "./horizonlines";
import { isCornered } from "./kinds";
import { ON_SLICES, type Presence, Section } from "./section";
import type { Annotation, Point3 } from "./types";

/** Sections that lie alike, however often the state was sent. */
const keys = new WeakMap<SectionGrid, string>();

function keyOf(grid: SectionGrid): string {
  let key = keys.get(grid);
  if (key === undefined) {
    key = JSON.stringify(grid.section);
    keys.set(grid, key);
  }
  return key;
}

/** Depth is measured along the normal in voxels, from the section itself. */
export class GridSection extends Section {
  readonly key: string;

  private constructor(
    readonly volume: VolumeInfo,
    readonly grid: SectionGrid,
    { plane }: Placement,
    [scaleX, scaleY]: readonly [number, number],
    [offsetX, offsetY]: readonly [number, number],
  ) {
    super(null, 0, plane.columnAxis, plane.rowAxis, scaleX, scaleY, offsetX, offsetY);
    this.key = keyOf(grid);
  }

  static on(volume: VolumeInfo, grid: SectionGrid, placement: Placement, fit: Fit): GridSection {
    const origin = placement.toPixel(0, 0);
    const next = placement.toPixel(1, 1);
    return new GridSection(
      volume,
      grid,
      placement,
      [(next.x - origin.x) * fit.scale, (next.y - origin.y) * fit.scale],
      [fit.x + origin.x * fit.scale, fit.y + origin.y * fit.scale],
    );
  }

  get isFence(): boolean {
    return this.grid.section.kind === "fence";
  }

  override get isUpright(): boolean {
    return this.grid.info.kind === "seismic";
  }

  override depthOf(voxel: Point3): number {
    const { volume, grid } = this;
    const { distance } = projected(volume, grid, voxel);
    if (grid.section.kind === "fence") return distance / grid.columnStep;
    return distance * lengthOf(toIndex(volume, normalOf(grid.section)));
  }

  override planeOf(voxel: Point3): Point {
    const { column, row } = projected(this.volume, this.grid, voxel);
    return this.laid(column, row);
  }

  /** Column and row of the grid as they lie on the screen: x along it, y down it. */
  laid(column: number, row: number): Point {
    return this.columnAxis < this.rowAxis ? { x: column, y: row } : { x: row, y: column };
  }

  override lift({ x, y }: Point, across: number): Point3 {
    const { x: column, y: row } = this.laid(x, y);
    const place = placeOf(this.grid, column, row);
    const { section } = this.grid;
    if (section.kind === "fence" || across === 0) return place;
    const along = toIndex(this.volume, normalOf(section));
    const scale = across / lengthOf(along);
    return plus(place, along, scale);
  }

  override moveOf(dx: number, dy: number, from: Point): Point3 {
    const [a, b] = [this.toVoxel(from), this.toVoxel({ x: from.x + dx, y: from.y + dy })];
    return [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  }

  override cutsOf(a: Point3, b: Point3): readonly Point3[] {
    return this.isFence ? this.cutsOfFence(a, b) : super.cutsOf(a, b);
  }

  /** Where the way, seen from above, crosses the line that the fence hangs on. */
  private cutsOfFence(a: Point3, b: Point3): readonly Point3[] {
    const { grid, volume } = this;
    const [x, y] = ([0, 1, 2] as const).filter((axis) => axis !== verticalAxis(volume)) as [0, 1];
    const found: Point3[] = [];
    for (let i = 0; i + 1 < grid.nodes.length; i++) {
      const [from, to] = [grid.nodes[i] ?? 0, grid.nodes[i + 1] ?? 0].map((c) =>
        placeOf(grid, c, 0),
      ) as [Vector, Vector];
      const [ux, uy] = [b[x] - a[x], b[y] - a[y]];
      const [vx, vy] = [to[x] - from[x], to[y] - from[y]];
      const area = ux * vy - uy * vx;
      if (area === 0) continue;
      const [wx, wy] = [from[x] - a[x], from[y] - a[y]];
      const [t, s] = [(wx * vy - wy * vx) / area, (wx * uy - wy * ux) / area];
      // A node belongs to the piece that begins there.
      const isLast = i + 2 === grid.nodes.length;
      if (t < 0 || t > 1 || s < 0 || s > 1 || (s === 1 && !isLast)) continue;
      found.push(plus(a, [b[0] - a[0], b[1] - a[1], b[2] - a[2]], t));
    }
    return found;
  }

  override same(other: Section | null): boolean {
    return other instanceof GridSection && super.same(other);
  }

  override sameSlice(other: Section): boolean {
    return (
      other instanceof GridSection && other.key === this.key && other.columnAxis === this.columnAxis
    );
  }

  override presence(item: Annotation): Presence {
    if (item.kind === "horizon") return this.presenceOfHorizon(item);
    if (item.kind === "box") return !this.isFence ? super.presence(item) : "off";
    const { axis } = item;
    const points = isCornered(item) && axis !== null ? cornersOf(item.points, axis) : item.points;
    if (item.kind === "fault") {
      const isOn = points.every((point) => Math.abs(this.depthOf(point)) <= ON_SLICES);
      const isCut = points.some((b, i) => {
        const a = points[i - 1];
        return a !== undefined && this.cutsOf(a, b).length > 0;
      });
      return isOn || isCut ? "on" : "off";
    }
    return super.presence({ ...item, axis: null, points });
  }

  protected override meetsGrid(item: Annotation): boolean {
    const grid = gridFor(item);
    return grid !== null && outlinesOn(grid, this).length > 0;
  }

  /** The part of a plane inside a box, in pixels, as corners in order. */
  cutOfBox(item: Annotation): readonly Point[] {
    const [a, c] = item.points;
    if (!a || !c) return [];
    const corner = (bits: number): Point3 =>
      [0, 1, 2].map((axis) => ((bits >> axis) & 1 ? c : a)[axis] ?? 0) as unknown as Point3;
    const cuts: Point[] = [];
    for (let bits = 0; bits < 8; bits++)
      for (const axis of [1, 2, 4]) {
        if (bits & axis) continue;
        for (const at of this.cutsOf(corner(bits), corner(bits | axis)))
          cuts.push(this.toPixel(at));
      }
    const centre = {
      x: cuts.reduce((sum, { x }) => sum + x / cuts.length, 0),
      y: cuts.reduce((sum, { y }) => sum + y / cuts.length, 0),
    };
    const angle = ({ x, y }: Point): number => Math.atan2(y - centre.y, x - centre.x);
    return cuts.sort((one, other) => angle(one) - angle(other));
  }

  /** Do places lie in one plane, so that a shape through them has an area? */
  isFlat(points: readonly Point3[]): boolean {
    if (!this.isFence) return true;
    const columns = points.map((point) => projected(this.volume, this.grid, point).column);
    const [low, high] = [Math.min(...columns), Math.max(...columns)];
    return !this.grid.nodes.slice(1, -1).some((node) => node > low && node < high);
  }
}

function cornersOf(points: readonly Point3[], axis: number): readonly Point3[] {
  const [a, c] = points;
  if (!a || !c) return points;
  const [x = 0] = [0, 1, 2].filter((each) => each !== axis);
  const mixed = (one: Point3, other: Point3): Point3 =>
    one.map((v, i) => (i === x ? other[i] : v)) as unknown as Point3;
  return [a, mixed(a, c), c, mixed(c, a)];
}

function plus(a: Vector, by: Vector, scale: number): Point3 {
  return [a[0] + scale * by[0], a[1] + scale * by[1], a[2] + scale * by[2]];
}

function lengthOf(v: Vector): number {
  return Math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

/** Shapes that two corners along the axes say: not where there are none. */
export function onSlicesAlone(kind: Annotation["kind"] | null): boolean {
  return kind === "ellipse" || kind === "box";
}

/** What is drawn on a section lies in space: a rectangle there is a polygon of four corners. */
export function asDrawnOn(section: Section, item: Annotation): Annotation {
  const [a, c] = item.points.map((point) => section.planeOf(point));
  if (section.axis !== null || item.kind !== "rectangle" || !a || !c) return item;
  const ring = [a, { x: c.x, y: a.y }, c, { x: a.x, y: c.y }];
  return { ...item, kind: "polygon", points: ring.map((at) => rounded(section.lift(at, 0))) };
}
