import { describe, expect, it } from "vitest";
import { isAtLeast, LatencyMeter } from "../src/latency";

/** A meter of a viewer that has shown its first picture. */
function live(): LatencyMeter {
  const meter = new LatencyMeter();
  meter.pictureShown(0, -1000);
  return meter;
}

describe("latency", () => {
  it("begins with the first picture: what is sent before waits for the volume", () => {
    const meter = new LatencyMeter();
    meter.messageSent(1, 0);
    meter.stateConfirmed(1, 1);
    meter.pictureShown(1, 400);
    expect(meter.latencyMs(400)).toBe(0);
    meter.messageSent(2, 500);
    meter.stateConfirmed(2, 2);
    meter.pictureShown(2, 530);
    expect(meter.latencyMs(530)).toBe(30);
  });

  it("is the time from the input to the first picture that contains it", () => {
    const meter = live();
    meter.messageSent(1, 100);
    meter.stateConfirmed(1, 7);
    meter.pictureShown(6, 110);
    expect(meter.latencyMs(110)).toBe(0);
    meter.pictureShown(7, 130);
    expect(meter.latencyMs(130)).toBe(30);
  });

  it("is known also when the picture overtakes the message that names it", () => {
    const meter = live();
    meter.messageSent(1, 100);
    meter.pictureShown(7, 125);
    meter.stateConfirmed(1, 7);
    expect(meter.latencyMs(200)).toBe(25);
  });

  it("counts each input of a scrub against the picture that shows it or a newer one", () => {
    const meter = live();
    for (const seq of [1, 2, 3]) meter.messageSent(seq, seq * 16);
    meter.stateConfirmed(3, 9);
    meter.pictureShown(9, 80);
    expect(meter.latencyMs(80)).toBe(80 - 32);
  });

  it("forgets after some seconds, so that rest shows nothing", () => {
    const meter = live();
    meter.messageSent(1, 0);
    meter.stateConfirmed(1, 1);
    meter.pictureShown(1, 20);
    expect(meter.latencyMs(4000)).toBe(0);
  });

  it("does not measure across connections", () => {
    const meter = live();
    meter.messageSent(1, 0);
    meter.reset();
    meter.stateConfirmed(1, 1);
    meter.pictureShown(1, 5000);
    expect(meter.latencyMs(5000)).toBe(0);
  });

  it("does not count a picture shown before the input", () => {
    const meter = live();
    meter.pictureShown(7, 90);
    meter.messageSent(1, 100);
    meter.stateConfirmed(1, 7);
    expect(meter.latencyMs(100)).toBe(0);
  });
});

describe("frames per second", () => {
  it("counts what was shown in the last second", () => {
    const meter = live();
    for (let i = 0; i < 90; i++) meter.pictureShown(i, i * 20);
    expect(meter.displayedFps(89 * 20)).toBe(51);
    expect(meter.displayedFps(10_000)).toBe(0);
  });
});

describe("revisions", () => {
  it("compare across the end of their range", () => {
    expect(isAtLeast(2, 0xfffffffe)).toBe(true);
    expect(isAtLeast(0xfffffffe, 2)).toBe(false);
    expect(isAtLeast(5, 5)).toBe(true);
  });
});
