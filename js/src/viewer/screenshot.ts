/** The picture as PNG, with or without the labels around it, to a file or to the clipboard. */
import type { Point } from "../geometry";
import { axisOf, numberText, planeColour, sliceText } from "./axes";
import { barRoom } from "./colourbar";
import { stopsOf } from "./colours";
import type { Scene, ViewContext } from "./context";
import { crosshairOf, drawCrosshair } from "./crosshair";
import type { IconName } from "./icons";
import { planesBeside } from "./planes";
import { channelOf, endText, highOf, isSigned, lowOf } from "./range";
import { type ColourEnds, lookOf } from "./recolour";
import { hasRulers, lettersOf, type Ruler, rulersOf, scaleBarOf } from "./rulers";
import { sectionText } from "./scene";
import { slabText } from "./slab";
import { wiggleText } from "./wiggle";

const CHIP = "rgba(12, 14, 17, 0.76)";

export interface Job {
  readonly context: ViewContext;
  /** What shows the picture. */
  readonly picture: HTMLCanvasElement | HTMLVideoElement;
  /** What lies over it, of the pane's own size: annotations. */
  readonly overlays: readonly { readonly canvas: HTMLCanvasElement; readonly at: Point }[];
  /** The viewer, for its colours and fonts. */
  readonly host: HTMLElement;
  /** Another pane beside it says what the colours mean. */
  readonly withoutColours: boolean;
  /** Room of the rulers left and above, CSS pixels. */
  readonly gutter: Point;
}

interface Sheet {
  readonly brush: CanvasRenderingContext2D;
  readonly font: string;
  readonly width: number;
  readonly height: number;
}

function write(sheet: Sheet, text: string, x: number, y: number, size = 12, weight = 400): void {
  sheet.brush.font = `${weight} ${size}px ${sheet.font}`;
  sheet.brush.fillText(text, x, y);
}

/** White words on a dark chip with its left top at (x, y); returns the chip's width. */
function chip(sheet: Sheet, words: string, x: number, y: number, height = 24): number {
  const { brush } = sheet;
  brush.font = `600 12px ${sheet.font}`;
  const width = brush.measureText(words).width + 16;
  brush.fillStyle = CHIP;
  brush.beginPath();
  brush.roundRect(x, y, width, height, 4);
  brush.fill();
  brush.fillStyle = "#fff";
  brush.textBaseline = "middle";
  brush.textAlign = "left";
  write(sheet, words, x + 8, y + height / 2 + 1, 12, 600);
  return width;
}

function drawRuler(
  sheet: Sheet,
  ruler: Ruler,
  side: "top" | "left",
  colours: { fg: string; line: string },
): void {
  const { brush } = sheet;
  brush.strokeStyle = colours.line;
  brush.fillStyle = colours.fg;
  brush.textBaseline = "middle";
  brush.beginPath();
  for (const { at, text } of ruler.ticks) {
    const p = Math.round(at) + 0.5;
    if (side === "top") {
      brush.moveTo(p, -5);
      brush.lineTo(p, 0);
      brush.textAlign = "center";
      write(sheet, text, p, -12, 11);
    } else {
      brush.moveTo(-5, p);
      brush.lineTo(0, p);
      brush.textAlign = "right";
      write(sheet, text, -8, p, 11);
    }
  }
  brush.stroke();
}

/** Tips of the colour bar for what lies beyond it, and a square below for no value. */
function drawEnds(
  brush: CanvasRenderingContext2D,
  look: ColourEnds,
  x: number,
  y: number,
  height: number,
): void {
  const tip = (from: number, by: number): void => {
    brush.beginPath();
    brush.moveTo(x, from);
    brush.lineTo(x + 10, from);
    brush.lineTo(x + 5, from + by);
    brush.fill();
  };
  if (look.above_color) {
    brush.fillStyle = look.above_color;
    tip(y, -10);
  }
  if (look.below_color) {
    brush.fillStyle = look.below_color;
    tip(y + height, 10);
  }
  if (look.no_value_color) {
    brush.fillStyle = look.no_value_color;
    brush.fillRect(x, y + height + 18, 10, 10);
  }
}

