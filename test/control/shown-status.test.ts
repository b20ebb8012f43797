import { afterEach, beforeEach, expect, test } from "bun:test";
import { createServer } from "node:http";
import { join } from "node:path";
import type { ControlApi } from "../../src/control/api.ts";
import { controlClient } from "../../src/control/client.ts";
import { controlServer } from "../../src/control/server.ts";
import { fetchOverUnixSocket } from "../../src/runtime/unix-fetch.ts";
import { statusReport } from "../support/status-report.ts";
import { temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "revka.sock");
});
afterEach(() => folder.remove());

const linking = { qr: "2@abc", pair_code: null, expires_at: "2026-01-01T00:00:00Z" };
const report = statusReport({
  channels: [
    {
      channel: "whatsapp",
      backend: "web",
      state: "linking",
      reason: null,
      linked_as: null,
      last_inbound_at: null,
      last_outbound_at: null,
      last_error: null,
      linking,
    },
  ],
});
const shown = {
  text: expect.stringContaining("whatsapp (web): linking"),
  ready: false,
  qr: ["2@abc"],
};

/** Whatever listens there answers every question with this text. */
async function answering(text: string): Promise<AsyncDisposable & { asked: string[] }> {
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(text);
  });
  await new Promise<void>((resolve) => other.listen(path, resolve));
  return {
    asked,
    async [Symbol.asyncDispose]() {
      other.closeAllConnections();
      await new Promise((resolve) => other.close(resolve));
    },
  };
}

test("the daemon draws its status, and gives its report to who asks for that", async () => {
  const api = { status: async () => report } as Partial<ControlApi> as ControlApi;
  const server = await controlServer(path, () => api);
  // Not through our client, which would draw the report itself.
  const drawn = await fetchOverUnixSocket(path, "/status?shown", { method: "GET" });
  expect(JSON.parse(drawn.text)).toEqual(shown);
  expect(await controlClient(path).shownStatus()).toEqual(shown);
  expect(await controlClient(path).status()).toEqual(report);
  await server.stop(true);
});

test("what the daemon has drawn is shown as it is", async () => {
  const drawn = { text: "as drawn", ready: true, qr: [] };
  await using daemon = await answering(JSON.stringify(drawn));
  expect(await controlClient(path).shownStatus()).toEqual(drawn);
  expect(daemon.asked).toEqual(["/status?shown"]);
});

test("nothing that is drawn elsewhere moves the cursor here", async () => {
  const text = "Revka\u001b]0;x\u0007\n  3 × a\u009b2Jb\r\n";
  await using _ = await answering(JSON.stringify({ text, ready: true, qr: [] }));
  expect((await controlClient(path).shownStatus()).text).toBe(
    "Revka\\u001b]0;x\\u0007\n  3 × a\\u009b2Jb\\u000d\n",
  );
});

test("the report of a daemon from before an update is drawn here", async () => {
  await using _ = await answering(JSON.stringify(report));
  expect(await controlClient(path).shownStatus()).toEqual(shown);
});

test.each([
  ["nothing", {}],
  ["no text", { text: 1, ready: true, qr: [] }],
  ["no word whether it is ready", { text: "x", qr: [] }],
  ["no codes", { text: "x", ready: true, qr: "2@abc" }],
  ["a code that is no text", { text: "x", ready: true, qr: [null] }],
  ["a list", []],
])("an answer with %s is no daemon's", async (_, answer) => {
  await using __ = await answering(JSON.stringify(answer));
  await expect(controlClient(path).shownStatus()).rejects.toThrow("is no daemon of this Revka");
});
