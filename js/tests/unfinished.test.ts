/** What others see of an annotation that is being drawn. */
import { expect, it } from "vitest";
import { toolOf } from "../src/annotations/catalogue";
import { newItem } from "../src/annotations/draft";
import type { Point3 } from "../src/annotations/types";
import { drawingWords, fromDrawing, toDrawing } from "../src/annotations/unfinished";
import { MAX_DRAWING_POINTS } from "../src/protocol";

const STYLE = { color: "#ffd43b", width: 3 };

it("is told with its kind and places, in the colour of who draws it", () => {
  const points: Point3[] = [
    [1, 2, 3],
    [1, 5, 6],
  ];
  const drawing = toDrawing(newItem(toolOf("line"), points, 0, STYLE, "draft"));
  expect(drawing).toEqual({ kind: "line", axis: 0, points });
  const mark = { who: "b", name: "Mei", color: "#0b7d71", place: null, drawing };
  const item = fromDrawing(mark);
  expect(item).toMatchObject({ kind: "line", axis: 0, points, color: "#0b7d71", id: "draft-b" });
  expect([toDrawing(null), fromDrawing({ ...mark, drawing: null })]).toEqual([null, null]);
});

it("of a long stroke some places are told, its ends among them", () => {
  const points = Array.from({ length: 1500 }, (_, i): Point3 => [0, i, i]);
  const told = toDrawing(newItem(toolOf("freehand"), points, 0, STYLE, "draft"))?.points ?? [];
  expect([told.length, told[0], told.at(-1)]).toEqual([
    MAX_DRAWING_POINTS,
    points[0],
    points[1499],
  ]);
});

it("is called by the name of its tool", () => {
  const words = (kind: "line" | "arrow"): string => drawingWords({ kind, axis: 0, points: [] });
  expect([words("line"), words("arrow")]).toEqual(["draws a line", "draws an arrow"]);
});