function drawColourBar(sheet: Sheet, scene: Scene, context: ViewContext): void {
  const { ui, session } = context;
  const channel = channelOf(scene.info, ui.shown?.channel ?? session.state.channel);
  if (channel.is_label || sheet.height < 160) return;
  const { brush } = sheet;
  const height = Math.min(200, sheet.height * 0.52);
  const room = 10 + barRoom(scene);
  const [x, y] = [sheet.width - room, (sheet.height - height) / 2];
  const range = ui.shown ? lookOf(ui.shown, session) : session.state;
  const stops = stopsOf(range.colormap, range.reverse);
  const fill = brush.createLinearGradient(0, y + height, 0, y);
  for (const [i, colour] of stops.entries()) fill.addColorStop(i / (stops.length - 1), colour);
  brush.fillStyle = "rgba(0, 0, 0, 0.6)";
  brush.fillRect(x - 1, y - 1, 12, height + 2);
  brush.fillStyle = fill;
  brush.fillRect(x, y, 10, height);
  drawEnds(brush, range, x, y, height);
  const values = [highOf(range), range.level, lowOf(range)];
  values.forEach((value, i) => {
    const words = endText(value, range, isSigned(scene.info, channel));
    const unit = i === 0 && channel.unit ? ` ${channel.unit}` : "";
    brush.font = `11px ${sheet.font}`;
    const wide = brush.measureText(words + unit).width + 8;
    const middle = y + (i * height) / 2;
    brush.fillStyle = CHIP;
    brush.fillRect(x - 8 - wide, middle - 7, wide, 14);
    brush.fillStyle = "#fff";
    brush.textAlign = "right";
    brush.textBaseline = "middle";
    write(sheet, words + unit, x - 12, middle + 1, 11);
  });
}

function drawScale(sheet: Sheet, scene: Scene): void {
  const bar = scaleBarOf(scene);
  if (!bar) return;
  const { brush } = sheet;
  const y = sheet.height - 46;
  brush.fillStyle = CHIP;
  brush.beginPath();
  brush.roundRect(12, y, bar.length + 16, 34, 4);
  brush.fill();
  brush.fillStyle = brush.strokeStyle = "#fff";
  brush.textAlign = "left";
  brush.textBaseline = "middle";
  write(sheet, bar.text, 20, y + 12, 11);
  brush.lineWidth = 1.5;
  brush.beginPath();
  brush.moveTo(20, y + 21);
  brush.lineTo(20, y + 26);
  brush.lineTo(20 + bar.length, y + 26);
  brush.lineTo(20 + bar.length, y + 21);
  brush.stroke();
  brush.lineWidth = 1;
}

function drawLetters(sheet: Sheet, letters: readonly string[]): void {
  const { brush, width, height } = sheet;
  const places = [
    [14, height / 2],
    [width - 14, height / 2],
    [width / 2, 16],
    [width / 2, height - 16],
  ] as const;
  brush.textAlign = "center";
  brush.textBaseline = "middle";
  brush.fillStyle = "#fff";
  brush.shadowColor = "#000";
  brush.shadowBlur = 3;
  for (const [i, [x, y]] of places.entries()) write(sheet, letters[i] ?? "", x, y, 13, 600);
  brush.shadowBlur = 0;
}

function drawLabels(sheet: Sheet, scene: Scene, context: ViewContext): void {
  const voxel = context.crosshair;
  const beside = voxel && planesBeside(scene, voxel, context.whole);
  const crosshair = voxel && beside && crosshairOf(scene, voxel, beside);
  if (crosshair) drawCrosshair(sheet.brush, crosshair, sheet.width, sheet.height);
  const idx = context.ui.shown?.slice_idx ?? 0;
  const [title, position] = scene.grid
    ? [sectionText(scene.grid), ""]
    : sliceText(scene.volume, scene.base, idx);
  const slab = slabText(scene.volume, context.session.state);
  const wiggle = scene.grid ? "" : wiggleText(scene.volume, context.session.state);
  chip(sheet, `    ${[title, position, slab, wiggle].filter(Boolean).join(" ")}`, 12, 12);
  sheet.brush.fillStyle = scene.grid ? "#fff" : planeColour(scene.volume, scene.base);
  sheet.brush.fillRect(20, 20, 8, 8);
  drawLetters(sheet, lettersOf(scene).letters);
  drawScale(sheet, scene);
}

