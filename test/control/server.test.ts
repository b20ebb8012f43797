import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, renameSync, statSync } from "node:fs";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { ControlError, DaemonNotRunning, type ControlApi } from "../../src/control/api.ts";
import { controlClient } from "../../src/control/client.ts";
import { controlServer } from "../../src/control/server.ts";
import { fetchOverUnixSocket } from "../../src/runtime/unix-fetch.ts";
import { temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "revka.sock");
});
afterEach(() => folder.remove());

const nothing = async () => {
  throw new ControlError(409, "not here");
};
const api: ControlApi = {
  status: nothing,
  send: nothing,
  pause: nothing,
  resume: nothing,
  redeliver: async (id) => {
    if (id !== "known") throw new Error("the store failed");
  },
  relink: nothing,
};

test("only its owner may open the socket, whatever the process lets others do", async () => {
  const mask = process.umask(0);
  const server = await controlServer(path, () => api);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(process.umask(mask)).toBe(0);
  await server.stop(true);
});

test("a socket that a kill left behind is replaced, one that is answered on is not", async () => {
  // Closing unlinks a socket; one whose owner was killed stays, which a second name shows.
  const left = createServer();
  await new Promise<void>((resolve) => left.listen(path, resolve));
  renameSync(path, `${path}.kept`);
  await new Promise<void>((resolve) => left.close(() => resolve()));
  renameSync(`${path}.kept`, path);
  expect(existsSync(path)).toBe(true);
  const server = await controlServer(path, () => api);
  const second = await controlServer(path, () => api).catch((error: Error) => error.message);
  expect(second).toContain("another daemon of this home is running");
  await controlClient(path).redeliver("known");
  await server.stop(true);
});

test.each([
  ["well", { daemon: {}, channels: [] }],
  ["as one of another version", {}],
])("a daemon that answers %s is one that runs, and keeps its socket", async (_, answer) => {
  const asked: string[] = [];
  const running = { ...api, relink: async () => void asked.push("relink") };
  const server = await controlServer(path, () => ({
    ...running,
    status: () => Promise.resolve(Object.assign(Object.create(null), answer)),
  }));
  await expect(controlServer(path, () => api)).rejects.toThrow(
    "another daemon of this home is running",
  );
  await controlClient(path).relink();
  expect(asked).toEqual(["relink"]);
  await server.stop(true);
});

test("a daemon that hangs is one that runs", async () => {
  const hung = createServer(() => {});
  await new Promise<void>((resolve) => hung.listen(path, resolve));
  const second = await controlServer(path, () => api, 50).catch((error: Error) => error.message);
  expect(second).toContain("another daemon of this home is running");
  hung.close();
});

test("what can be asked is made anew where it could not be made, and the answer says why", async () => {
  let tries = 0;
  const server = await controlServer(path, async () => {
    if (tries++ === 0) throw new Error("no room");
    return { ...api, relink: async () => {} };
  });
  await expect(controlClient(path).relink()).rejects.toThrow("the daemon failed: no room");
  await controlClient(path).relink();
  await server.stop(true);
});

