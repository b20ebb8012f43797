import { describe, expect, test } from "bun:test";
import { errorLine, plainFields } from "../../src/telemetry/fields.ts";

const plain = (fields: Record<string, unknown>, withStack = false) =>
  plainFields(fields, (text) => text.replaceAll("hush!", "[hidden]"), withStack);

class Refused extends Error {
  override readonly name = "Refused";
}

test.each<[name: string, value: unknown, shown: unknown]>([
  ["words", "the reason: none", "the reason: none"],
  ["a number", 131047, 131047],
  ["a truth", false, false],
  ["nothing", null, null],
  ["what is not there", undefined, undefined],
  ["a large number", 12345678901234567890n, "12345678901234567890"],
  ["a time", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["an address", new URL("https://a.test/b?c=hush!"), "https://a.test/b?c=[hidden]"],
  ["bytes, by their length alone", new Uint8Array(9), "9 bytes"],
  ["a function", () => 1, "[function]"],
  ["a list", ["a", 1, null, ["hush!"]], ["a", 1, null, ["[hidden]"]]],
  ["an object", { a: { b: "hush!" } }, { a: { b: "[hidden]" } }],
  ["an error", new Error("hush! it failed"), "[hidden] it failed"],
  ["an error of a kind", new Refused("no"), "Refused: no"],
])("%s", (_, value, shown) => {
  expect(plain({ value })).toEqual({ value: shown });
});

describe("a person's number is masked under a key that names a person", () => {
  test.each<[unknown, string]>([
    ["15550001111", "15…11"],
    ["+15550001111", "+15…11"],
    [15550001111, "15…11"],
    [15550001111n, "15…11"],
    [["15550001111"], "15…11"],
  ])("%p", (value, shown) => {
    const expected = Array.isArray(value) ? [shown] : shown;
    for (const key of ["to", "From", "chat_id", "linked_as"]) {
      expect(plain({ [key]: value })).toEqual({ [key]: expected });
    }
    expect(plain({ deep: { to: value } })).toEqual({ deep: { to: expected } });
  });

  test("and stays what it is under any other", () => {
    const ids = { phone_number_id: "15550001111", bytes: 15550001111, at: 15550001111n };
    expect(plain(ids)).toEqual({ ...ids, at: "15550001111" });
  });

  test("where it stands in an error, and as the name of a key, too", () => {
    expect(plain({ error: new Error("no +15550001111") })).toEqual({ error: "no +15…11" });
    expect(plain({ by: { "+15550001111": 1 } })).toEqual({ by: { "+15…11": 1 } });
  });
});

test("a credential goes by its key, whatever it looks like; whether there is one may be said", () => {
  expect(
    plain({ token: 1, app_secret: ["a"], deep: { API_KEY: { a: "b" } }, access_token: null }),
  ).toEqual({
    token: "[redacted]",
    app_secret: "[redacted]",
    deep: { API_KEY: "[redacted]" },
    access_token: null,
  });
  expect(plain({ token: true })).toEqual({ token: true });
});

describe("long and deep things are cut", () => {
  test("a text after 2048 characters, and says so", () => {
    const longest = "ä".repeat(2048);
    expect(plain({ longest })).toEqual({ longest });
    expect(plain({ longer: `${longest}b` })).toEqual({ longer: `${longest}… (cut)` });
    expect(plain({ longer: "a".repeat(2049) })).toEqual({ longer: `${"a".repeat(2048)}… (cut)` });
  });

  test("a list and an object after fifty", () => {
    const list = Array.from({ length: 51 }, (_, index) => index);
    expect(plain({ list })).toEqual({ list: list.slice(0, 50) });
    const entries = list.map((index): [string, number] => [`k${index}`, index]);
    expect(plain({ object: Object.fromEntries(entries) })).toEqual({
      object: Object.fromEntries(entries.slice(0, 50)),
    });
  });

  test("what lies deeper than five, in lists and objects", () => {
    const lists = { a: [[[[["deep"]]]]] };
    expect(plain(lists)).toEqual(lists);
    expect(plain({ a: [[[[[["deeper"]]]]]] })).toEqual({ a: [[[[["[…]"]]]]] });
    expect(plain({ a: { b: { c: { d: { e: { f: {} } } } } } })).toEqual({
      a: { b: { c: { d: { e: { f: "[…]" } } } } },
    });
  });
});

test("a field cannot pass for what every line has, nor for what every object has", () => {
  const fields: Record<string, unknown> = JSON.parse(
    '{"level":"error","time":1,"msg":"m","__proto__":{"x":1}}',
  );
  expect(plain(fields)).toEqual({ level_: "error", time_: 1, msg_: "m", __proto___: { x: 1 } });
  expect(plain(Object.create({ inherited: 1 }))).toEqual({});
});

test("an error has its stack only where it is asked for", () => {
  const error = new Refused("no");
  expect(plain({ error })).toEqual({ error: "Refused: no" });
  expect(plain({ error }, true)["error"]).toMatch(/^Refused: no\n[^]*fields\.test\.ts/);
});

describe("an error and its causes on one line", () => {
  test("each once, without empty ones", () => {
    const cause = new Error("", { cause: new Error("ECONNREFUSED") });
    expect(errorLine(new TypeError("fetch failed", { cause }))).toBe(
      "TypeError: fetch failed: ECONNREFUSED",
    );
  });

  test("five at most, though it be its own cause", () => {
    const chain = (depth: number): Error =>
      new Error(`${depth}`, depth === 9 ? {} : { cause: chain(depth + 1) });
    expect(errorLine(chain(1))).toBe("1: 2: 3: 4: 5");
    const own: Error = new Error("again");
    own.cause = own;
    expect(errorLine(own)).toBe("again: again: again: again: again");
  });

  test("what is no error is no cause", () => {
    expect(errorLine(new Error("x", { cause: "a secret" }))).toBe("x");
  });
});
