import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { createLogger, logDefaults, type LogOptions } from "../../src/telemetry/log.ts";

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger({ level: "info", format: "json", secrets: [], destination, ...options });
  return { log, lines, text: () => lines.join("") };
}

const secret = 'EAAB/s3cr3t+"tök en"\\x';

describe("a secret never appears", () => {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const ways: [string, Record<string, unknown>, string][] = [
    ["in the message", {}, `token ${secret} refused`],
    ["in a field", { detail: `got ${secret}` }, "m"],
    ["in a field's key", { [secret]: 1 }, "m"],
    ["deep in a field", { a: { b: [{ c: secret }] } }, "m"],
    ["in an error", { error: new Error(`bad ${secret}`) }, "m"],
    ["in a cause", { error: new Error("x", { cause: new Error(secret) }) }, "m"],
    ["URL-encoded", { url: `https://h/p?q=${encodeURIComponent(secret)}` }, "m"],
    [
      "URL-encoded in lower case",
      { url: encodeURIComponent(secret).replace(/%../g, (e) => e.toLowerCase()) },
      "m",
    ],
    ["in a form body", { body: new URLSearchParams({ q: secret }).toString() }, "m"],
    ["JSON in a string", { body: JSON.stringify({ q: secret }) }, "m"],
    ["in base64", { h: base64(secret) }, "m"],
    ["in base64 after one byte", { h: base64(`:${secret}`) }, "m"],
    ["in base64 after two bytes", { h: base64(`a:${secret}`) }, "m"],
    ["in base64url", { h: Buffer.from(secret).toString("base64url") }, "m"],
    ["in hex", { h: Buffer.from(secret).toString("hex") }, "m"],
    ["across the cut of a long text", { body: "x".repeat(2048 - 12) + secret }, "m"],
  ];
  const traces = [
    secret,
    secret.slice(0, 8),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret).slice(0, 14),
    base64(secret).slice(0, 12),
    base64(`:${secret}`).slice(4, 16),
    base64(`a:${secret}`).slice(4, 16),
    Buffer.from(secret).toString("hex").slice(0, 12),
  ].map((trace) => trace.toLowerCase());
  for (const format of ["json", "text"] as const) {
    for (const level of ["info", "debug"] as const) {
      test.each(ways)(`${format}, ${level}: %s`, (_, fields, message) => {
        const { log, text } = capture({ format, level, secrets: [secret] });
        log.error(fields, message);
        log.child(fields).error({}, message);
        const seen = text().toLowerCase();
        expect(seen).toContain("[redacted]");
        for (const trace of traces) expect(seen).not.toContain(trace);
      });
    }
  }

  test("a secret that begins with another one goes whole", () => {
    const { log, text } = capture({ secrets: ["abcd", "abcdefgh"] });
    log.info({ v: "abcdefgh" }, "m");
    expect(text()).not.toContain("efgh");
  });

  test.each(["json", "text"] as const)("in a number, and the %s line stays one", (format) => {
    const { log, text } = capture({ format, secrets: ["1234"] });
    log.info({ bytes: 12_345, more: null, fine: true, list: [7] }, "m");
    expect(text()).not.toContain("1234");
    if (format === "text") expect(text()).toContain("bytes=[redacted]5");
    else
      expect(JSON.parse(text())).toMatchObject({ level: "info", bytes: "[redacted]5", msg: "m" });
  });

  test("a secret of three characters is no secret, so lines stay readable", () => {
    const { log, text } = capture({ secrets: ["the", ""] });
    log.info({}, "the end");
    expect(text()).toContain("the end");
  });
});

describe("credentials of others are recognised by their surroundings", () => {
  test.each([
    ["Authorization: Bearer abcdef123456", "abcdef123456"],
    ["authorization%3A Bearer%20abcdef123456", "abcdef123456"],
    ["Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"],
    ["Authorization: Token abcdef", "abcdef"],
    ['{"authorization":"opaque-value"}', "opaque-value"],
    ["socks5://user:pass@proxy:1080 refused", "user:pass"],
    ["GET https://g/debug_token?input_token=abc&access_token=def", "abc"],
    ["GET https://g/debug_token?input_token=abc&access_token=def", "def"],
    ["POST /wati?secret=hushhush", "hushhush"],
  ])("%s", (message, hidden) => {
    const { log, text } = capture();
    log.info({ detail: message }, message);
    expect(text()).not.toContain(hidden);
    expect(text()).toContain("[redacted]");
  });

  test.each([
    "the access token expires on 2026-11-24",
    "add ?secret=… to the address",
    "Meta app, Settings, Basic settings",
    "the agent refuses the bearer token (status 401)",
  ])("words stay words: %s", (message) => {
    const { log, text } = capture();
    log.info({}, message);
    expect(text()).toContain(message);
  });

  test("by their key", () => {
    const { log, lines } = capture();
    log.info({ headers: { authorization: "plainvalue" }, access_token: "other", apiKey: 12 }, "m");
    const entry: unknown = JSON.parse(lines[0] ?? "");
    expect(entry).toMatchObject({
      headers: { authorization: "[redacted]" },
      access_token: "[redacted]",
      apiKey: "[redacted]",
      msg: "m",
    });
  });
});

