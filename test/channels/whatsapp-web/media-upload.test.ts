import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mediaLimits, uploadFile } from "../../../src/channels/whatsapp-web/media-upload.ts";
import type { Fetch } from "../../../src/net/fetch.ts";

let folder: string;
let path: string;
let asked: URL[];
let signal: AbortSignal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-upload-"));
  path = join(folder, "file");
  writeFileSync(path, "content");
  asked = [];
  signal = new AbortController().signal;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const taken = async () =>
  Response.json({ url: "https://mmg.whatsapp.net/f", direct_path: "/f?token=1" });

function upload(answers: ((body: Buffer) => Promise<Response>)[], more: object = {}) {
  const fetch: Fetch = async (url, init) => {
    asked.push(new URL(String(url)));
    const body = init?.body instanceof ReadableStream ? init.body : null;
    const bytes = Buffer.from(await new Response(body).arrayBuffer());
    const answer = answers[asked.length - 1];
    if (!answer) throw new Error("asked too often");
    return answer(bytes);
  };
  const connection = { hosts: ["one.example", "two.example"], auth: "a+b/c" };
  const file = { path, kind: "image", mimeType: "image/png", connection } as const;
  return uploadFile({ ...file, fetch, now: 1_700_000_000_999, signal, ...more });
}

test("a file is sent as WhatsApp's own page sends it, and given up with its signal", async () => {
  const asking: (RequestInit | undefined)[] = [];
  const fetch: Fetch = async (_, init) => {
    asking.push(init);
    return taken();
  };
  await upload([], { fetch });
  expect(asking[0]?.method).toBe("POST");
  expect(Object.fromEntries(new Headers(asking[0]?.headers))).toEqual({
    "content-type": "application/octet-stream",
    origin: "https://web.whatsapp.com",
  });
  expect(asking[0]?.signal).toBe(signal);
});

test("a file lies where the server says, under its own hash, with what opens and proves it", async () => {
  let stored: Buffer = Buffer.alloc(0);
  const file = await upload([
    async (body) => {
      stored = body;
      return taken();
    },
  ]);
  const sha = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();
  expect(file).toMatchObject({
    url: "https://mmg.whatsapp.net/f",
    directPath: "/f?token=1",
    fileLength: 7,
    fileSha256: sha("content"),
    fileEncSha256: sha(stored),
    mediaKeyTimestamp: 1_700_000_000,
  });
  const token = sha(stored).toString("base64url");
  expect(asked.map(({ host, pathname }) => [host, pathname])).toEqual([
    ["one.example", `/mms/image/${token}`],
  ]);
  expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({ auth: "a+b/c", token });
});

test.each<[string, () => Promise<Response>]>([
  ["refuses", async () => new Response("{}", { status: 500 })],
  ["refuses with an address", async () => new Response((await taken()).body, { status: 403 })],
  ["answers something else", async () => Response.json({ error: "no" })],
  ["answers no JSON", async () => new Response("<html>")],
  ["answers without end", async () => new Response("x".repeat(70_000))],
  [
    "is not there",
    async () => {
      throw new Error("unreachable");
    },
  ],
])(
  "where one media server %s, the next is asked; where all do, it can be tried again",
  async (_, refuse) => {
    expect((await upload([refuse, taken])).directPath).toBe("/f?token=1");
    expect(asked.map(({ host }) => host)).toEqual(["one.example", "two.example"]);
    asked = [];
    await expect(upload([refuse, refuse])).rejects.toMatchObject({ name: "UploadFailed" });
  },
);

test("given up, no further server is asked", async () => {
  const stop = new AbortController();
  ({ signal } = stop);
  const hang = async () => {
    stop.abort(new Error("stopping"));
    throw new Error("aborted");
  };
  await expect(upload([hang, taken])).rejects.toThrow("stopping");
  expect(asked).toHaveLength(1);
});

test.skipIf(!existsSync("/proc/self/fd"))(
  "a server that refuses before it has read the file leaves it closed",
  async () => {
    truncateSync(path, 1024 * 1024);
    const opened = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(join("/proc/self/fd", fd)) === path;
        } catch {
          return false;
        }
      });
    const fetch: Fetch = async (_, init) => {
      if (!(init?.body instanceof ReadableStream)) throw new Error("no stream");
      const reader = init.body.getReader();
      await reader.read();
      expect(opened()).toHaveLength(1);
      await reader.cancel();
      return new Response("{}", { status: 413 });
    };
    await expect(upload([], { fetch })).rejects.toMatchObject({ name: "UploadFailed" });
    // A file is closed in its own time.
    while (opened().length > 0) await new Promise((resolve) => setImmediate(resolve));
  },
);

test("what is missing, empty or too large is not sent at all; what is just small enough is", async () => {
  const upTo = (bytes: number) => truncateSync(path, bytes);
  const sticker = { kind: "sticker", mimeType: "image/webp" };
  upTo(mediaLimits.sticker);
  expect((await upload([taken], sticker)).fileLength).toBe(mediaLimits.sticker);
  asked = [];
  upTo(mediaLimits.sticker + 1);
  await expect(upload([], sticker)).rejects.toMatchObject({ code: "file_too_large" });
  upTo(0);
  await expect(upload([])).rejects.toMatchObject({ code: "file_empty" });
  rmSync(path);
  await expect(upload([])).rejects.toMatchObject({ code: "file_missing" });
  await expect(upload([], { path: folder })).rejects.toMatchObject({ code: "file_missing" });
  expect(asked).toEqual([]);
});

test.each([
  ["document", "application/x-anything"],
  ["sticker", "image/webp"],
  ["audio", "audio/ogg"],
  ["video", "video/mp4"],
])("as %s, %s is sent", async (kind, mimeType) => {
  expect((await upload([taken], { kind, mimeType })).fileLength).toBe(7);
});
