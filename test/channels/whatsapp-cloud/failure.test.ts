import { describe, expect, test } from "bun:test";
import {
  classifyForeignAnswer,
  classifyGraphError,
} from "../../../src/channels/whatsapp-cloud/failure.ts";
import type { SendFailure } from "../../../src/channels/message.ts";

describe("classifyGraphError: every code of Meta's page", () => {
  const rows: [SendFailure["retry"], number[]][] = [
    ["hold", [0, 3, 10, 190, 200, 250, 299, 368, 131005, 131031, 131037, 131042, 131045, 133010]],
    ["backoff", [1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131057, 131064, 133016]],
    ["recipient", [131056]],
    [
      "no",
      [
        33, 100, 130403, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131047, 131049,
        131050, 131051, 131052, 131053, 131062, 131063, 132000, 132001, 132069,
      ],
    ],
  ];
  const each = rows.flatMap(([retry, codes]) => codes.map((code) => [code, retry] as const));
  test.each(each)("%d: %s", (code, retry) => {
    const failure = classifyGraphError({ code }, { status: 400 });
    expect(failure.retry).toBe(retry);
    expect(failure.code).toBe(String(code));
    expect(failure.hint).toEndWith(".");
    expect(failure.hint).not.toContain("Meta refused with code");
  });
});

describe("classifyGraphError", () => {
  const rows: [string, Parameters<typeof classifyGraphError>, Partial<SendFailure>][] = [
    ["a code of tomorrow, 400", [{ code: 139999 }, { status: 400 }], { retry: "no" }],
    ["a code of tomorrow, 500", [{ code: 139999 }, { status: 500 }], { retry: "backoff" }],
    ["a code of tomorrow, 429", [{ code: 139999 }, { status: 429 }], { retry: "backoff" }],
    [
      "called transient",
      [{ code: 139999, is_transient: true }, { status: 400 }],
      { retry: "backoff" },
    ],
    ["just below and above a range", [{ code: 300 }, { status: 400 }], { retry: "no" }],
    [
      "Retry-After is honoured",
      [{ code: 130429 }, { status: 429, afterMs: 7000 }],
      { afterMs: 7000 },
    ],
    ["the longer wish counts", [{ code: 131048 }, { afterMs: 1000 }], { afterMs: 3_600_000 }],
    ["no wish", [{ code: 131056 }], { afterMs: null }],
  ];
  test.each(rows)("%s", (_name, [error, answer], expected) => {
    expect(classifyGraphError(error, answer)).toMatchObject(expected);
  });

  test("Meta's details follow the hint, without numbers and tokens", () => {
    const details = "Recipient +16505551234 is not allowed, token EAABsbCS1iHgBO0ZA9cZCtoken";
    const { hint } = classifyGraphError({ code: 131026, error_data: { details } });
    expect(hint).toEndWith("Meta says: Recipient … is not allowed, token …");
  });

  test("an unknown code shows Meta's words", () => {
    expect(classifyGraphError({ code: 139999, message: "(#139999) Odd" }).hint).toBe(
      "Meta refused with code 139999. Meta says: (#139999) Odd",
    );
  });
});

describe("classifyForeignAnswer", () => {
  test.each([
    [500, "ambiguous"],
    [502, "ambiguous"],
    [503, "ambiguous"],
    [504, "ambiguous"],
    [200, "ambiguous"],
    [301, "backoff"],
    [400, "backoff"],
    [401, "hold"],
    [403, "backoff"],
    [404, "backoff"],
    [407, "hold"],
    [413, "no"],
    [429, "backoff"],
  ] as const)("%d: %s", (status, retry) => {
    expect(classifyForeignAnswer(status, 1000)).toMatchObject({ retry, code: `http_${status}` });
  });

  test("a limit on the way is Meta's answer; a page of somebody else's is not", () => {
    const unreached = [301, 400, 404, 429, 413, 401, 502, 200].filter(
      (status) => classifyForeignAnswer(status, null).unreached,
    );
    expect(unreached).toEqual([301, 400, 404, 502, 200]);
    expect(classifyForeignAnswer(429, 7000).afterMs).toBe(7000);
  });
});
