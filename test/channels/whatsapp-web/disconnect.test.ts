import { describe, expect, test } from "bun:test";
import {
  TIMED_OUT,
  UNREACHABLE,
  UNTAKEN,
  UNTOLD,
  UNTRUSTED,
  UNWRITABLE,
  judge,
  pauseBefore,
} from "../../../src/channels/whatsapp-web/disconnect.ts";

const ending = { linked: true, passkey: false, proxyFailure: null, expireSecs: null };

describe("what the end of a connection means", () => {
  test.each([
    [515, "now"],
    [401, "logged_out"],
    [402, "backoff"],
    [403, "stop"],
    [405, "backoff"],
    [406, "stop"],
    [408, "backoff"],
    [409, "backoff"],
    [411, "stop"],
    [428, "backoff"],
    [429, "backoff"],
    [440, "stop"],
    [463, "backoff"],
    [500, "backoff"],
    [503, "backoff"],
    [999, "backoff"],
  ] as const)("%i on a linked device: %s", (code, next) => {
    expect(judge({ ...ending, code }).next).toBe(next);
  });

  test.each([
    [401, "register"],
    [408, "backoff"],
    [463, "stop"],
    [515, "now"],
  ] as const)("%i before the link is made: %s", (code, next) => {
    expect(judge({ ...ending, linked: false, code }).next).toBe(next);
  });

  test("a passkey stops the link, whatever the code; on a linked device it means nothing", () => {
    const asked = { ...ending, passkey: true, code: 408 };
    expect(judge({ ...asked, linked: false })).toMatchObject({ next: "stop" });
    expect(judge(asked).next).toBe("backoff");
  });

  test.each([
    [TIMED_OUT, "no answer"],
    [UNTAKEN, "no phone took a code"],
    [UNREACHABLE, "proxy_url"],
    [UNWRITABLE, "session_path"],
    [UNTOLD, "the store's disk"],
    [UNTRUSTED, "certificate"],
  ])("our own %i is tried again, and says where to look: %s", (code, words) => {
    const reason = expect.stringContaining(words);
    expect(judge({ ...ending, code })).toMatchObject({ next: "backoff", reason, afterMs: 0 });
  });

  test("a proxy that let nothing through is what is named, whatever the code", () => {
    const proxyFailure = "the proxy refused";
    expect(judge({ ...ending, code: 403, proxyFailure })).toMatchObject({
      next: "backoff",
      reason: proxyFailure,
    });
  });

  test("only a refused version asks for another one", () => {
    const asks = [405, 409, 503].map((code) => {
      const verdict = judge({ ...ending, code });
      return verdict.next === "backoff" && verdict.newVersion;
    });
    expect(asks).toEqual([true, true, false]);
  });

  test("a ban keeps us away as long as WhatsApp says, an hour where it does not", () => {
    expect(judge({ ...ending, code: 402, expireSecs: 90 })).toMatchObject({ afterMs: 90_000 });
    expect(judge({ ...ending, code: 402 })).toMatchObject({ afterMs: 3_600_000 });
  });

  test("no reason holds a number", () => {
    for (let code = 400; code < 520; code++) {
      const verdict = judge({ ...ending, code });
      if ("reason" in verdict) expect(verdict.reason).not.toMatch(/\d{5,}/);
    }
  });
});

test("the back-off doubles from 3 s to 300 s, up to a fifth less", () => {
  const pauses = [0, 1, 2, 3, 6, 7, 50].map((attempt) => pauseBefore(attempt, 0));
  expect(pauses).toEqual([3000, 6000, 12_000, 24_000, 192_000, 300_000, 300_000]);
  expect([0.5, 0.75].map((random) => pauseBefore(0, random))).toEqual([2700, 2550]);
});
