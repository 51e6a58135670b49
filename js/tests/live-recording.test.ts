/** What a page knows and says of a recording. */
import { expect, test } from "vitest";
import { clockText, LiveRecording } from "../src/live-recording";
import {
  MessageType,
  type PublishState,
  type RecordingState,
  type SetRecording,
} from "../src/protocol";

const OFF: RecordingState = {
  type: MessageType.RECORDING,
  phase: "off",
  name: "",
  by: "",
  duration_s: 0,
  n_bytes: 0,
  number: 0,
  may: true,
  code: "",
  message: "",
  hint: "",
};
const ON: RecordingState = { ...OFF, phase: "on", name: "view.mp4", by: "owner" };
const PUBLISHED: PublishState = {
  type: MessageType.PUBLISHED,
  phase: "on",
  sfu: "Janus",
  place: "",
  code: "",
  message: "",
  hint: "",
};

function opened(): [LiveRecording, SetRecording[]] {
  const sent: SetRecording[] = [];
  return [new LiveRecording((message) => sent.push(message) > 0), sent];
}

test("the wish is to begin one, or to end the one that runs", () => {
  const [recording, sent] = opened();
  recording.toggle(); // nobody knows yet
  recording.received(OFF);
  recording.toggle();
  recording.received(ON);
  recording.toggle();
  expect(sent.map(({ on }) => on)).toEqual([true, false]);
});

test("who may only look wishes nothing", () => {
  const [recording, sent] = opened();
  recording.received({ ...ON, may: false });
  recording.toggle();
  expect(sent).toEqual([]);
});

test("what was recorded, or why not, is said once", () => {
  const [recording] = opened();
  expect(recording.received(OFF)).toBeNull();
  expect(recording.received(ON)).toBeNull();
  expect(recording.received({ ...OFF, name: "view.mp4" })?.message).toBe("Recorded: view.mp4");
  const full = { ...OFF, code: "recording", message: "The disk is full.", hint: "Free some." };
  recording.received(ON);
  expect(recording.received(full)?.message).toBe("The disk is full.");
  expect(recording.received(full)).toBeNull();
});

test("it is known while an SFU passes the view on, and told to who shows that", () => {
  const [recording] = opened();
  const shown: (string | undefined)[] = [];
  const ends = new AbortController();
  recording.onChange(() => shown.push(recording.published?.phase), ends.signal);
  recording.publishing(PUBLISHED);
  recording.publishing({ ...PUBLISHED, phase: "waiting" });
  recording.publishing({ ...PUBLISHED, phase: "off", sfu: "" });
  ends.abort();
  recording.publishing(PUBLISHED);
  expect(shown).toEqual(["on", "waiting", undefined]);
});

test("after a lost connection nothing is claimed", () => {
  const [recording] = opened();
  recording.received(ON);
  recording.publishing(PUBLISHED);
  recording.lost();
  expect([recording.state, recording.published]).toEqual([null, null]);
});

test.each([
  [0.9, "0:00"],
  [75, "1:15"],
  [3723, "1:02:03"],
])("%d seconds are %s", (seconds, text) => expect(clockText(seconds)).toBe(text));
