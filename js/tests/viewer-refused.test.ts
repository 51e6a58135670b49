// @vitest-environment happy-dom
/** A hand that may not move the view: what is said of it, and where nothing is. */
import { beforeEach, expect, it } from "vitest";
import { LiveLabels } from "../src/labels/link";
import { LiveAnnotations } from "../src/live-annotations";
import { LiveRecording } from "../src/live-recording";
import { OwnView } from "../src/own-view";
import { Palettes } from "../src/palettes";
import { People } from "../src/people";
import { Pointing } from "../src/pointing";
import type { Session } from "../src/session";
import { FIRST_STATUS } from "../src/status";
import type { Command } from "../src/viewer/bindings";
import { type CommandTarget, commandRunner } from "../src/viewer/commands";
import { ViewContext } from "../src/viewer/context";
import { Settings } from "../src/viewer/settings";
import { INFO, STATE } from "./fakes";

let patched: unknown[];
let said: string[];

function contextOf(change: object): ViewContext {
  const listen = (): void => {};
  const session = {
    people: new People(() => false),
    call: { onChange() {} },
    ownView: new OwnView(() => false),
    state: STATE,
    info: INFO,
    palettes: new Palettes(),
    status: FIRST_STATUS,
    role: "viewer",
    annotations: new LiveAnnotations(() => false),
    recording: new LiveRecording(() => false),
    labels: new LiveLabels(() => false),
    pointing: new Pointing(),
    patch: (patch: unknown) => patched.push(patch),
    onFrame: listen,
    onState: listen,
    onStatus: listen,
    onInfo: listen,
    onValue: listen,
    onNotice: listen,
    lastFrame: () => null,
    ...change,
  } as unknown as Session;
  const context = new ViewContext(session, new AbortController().signal, new Settings(() => null));
  context.onSay((text) => said.push(text));
  return context;
}

beforeEach(() => {
  [patched, said] = [[], []];
});

it("who follows is told why nothing moves, and what helps", () => {
  const context = contextOf({});
  context.actions.zoomAtCentre(2);
  expect(context.ui.notice?.hint).toBe("Look around to change the view on your own.");
  expect(patched).toEqual([]);
});

it("in a recording's player a hand on the picture moves nothing and hears of no view to follow", () => {
  const context = contextOf({ playback: {} });
  context.actions.zoomAtCentre(2);
  expect([context.ui.notice, patched, said]).toEqual([null, [], []]);
});

it("a key that changes nothing says nothing of a change", () => {
  const commands: Command[] = [
    { do: "overlays" },
    { do: "labels" },
    { do: "layout" },
    { do: "rotate", quarters: 1 },
    { do: "flip", side: "x" },
    { do: "display" },
  ];
  const state = { ...STATE, overlays: [{}], segmentations: [{}] };
  const heard = commands.map((command) => {
    said = [];
    commandRunner(contextOf({ state }), {} as CommandTarget)(command);
    return said;
  });
  const refused = "You follow the shared view. Look around to change the view on your own.";
  expect(heard).toEqual(commands.map(() => [refused]));
  expect(patched).toEqual([]);
  said = [];
  commandRunner(contextOf({ state, role: "owner" }), {} as CommandTarget)({ do: "overlays" });
  expect([said.length, patched.length]).toEqual([1, 1]);
});
