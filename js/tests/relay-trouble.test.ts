import { describe, expect, it } from "vitest";
import { relayTrouble } from "../src/relay-trouble";

const URLS = "turn:turn.example.org";
const REFUSAL = { errorCode: 401, errorText: "Unauthorized." };

describe("relayTrouble", () => {
  it("names a refusal as the TURN server does", () => {
    const servers = [{ urls: URLS, username: "2000:owner" }, { urls: "stun:stun.example.org" }];
    expect(relayTrouble(REFUSAL, servers, 1_999_000)).toBe(
      "the TURN server refuses (401 Unauthorized)",
    );
    expect(relayTrouble({ errorCode: 486, errorText: "" }, [])).toBe(
      "the TURN server refuses (486)",
    );
  });

  it("says that credentials have ended, which a reload mends", () => {
    const servers = [{ urls: URLS, username: "2000:owner" }];
    expect(relayTrouble(REFUSAL, servers, 2_001_000)).toContain("the credentials have ended");
    expect(relayTrouble(REFUSAL, [{ urls: URLS, username: "1999" }], 2_001_000)).not.toContain(
      "ended",
    );
  });

  it("takes the browser's own errors for silence", () => {
    const error = { errorCode: 701, errorText: "Failed to establish connection" };
    expect(relayTrouble(error, [])).toBe("the TURN server does not answer");
  });
});