/** Draw what the pane shows, at its own pixels or `times` as many each way; labels as large as there. */
export function compose(job: Job, withLabels: boolean, times = 1): HTMLCanvasElement {
  const { context, picture, host } = job;
  const { pane, shown } = context.ui;
  const ratio = pane.pixelRatio * times;
  const scene = context.labelled();
  const out = document.createElement("canvas");
  const rulers =
    withLabels && scene && hasRulers(scene) ? rulersOf(scene, pane.width, pane.height) : null;
  const [left, top] = rulers ? [job.gutter.x, job.gutter.y] : [0, 0];
  out.width = Math.round((pane.width + left) * ratio);
  out.height = Math.round((pane.height + top) * ratio);
  const brush = out.getContext("2d");
  if (!brush || !scene || !shown) return out;
  const style = getComputedStyle(host);
  const sheet: Sheet = { brush, font: style.fontFamily, width: pane.width, height: pane.height };
  brush.scale(ratio, ratio);
  brush.fillStyle = style.backgroundColor;
  brush.fillRect(0, 0, pane.width + left, pane.height + top);
  brush.translate(left, top);
  if (rulers) {
    const colours = { fg: style.color, line: style.color };
    drawRuler(sheet, rulers.top, "top", colours);
    drawRuler(sheet, rulers.left, "left", colours);
    brush.textAlign = "right";
    write(sheet, rulers.left.caption, -8, -12, 11);
  }
  brush.beginPath();
  brush.rect(0, 0, pane.width, pane.height);
  brush.clip();
  brush.fillStyle = scene.info.kind === "medical" ? "#000" : "#0c0e11";
  brush.fillRect(0, 0, pane.width, pane.height);
  // One picture pixel lies on a whole number of pixels: smoothing would only blur it.
  brush.imageSmoothingEnabled = Math.abs(scene.fit.scale * ratio - times) > 1e-6;
  const { x, y, scale } = scene.fit;
  brush.drawImage(picture, x, y, shown.width_px * scale, shown.height_px * scale);
  for (const { canvas, at } of withLabels ? job.overlays : []) {
    const [wide, high] = [canvas.width, canvas.height].map((v) => v / pane.pixelRatio);
    brush.drawImage(canvas, at.x, at.y, wide ?? 0, high ?? 0);
  }
  if (withLabels) drawLabels(sheet, scene, context);
  if (withLabels && !job.withoutColours) drawColourBar(sheet, scene, context);
  return out;
}

function fileName(context: ViewContext): string {
  const { info } = context.session;
  const { shown } = context.ui;
  if (!info || !shown) return "picture.png";
  const axis = axisOf(info, shown.axis);
  const name = [
    info.name.replace(/\.[a-z0-9]+$/i, ""),
    axis.name,
    numberText(axis, shown.slice_idx),
  ].join("-");
  return `${name.replace(/[^\p{L}\p{N}.-]+/gu, "_")}.png`;
}

async function pngOf(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
  });
}

/** Download what is drawn here. */
async function save(canvas: HTMLCanvasElement, name: string, context: ViewContext): Promise<void> {
  const url = URL.createObjectURL(await pngOf(canvas));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download reads the URL after the click returns.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  context.session.people.exported("saved a picture");
  context.note(`Saved ${link.download}`);
}

/** Download the picture of a pane. */
export async function savePicture(job: Job, withLabels: boolean): Promise<void> {
  await save(compose(job, withLabels), fileName(job.context), job.context);
}

async function copy(canvas: HTMLCanvasElement, context: ViewContext): Promise<void> {
  try {
    // The promise goes in unresolved: Safari allows the clipboard only during the click.
    const item = new ClipboardItem({ "image/png": pngOf(canvas) });
    await navigator.clipboard.write([item]);
    context.session.people.exported("copied a picture");
    context.note("Picture copied");
  } catch {
    context.note("This page may not use the clipboard.", "Save the picture instead.");
  }
}

export interface PictureJob {
  readonly label: string;
  readonly icon: IconName;
  readonly key?: string;
  readonly act: () => void;
}

/**
 * What can be done with the picture, for the menus.
 *
 * @param whole draws all panes, `times` as many pixels each way; null: there is one alone.
 */
export function pictureJobs(
  job: Job,
  whole: ((times: number) => HTMLCanvasElement) | null,
): readonly PictureJob[] {
  const { context } = job;
  const name = `panes-${fileName(context)}`;
  const alone: readonly PictureJob[] = [
    { label: "Save with labels", icon: "camera", key: "P", act: () => void savePicture(job, true) },
    { label: "Save picture only", icon: "camera", act: () => void savePicture(job, false) },
    { label: "Copy with labels", icon: "copy", act: () => void copy(compose(job, true), context) },
    {
      label: "Copy picture only",
      icon: "copy",
      act: () => void copy(compose(job, false), context),
    },
  ];
  if (!whole) return alone;
  return [
    { label: "Save all panes", icon: "camera", act: () => void save(whole(1), name, context) },
    {
      label: "Save all panes, doubled",
      icon: "camera",
      act: () => void save(whole(2), name, context),
    },
    { label: "Copy all panes", icon: "copy", act: () => void copy(whole(1), context) },
    ...alone,
  ];
}
