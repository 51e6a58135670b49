/** Labels of annotations on the picture: dark chips beside their shapes, which avoid each other. */
import type { Point } from "../geometry";
import { gridFor } from "./grids";
import { dotted } from "./paint";
import { distance } from "./planar";
import type { Section } from "./section";
import { handlesOf, outlineOf, strokesOf } from "./shape";
import type { Annotation } from "./types";
import type { Words } from "./words";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Chip extends Box {
  readonly id: string;
  readonly words: Words;
  readonly color: string;
  /** Where it belongs; a dotted line leads there when it lies elsewhere. */
  readonly anchor: Point;
  readonly isLed: boolean;
  readonly selected: boolean;
}

const HEIGHT = 24;
const PAD = 8;
const GAP = 12;
/** A shape shorter than this has no room for a label, unless it is chosen. */
const SHAPE_MIN_PX = 40;
/** More labels than these hide the picture. */
export const CHIPS_MOST = 80;
const MOST_CHARACTERS = 80;

const FONT =
  'system-ui, -apple-system, "Segoe UI", "Liberation Sans", Helvetica, Arial, sans-serif';
const BOLD = `600 12px/16px ${FONT}`;
const PLAIN = `12px/16px ${FONT}`;

function cut(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

function partsOf({ name, main, more }: Words): readonly (readonly [string, string])[] {
  const parts = [
    [PLAIN, name],
    [BOLD, main],
    [PLAIN, more],
  ] as const;
  return parts.filter(([, text]) => text).map(([font, text]) => [font, cut(text)]);
}

function widthOf(brush: CanvasRenderingContext2D, words: Words): number {
  const parts = partsOf(words);
  const widths = parts.map(([font, text]) => {
    brush.font = font;
    return brush.measureText(text).width;
  });
  return Math.ceil(widths.reduce((sum, w) => sum + w, 0) + 5 * (parts.length - 1) + 2 * PAD);
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function isLongEnough(item: Annotation, section: Section): boolean {
  if (item.points.length < 2 || gridFor(item)) return true;
  const places = handlesOf(item, section).filter((place) => place !== null);
  const [first] = places;
  return first !== undefined && places.some((p) => distance(p, first) >= SHAPE_MIN_PX);
}

/** Beside the vertex that was placed last; for a ring, its rightmost place. */
function anchorOf(item: Annotation, section: Section): Point | null {
  if (item.kind === "horizon" || item.kind === "fault") {
    return strokesOf(item, section).at(-1)?.chain.at(-1) ?? null;
  }
  const { chain, closed } = outlineOf(item, section);
  const last = chain.at(-1) ?? { x: 0, y: 0 };
  if (item.kind === "angle") return chain[1] ?? last;
  if (!closed) return item.kind === "arrow" ? (chain[0] ?? last) : last;
  return chain.reduce((best, p) => (p.x > best.x ? p : best), last);
}

/** Lays out the labels of one pane. */
export class ChipLayout {
  private readonly taken: Box[] = [];

  constructor(
    private readonly brush: CanvasRenderingContext2D,
    private readonly width: number,
    private readonly height: number,
  ) {}

  /** Leave room for labels that lie there already. */
  avoid(boxes: readonly Box[]): void {
    this.taken.push(...boxes);
  }

  /** A place for the label; null = none is shown. `offset`: where the hand has put it. */
  place(
    item: Annotation,
    section: Section,
    words: Words,
    selected: boolean,
    offset: Point | null,
  ): Chip | null {
    if (!words.name && !words.main && !words.more) return null;
    if (!selected && !isLongEnough(item, section)) return null;
    const anchor = anchorOf(item, section);
    if (!anchor || (!this.isSeen(anchor) && !selected)) return null;
    const size = { width: widthOf(this.brush, words), height: HEIGHT };
    const box = offset
      ? this.kept({ ...size, x: anchor.x + offset.x, y: anchor.y + offset.y })
      : this.free(anchor, size, item.kind === "text");
    this.taken.push(box);
    const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    const reach = Math.hypot(box.width / 2, box.height / 2) + GAP + 8;
    const isLed = offset !== null || distance(centre, anchor) > reach;
    return { ...box, id: item.id, words, color: item.color, anchor, isLed, selected };
  }

  private isSeen({ x, y }: Point): boolean {
    return x >= -20 && y >= -20 && x <= this.width + 20 && y <= this.height + 20;
  }

  private kept(box: Box): Box {
    return {
      ...box,
      x: Math.min(Math.max(box.x, 4), Math.max(4, this.width - box.width - 4)),
      y: Math.min(Math.max(box.y, 4), Math.max(4, this.height - box.height - 4)),
    };
  }

  /** The first place around the anchor that no other label has, within the pane. */
  private free({ x, y }: Point, size: { width: number; height: number }, isText: boolean): Box {
    const { width, height } = size;
    const right = { ...size, x: x + (isText ? 0 : GAP), y: y - height / 2 };
    const places: Box[] = [
      right,
      { ...size, x: x - width / 2, y: y - height - GAP },
      { ...size, x: x - width / 2, y: y + GAP },
      { ...size, x: x - width - GAP, y: y - height / 2 },
    ];
    for (let ring = 1; ring <= 6; ring++) {
      const far = ring * (height + 4);
      places.push({ ...right, y: right.y - far }, { ...right, y: right.y + far });
    }
    const isFree = (box: Box): boolean =>
      this.kept(box).x === box.x &&
      this.kept(box).y === box.y &&
      !this.taken.some((other) => overlaps(box, other));
    return places.find(isFree) ?? this.kept(right);
  }
}

/** Draw a label; text only ever as text. */
export function drawChip(brush: CanvasRenderingContext2D, chip: Chip, accent: string): void {
  const { x, y, width, height, words, anchor, isLed, color, selected } = chip;
  if (isLed) {
    const to = {
      x: Math.min(Math.max(anchor.x, x), x + width),
      y: Math.min(Math.max(anchor.y, y), y + height),
    };
    dotted(brush, anchor, to, color);
  }
  brush.beginPath();
  brush.roundRect(x, y, width, height, 4);
  brush.fillStyle = "rgba(12, 14, 17, 0.76)";
  brush.fill();
  if (selected) {
    brush.lineWidth = 1.5;
    brush.strokeStyle = accent;
    brush.stroke();
  }
  brush.textBaseline = "middle";
  let at = x + PAD;
  for (const [font, text] of partsOf(words)) {
    brush.font = font;
    brush.fillStyle = font === BOLD ? "#ffffff" : "rgba(255, 255, 255, 0.8)";
    brush.fillText(text, at, y + height / 2 + 0.5);
    at += brush.measureText(text).width + 5;
  }
}

export function chipAt(chips: readonly Chip[], { x, y }: Point): Chip | null {
  return (
    chips.findLast(
      (chip) => x >= chip.x && x <= chip.x + chip.width && y >= chip.y && y <= chip.y + chip.height,
    ) ?? null
  );
}
