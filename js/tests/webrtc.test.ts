import { describe, expect, it, vi } from "vitest";
import { peerObstacle } from "../src/webrtc";

function browser(...mimeTypes: string[]): void {
  vi.stubGlobal("RTCPeerConnection", class {});
  vi.stubGlobal("RTCRtpReceiver", {
    getCapabilities: () => ({ codecs: mimeTypes.map((mimeType) => ({ mimeType })) }),
  });
}

describe("whether WebRTC can bring pictures", () => {
  it("is so where the browser takes H.264", () => {
    browser("video/VP8", "video/H264");
    expect(peerObstacle()).toBe("");
  });

  it("is not so in a Firefox without its plugin", () => {
    browser("video/VP8", "video/VP9", "video/AV1", "video/red");
    expect(peerObstacle()).toBe("This browser has WebRTC without H.264.");
  });

  it("is tried where nobody can be asked", () => {
    vi.stubGlobal("RTCPeerConnection", class {});
    expect(peerObstacle()).toBe("");
  });

  it("is not so without WebRTC", () => {
    expect(peerObstacle()).toBe("This browser has no WebRTC.");
  });
});
