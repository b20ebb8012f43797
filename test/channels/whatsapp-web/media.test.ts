import { describe, expect, mock, test } from "bun:test";
import { createHash } from "node:crypto";
import { addressOf, openDownload } from "../../../src/channels/whatsapp-web/media-download.ts";
import { mediaKeys } from "../../../src/channels/whatsapp-web/media-keys.ts";
import { uploadFile } from "../../../src/channels/whatsapp-web/media-upload.ts";
import type { MediaReference } from "../../../src/channels/message.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

function streamOf(pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

describe("where a file is fetched from", () => {
  test.each<[string | null, string | null, string[], string]>([
    ["https://mmg.whatsapp.net/a", "/b?c=1", [], "https://mmg.whatsapp.net/b?c=1"],
    [
      "https://media-fra3-1.cdn.whatsapp.net/a",
      "/b",
      [],
      "https://media-fra3-1.cdn.whatsapp.net/b",
    ],
    ["https://mmg.whatsapp.net/a", null, [], "https://mmg.whatsapp.net/a"],
    [null, "/b", [], "https://mmg.whatsapp.net/b"],
    ["nonsense", "/b", [], "https://mmg.whatsapp.net/b"],
    [null, "/b", ["media.named.net:8443"], "https://media.named.net:8443/b"],
    ["https://169.254.169.254/a", "/b", [], "https://mmg.whatsapp.net/b"],
    ["https://web.whatsapp.net", "/b?c=1", [], "https://mmg.whatsapp.net/b?c=1"],
    ["https://web.whatsapp.net", "/b", ["media.named.net"], "https://media.named.net/b"],
    ["https://user:pass@mmg.whatsapp.net/a", "/b", [], "https://mmg.whatsapp.net/b"],
  ])("%p and %p", (url, directPath, hosts, expected) => {
    expect(addressOf({ url, directPath }, hosts).href).toBe(expected);
  });

  test.each<[string | null, string | null]>([
    ["https://169.254.169.254/latest", null],
    ["http://mmg.whatsapp.net/a", null],
    ["https://mmg.whatsapp.net.evil.org/a", null],
    ["https://evilwhatsapp.net/a", null],
    ["https://mmg.whatsapp.net:8443/a", null],
    ["https://user@mmg.whatsapp.net/a", null],
    ["https://:pass@mmg.whatsapp.net/a", null],
    ["file:///etc/passwd", null],
    ["https://web.whatsapp.net", null],
    [null, "//evil.org/a"],
    [null, "@evil.org/a"],
    [null, null],
  ])("nowhere for %p and %p", (url, directPath) => {
    expect(() => addressOf({ url, directPath }, [])).toThrow("does not lie with WhatsApp");
  });
});

describe("a file there and back", () => {
  const upload = async (plain: Buffer) => {
    const folder = mkdtempSync(join(tmpdir(), "revka-media-"));
    const path = join(folder, "file");
    writeFileSync(path, plain);
    let stored = Buffer.alloc(0);
    const file = await uploadFile({
      path,
      kind: "image",
      mimeType: "image/png",
      connection: { hosts: ["refuses.example", "mmg.whatsapp.net"], auth: "a&b" },
      fetch: async (url, init) => {
        if (String(url).includes("refuses")) return new Response("no", { status: 500 });
        expect(String(url)).toContain("auth=a%26b");
        stored = Buffer.from(await new Response(init?.body ?? null).arrayBuffer());
        return Response.json({ url: "https://mmg.whatsapp.net/f", direct_path: "/f" });
      },
      now: 1_700_000_000_000,
      signal: AbortSignal.timeout(1000),
    });
    rmSync(folder, { recursive: true });
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
    const reference: MediaReference = {
      kind: "image",
      mimeType: null,
      filename: null,
      size: plain.length,
      durationSecs: null,
      source: {
        kind: "image",
        url: file.url,
        directPath: file.directPath,
        mediaKey: base64(file.mediaKey),
        fileEncSha256: base64(file.fileEncSha256),
      },
    };
    return { stored, reference };
  };

  /** Serves the bytes in pieces of `size`. */
  const serve = async (reference: MediaReference, bytes: Buffer, size: number) => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const { body } = await openDownload(reference, {
      fetch: async () => new Response(streamOf(pieces)),
      signal: AbortSignal.timeout(1000),
      hosts: [],
    });
    return Buffer.from(await new Response(body).arrayBuffer());
  };

  test.each([1, 5, 16, 33, 1000])("in pieces of %i bytes", async (size) => {
    const plain = Buffer.from("some bytes that are no multiple of the block".repeat(3));
    const { stored, reference } = await upload(plain);
    expect(await serve(reference, stored, size)).toEqual(plain);
  });

  test("changed, cut off or empty, it is refused", async () => {
    const { stored, reference } = await upload(Buffer.alloc(100, 7));
    const changed = Buffer.from(stored);
    changed[50] = (changed[50] ?? 0) ^ 1;
    await expect(serve(reference, changed, 64)).rejects.toThrow("not what its sender sent");
    await expect(serve(reference, stored.subarray(0, 90), 64)).rejects.toThrow();
    await expect(serve(reference, Buffer.alloc(1), 64)).rejects.toThrow("cut off");
  });

  test("MAC and hash must both be right; the hash may be missing", async () => {
    const { stored, reference } = await upload(Buffer.alloc(100, 7));
    const hashed = (bytes: Uint8Array | null) => ({
      ...reference,
      source: {
        ...reference.source,
        fileEncSha256: bytes && createHash("sha256").update(bytes).digest("base64"),
      },
    });
    expect(await serve(hashed(null), stored, 64)).toHaveLength(100);
    const changed = Buffer.from(stored);
    changed[50] = (changed[50] ?? 0) ^ 1;
    for (const [bytes, hash] of [
      [stored, changed],
      [changed, changed],
      [changed, null],
    ] as const) {
      await expect(serve(hashed(hash), bytes, 64)).rejects.toThrow("not what its sender sent");
    }
  });

  test("without its key, or elsewhere, it is not fetched", async () => {
    const { reference } = await upload(Buffer.alloc(5, 1));
    for (const changed of [
      { mediaKey: null },
      { kind: "call" },
      { url: "https://evil.example/f", directPath: null },
    ]) {
      const fetch = mock(async () => new Response("x"));
      const source = { ...reference.source, ...changed };
      const options = { fetch, signal: AbortSignal.timeout(1000), hosts: [] };
      const opened = openDownload({ ...reference, source }, options);
      await expect(opened).rejects.toMatchObject({ name: "MediaUnavailable" });
      expect(fetch).not.toHaveBeenCalled();
    }
  });

  test("a redirect is followed nowhere, and a stop ends the request", async () => {
    const { reference } = await upload(Buffer.alloc(5, 1));
    const fetch = mock<Fetch>(async () => new Response("", { status: 500 }));
    const { signal } = new AbortController();
    await openDownload(reference, { fetch, signal, hosts: [] }).catch(() => {});
    expect(fetch.mock.lastCall?.[1]).toMatchObject({ redirect: "error" });
    expect(fetch.mock.lastCall?.[1]?.signal).toBe(signal);
  });

  test("gone is told from refused, and both from what may pass", async () => {
    const { reference } = await upload(Buffer.alloc(5, 1));
    const answering = (status: number) =>
      openDownload(reference, {
        fetch: async () => new Response("", { status }),
        signal: AbortSignal.timeout(1000),
        hosts: [],
      });
    for (const status of [404, 410]) {
      const message = `WhatsApp no longer has the file (${status})`;
      await expect(answering(status)).rejects.toMatchObject({ message, gone: true });
    }
    await expect(answering(403)).rejects.toMatchObject({
      message: "WhatsApp's media server answered 403",
      gone: true,
    });
    await expect(answering(400)).rejects.toMatchObject({
      message: "WhatsApp's media server answered 400",
      gone: false,
    });
    await expect(answering(503)).rejects.toMatchObject({ mayPass: true, status: 503 });
  });

  test("a connection that breaks may stand another time, one that was given up is not tried again", async () => {
    const { stored, reference } = await upload(Buffer.alloc(64, 1));
    const reset = Object.assign(new Error("to https://mmg.whatsapp.net/f?secret"), {
      code: "ECONNRESET",
    });
    const opening = (fetch: Fetch, signal = new AbortController().signal) =>
      openDownload(reference, { fetch, signal, hosts: [] });
    const why = {
      mayPass: true,
      message: "WhatsApp's media server could not be read: ECONNRESET",
    };
    await expect(opening(() => Promise.reject(reset))).rejects.toMatchObject(why);
    const halfway = async () => {
      const parts = [stored.subarray(0, 40)];
      const body = new ReadableStream({
        pull(controller) {
          const part = parts.shift();
          if (part) controller.enqueue(new Uint8Array(part));
          else controller.error(reset);
        },
      });
      return new Response(body);
    };
    const { body } = await opening(halfway);
    await expect(new Response(body).bytes()).rejects.toMatchObject(why);
    const stop = AbortSignal.abort(new Error("the daemon is stopping"));
    await expect(opening(() => Promise.reject(reset), stop)).rejects.toThrow("is stopping");
  });
});

test.each([
  ["image", "application/pdf"],
  ["sticker", "text/plain"],
  ["audio", "video/mp4"],
] as const)("what is sent as %s must be such: %s is not uploaded", async (kind, mimeType) => {
  const upload = uploadFile({
    path: import.meta.path,
    kind,
    mimeType,
    connection: { hosts: ["mmg.whatsapp.net"], auth: "a" },
    fetch: async () => Response.json({ url: "https://mmg.whatsapp.net/f", direct_path: "/f" }),
    now: 1_700_000_000_000,
    signal: AbortSignal.timeout(1000),
  });
  await expect(upload).rejects.toMatchObject({ code: "file_type" });
});

test("the keys differ by the kind of file", () => {
  const key = Buffer.alloc(32, 1);
  expect(mediaKeys(key, "image").cipherKey).not.toEqual(mediaKeys(key, "audio").cipherKey);
  expect(mediaKeys(key, "image").cipherKey).toEqual(mediaKeys(key, "sticker").cipherKey);
});