describe("phone numbers", () => {
  test("are shortened in fields and messages", () => {
    const { log, text } = capture();
    log.info(
      {
        chat: "15550001111",
        note: "from +15550001111",
        jid: "15550001111:3@s.whatsapp.net",
        n: { to: 15550001111 },
      },
      "to +15550001111",
    );
    expect(text()).not.toContain("5550001");
    expect(text()).toContain("15…11");
  });

  test("ids, times and lengths stay", () => {
    const { log, text } = capture();
    log.info({ phone_number_id: "123456789012345", at: 1699999999, bytes: 12345678 }, "m");
    expect(text()).toContain("123456789012345");
    expect(text()).toContain("1699999999");
    expect(text()).toContain("12345678");
  });
});

describe("lines", () => {
  test("are JSON with level, ISO time and message", () => {
    const { log, lines } = capture();
    log.child({ channel: "wati" }).warn({ code: 131047 }, "held");
    const entry: unknown = JSON.parse(lines[0] ?? "");
    expect(entry).toMatchObject({ level: "warn", channel: "wati", code: 131047, msg: "held" });
    expect(lines[0]).toMatch(/"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/);
    expect(lines[0]?.endsWith("\n")).toBe(true);
  });

  test("are flushed by warnings and errors, and by nothing less", () => {
    let flushed = 0;
    const destination = { write: () => {}, flush: () => void flushed++ };
    const log = createLogger({ level: "trace", format: "json", secrets: [], destination });
    const after = (level: "trace" | "debug" | "info" | "warn" | "error") => {
      log.child({ channel: "wati" })[level]({}, "m");
      return flushed;
    };
    expect([after("trace"), after("debug"), after("info")]).toEqual([0, 0, 0]);
    expect([after("warn"), after("error")]).toEqual([1, 2]);
    const quiet = createLogger({ level: "error", format: "json", secrets: [], destination });
    quiet.warn({}, "m");
    expect(flushed).toBe(2);
  });

  test("are in colour only where that is asked for", () => {
    const plain = capture({ format: "text" });
    plain.log.warn({ code: 1 }, "held");
    expect(plain.text()).toMatch(/^\d\d:\d\d:\d\d warn  held  code=1\n$/);
    const colored = capture({ format: "text", color: true });
    colored.log.warn({ code: 1 }, "held");
    expect(colored.text()).toContain("\u001b[33mwarn ");
  });

  test("below the level are not written", () => {
    const { log, lines } = capture({ level: "warn" });
    log.info({}, "no");
    expect(lines).toEqual([]);
    const silent = capture({ level: "silent" });
    silent.log.error({}, "no");
    expect(silent.lines).toEqual([]);
  });

  test("cannot be forged by a field or a message", () => {
    const { log, lines } = capture({ format: "text" });
    log.info({ level: "error", name: "a\nb \u001b[2J\u202e" }, 'x\n12:00:00 error "fake"');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toMatch(/[\n\u001b\u202e]/);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info /);
  });

  test("survive cycles, huge values and odd types", () => {
    const { log, lines } = capture();
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    log.info(
      {
        loop,
        big: 10n,
        bytes: new Uint8Array(9),
        f: () => 1,
        list: Array(500).fill("x".repeat(9999)),
      },
      "m",
    );
    expect(lines[0]?.length).toBeLessThan(120_000);
    expect(() => JSON.parse(lines[0] ?? "")).not.toThrow();
  });

  test("hold a stack only at debug", () => {
    const quiet = capture();
    quiet.log.error({ error: new Error("boom") }, "m");
    expect(quiet.text()).not.toContain("log.test.ts");
    const loud = capture({ level: "debug" });
    loud.log.error({ error: new Error("boom") }, "m");
    expect(loud.text()).toContain("log.test.ts");
  });
});

const xml = (format: string) =>
  `environment: REVKA_LOG_FORMAT: expected "text" or "json"; ${format} it is, as without it`;

test.each<[Record<string, string>, boolean, object]>([
  [{}, true, { format: "text", color: true }],
  [{}, false, { format: "json", color: false }],
  [{ NO_COLOR: "1" }, true, { format: "text", color: false }],
  [{ REVKA_LOG_FORMAT: "json" }, true, { format: "json", color: true }],
  [{ REVKA_LOG_FORMAT: "text" }, false, { format: "text", color: false }],
  [{ REVKA_LOG_FORMAT: " JSON" }, true, { format: "json", color: true }],
  [{ REVKA_LOG_FORMAT: "" }, false, { format: "json", color: false }],
  [{ REVKA_LOG_FORMAT: "xml" }, false, { format: "json", color: false, problem: xml("json") }],
  [{ REVKA_LOG_FORMAT: "xml" }, true, { format: "text", color: true, problem: xml("text") }],
])("defaults for %p on a terminal %p", (env, terminal, expected) => {
  expect<object>(logDefaults(env, terminal)).toEqual({ problem: null, ...expected });
});
