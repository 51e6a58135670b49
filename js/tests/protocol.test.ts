import { describe, expect, it } from "vitest";
import { HEADER_BYTES, MessageType, type ServerMessage, unpackHeader } from "../src/protocol";
import { contract } from "./contract";

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

describe("frame header", () => {
  const bytes = bytesOf(contract.frame.hex);

  it("is read as Python packed it", () => {
    expect(bytes.length).toBe(HEADER_BYTES);
    expect(unpackHeader(new DataView(bytes.buffer))).toEqual(contract.frame.header);
  });

  it("is read at the offset of its view", () => {
    const shifted = new Uint8Array(HEADER_BYTES + 5);
    shifted.set(bytes, 5);
    expect(unpackHeader(new DataView(shifted.buffer, 5))).toEqual(contract.frame.header);
  });

  it("of several panes is followed by what each shows", () => {
    const several = bytesOf(contract.frame.several_hex);
    expect(unpackHeader(new DataView(several.buffer))).toEqual(contract.frame.several);
    expect(unpackHeader(new DataView(several.buffer, 0, several.length - 1))).toBeNull();
  });

  it("is refused when it is cut off", () => {
    expect(unpackHeader(new DataView(bytes.buffer, 0, HEADER_BYTES - 1))).toBeNull();
  });
});

describe("server messages", () => {
  it.each(contract.server)("$name has the number its type says", ({ name, text }) => {
    const message = JSON.parse(text) as ServerMessage;
    const key = name.toUpperCase() as keyof typeof MessageType;
    expect(message.type).toBe(MessageType[key]);
  });
});