test("a Host that is no address is no failure of the daemon", async () => {
  const server = await controlServer(path, () => api);
  const socket = connect(path);
  socket.end("GET /elsewhere HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toStartWith("HTTP/1.1 404 ");
  socket.destroy();
  await server.stop(true);
});

test.each<[method: "GET" | "POST", route: string, body: string | undefined, status: number]>([
  ["POST", "/redeliver", '{"id":"known"}', 200],
  ["POST", "/redeliver", '{"id":"other"}', 500],
  ["POST", "/redeliver", "{}", 400],
  ["POST", "/redeliver", "no JSON", 400],
  ["POST", "/send", '{"to":"","text":"x"}', 400],
  ["POST", "/pause", '{"chat":"+15550001111"}', 409],
  ["GET", "/redeliver", undefined, 404],
  ["POST", "/status", "{}", 404],
  ["GET", "/elsewhere", undefined, 404],
])("%s %s %s answers %p", async (method, route, body, status) => {
  const server = await controlServer(path, () => api);
  const answer = await fetchOverUnixSocket(path, route, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBe(status);
  if (status !== 200) expect(JSON.parse(answer.text)).toEqual({ error: expect.any(String) });
  await server.stop(true);
});

test("what is asked of the socket reaches the daemon as it was asked", async () => {
  const heard: unknown[][] = [];
  const hears =
    <T>(name: string, answer: T) =>
    async (...given: unknown[]): Promise<T> => {
      heard.push([name, ...given]);
      return answer;
    };
  const sent = { deliveries: [], window_warning: "closed" };
  const server = await controlServer(path, () => ({
    ...api,
    send: hears("send", sent),
    pause: hears("pause", { changed: true }),
    resume: hears("resume", { changed: false }),
    redeliver: hears("redeliver", undefined),
    relink: hears("relink", undefined),
  }));
  const client = controlClient(path);
  const whole = { to: "+15550001111", text: "x", channel: "wati" as const, wait_ms: 0 };
  expect(await client.send(whole)).toEqual(sent);
  await client.send({ to: "self", text: "y" });
  expect(await client.pause({ chat: "a", channel: "wati" })).toMatchObject({ changed: true });
  expect(await client.resume({ chat: "b" })).toMatchObject({ changed: false });
  await client.redeliver("id");
  await client.relink();
  expect(heard).toEqual([
    ["send", whole],
    ["send", { to: "self", text: "y" }],
    ["pause", { chat: "a", channel: "wati" }],
    ["resume", { chat: "b" }],
    ["redeliver", "id"],
    ["relink"],
  ]);
  await server.stop(true);
});

test("what is more than the socket takes is told as such, not as another program's answer", async () => {
  const server = await controlServer(path, () => api);
  const text = "\u0001".repeat(60_000);
  await expect(controlClient(path).send({ to: "self", text })).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining("256 KiB"),
  });
  await server.stop(true);
});

describe("a request that is longer is answered, however it is sent", () => {
  const most = 256 * 1024;
  /** JSON of so many bytes that asks for nothing known. */
  const padded = (bytes: number) => `{"x":"${"a".repeat(bytes - 8)}"}`;
  const chunked = (body: string) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += most / 4) {
          controller.enqueue(new TextEncoder().encode(body.slice(at, at + most / 4)));
        }
        controller.close();
      },
    });

  test.each([
    ["of the most that it may have", padded(most), 400, "to: "],
    ["of one byte more", padded(most + 1), 413, "256 KiB"],
    ["of far more", padded(16 * most), 413, "256 KiB"],
    ["of the most, in pieces", chunked(padded(most)), 400, "to: "],
    ["of far more, in pieces", chunked(padded(16 * most)), 413, "256 KiB"],
  ])("%s", async (_, body, status, words) => {
    const server = await controlServer(path, () => api);
    const answer = await fetch("http://localhost/send", { method: "POST", body, unix: path });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.stringContaining(words) });
    // And the next one is heard.
    await controlClient(path).redeliver("known");
    await server.stop(true);
  });
});

test.each([404, 409, 400] as const)("a refusal keeps its status %d and words", async (status) => {
  const refuse = async () => {
    throw new ControlError(status, "not so");
  };
  const server = await controlServer(path, () => ({ ...api, relink: refuse }));
  await expect(controlClient(path).relink()).rejects.toEqual(new ControlError(status, "not so"));
  await expect(controlClient(path).relink()).rejects.toMatchObject({ status });
  await server.stop(true);
});

test("where nobody answers, the daemon is said not to run", async () => {
  await expect(controlClient(path).status()).rejects.toBeInstanceOf(DaemonNotRunning);
});

test("an answer that is no refusal of ours is told apart from one", async () => {
  for (const [status, body, words] of [
    [500, '"text"', "without saying why"],
    [500, "null", "without saying why"],
    [500, "{}", "without saying why"],
    [503, '{"error":"busy"}', "busy"],
  ] as const) {
    const socket = join(folder.path, `${status}-${body.length}.sock`);
    const other = createHttpServer((_, outgoing) => void outgoing.writeHead(status).end(body));
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    const error = await controlClient(socket)
      .relink()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ControlError);
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining(words) });
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
  }
});
