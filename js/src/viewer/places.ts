/** Places as people write them: "431208, 6521940", "-25, 10, 3", "L 25 P 10 S 3 mm". */
import { affineRows, inverse } from "../linking";
import type { VolumeInfo } from "../protocol";
import { type Voxel, worldOf } from "./axes";
import { parseNumber } from "./format";

type World = [number, number, number];

/** Patient coordinates in any order, as the field under the picture shows them. */
function patientPlace(text: string): World | null {
  const found = [...text.toUpperCase().matchAll(/([LRAPSI])\s*(\d+(?:[.,]\d+)?)/g)];
  const rest = text.toUpperCase().replace(/[LRAPSI]\s*\d+(?:[.,]\d+)?|MM|[\s\u00a0,;·]/g, "");
  if (found.length !== 3 || rest) return null;
  const place: (number | null)[] = [null, null, null];
  for (const [, letter = "", digits = ""] of found) {
    const axis = ["RL", "AP", "SI"].findIndex((pair) => pair.includes(letter));
    const number = parseNumber(digits);
    place[axis] = number === null ? null : "RAS".includes(letter) ? number : -number;
  }
  return place.every((n) => n !== null) ? (place as World) : null;
}

/** Two or three numbers with commas or semicolons between them. Spaces group digits. */
function numbersOf(text: string): readonly number[] | null {
  const parts = text.includes(";") ? text.split(";") : text.split(",");
  const numbers = parts.map(parseNumber);
  const isDecimal = parts.length === 2 && !text.includes(";") && !/,\s/.test(text.trim());
  if (isDecimal || numbers.length < 2 || numbers.length > 3) return null;
  return numbers.every((n) => n !== null) ? (numbers as number[]) : null;
}

/**
 * Read world coordinates: RAS of a medical volume, X, Y and what lies below for others.
 *
 * Where the third is missing it is that of `at`. Null: the text is none, or the volume has no world.
 */
export function parsePlace(info: VolumeInfo, text: string, at: Voxel): World | null {
  const here = worldOf(info, at);
  if (!here) return null;
  if (info.kind === "medical") {
    const place = patientPlace(text);
    if (place) return place;
  }
  const numbers = numbersOf(text);
  if (!numbers || (info.kind === "medical" && numbers.length < 3)) return null;
  const [x = 0, y = 0, z = here[2]] = numbers;
  return [x, y, z];
}

/** The voxel whose centre is nearest, also outside the volume; null where world is not invertible. */
export function voxelAt(info: VolumeInfo, world: World): Voxel | null {
  const rows = affineRows(info);
  const back = rows && inverse(rows);
  if (!rows || !back) return null;
  const from = world.map((value, r) => value - (rows[r as 0][3] ?? 0));
  return back.map((row) =>
    Math.round(row.reduce<number>((sum, share, r) => sum + share * (from[r] ?? 0), 0)),
  ) as unknown as Voxel;
}

export function isInside(info: VolumeInfo, voxel: Voxel): boolean {
  return voxel.every((idx, axis) => idx >= 0 && idx < (info.axes[axis]?.n ?? 0));
}
