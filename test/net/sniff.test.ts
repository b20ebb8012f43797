import { expect, test } from "bun:test";
import type { MediaKind } from "../../src/channels/message.ts";
import { isText, looksOf, sniffMimeType, sniffStream, trueMimeType } from "../../src/net/sniff.ts";

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part),
    ),
  );

const samples: Record<string, Uint8Array> = {
  "image/jpeg": bytes([0xff, 0xd8, 0xff, 0xe0]),
  "image/png": bytes(
    [0x89],
    "PNG\r\n\x1a\n",
    [0, 0, 0, 13],
    "IHDR",
    Buffer.alloc(64).toJSON().data,
    "IDAT",
  ),
  "image/gif": bytes("GIF89a"),
  "image/webp": bytes("RIFF", [4, 0, 0, 0], "WEBPVP8 "),
  "application/pdf": bytes("%PDF-1.7\n"),
  "audio/ogg; codecs=opus": bytes(
    "OggS",
    Buffer.alloc(24).toJSON().data,
    "OpusHead",
    Buffer.alloc(30).toJSON().data,
  ),
  "audio/mpeg": bytes([0xff, 0xfb, 0x90, 0x64], Buffer.alloc(64).toJSON().data),
  "audio/x-m4a": bytes([0, 0, 0, 24], "ftypM4A ", Buffer.alloc(16).toJSON().data),
  "video/mp4": bytes([0, 0, 0, 24], "ftypmp42", Buffer.alloc(16).toJSON().data),
  "video/3gpp": bytes([0, 0, 0, 24], "ftyp3gp5", Buffer.alloc(16).toJSON().data),
  "audio/wav": bytes("RIFF", [4, 0, 0, 0], "WAVEfmt "),
  "audio/amr": bytes("#!AMR\n"),
};

test("files are known by their bytes", async () => {
  for (const [mimeType, sample] of Object.entries(samples)) {
    expect([mimeType, await sniffMimeType(sample)]).toEqual([mimeType, mimeType]);
  }
  expect(await sniffMimeType(bytes("<!DOCTYPE html><html>"))).toBeNull();
  expect(await sniffMimeType(new Uint8Array())).toBeNull();
});

test("a PDF may begin with something else; text that is called a PDF is text", async () => {
  expect(await sniffMimeType(bytes("\r\n", "%PDF-1.4\n"))).toBe("application/pdf");
  expect(trueMimeType("document", null, "application/pdf", "text")).toBe("text/plain");
  expect(trueMimeType("document", null, "text/csv", "text")).toBe("text/csv");
});

test("the bytes win over what was declared", () => {
  const cases: [MediaKind, string | null, string | null, string | null][] = [
    ["image", "image/png", "image/jpeg", "image/png"],
    ["image", null, "image/jpeg", "image/jpeg"],
    ["image", null, "text/plain", null],
    ["image", null, null, null],
    ["image", "application/pdf", "image/jpeg", null],
    ["image", "application/xml", "image/svg+xml", null],
    ["image", null, "image/svg+xml; charset=utf-16", null],
    ["sticker", "image/webp", null, "image/webp"],
    ["video", "video/mp4", null, "video/mp4"],
    ["video", "audio/mpeg", "video/mp4", null],
    ["audio", "audio/ogg; codecs=opus", "audio/ogg", "audio/ogg; codecs=opus"],
    ["audio", "video/mp4", "audio/mp4", "audio/mp4"],
    ["audio", "video/3gpp", null, "audio/3gpp"],
    ["audio", "video/x-matroska", "audio/ogg", null],
    ["sticker", null, "image/webp", "image/webp"],
    ["video", null, "audio/ogg", null],
    ["audio", null, "Audio/Ogg; codecs=opus", "audio/ogg"],
    ["audio", "application/ogg", "audio/ogg", "audio/ogg"],
    ["audio", "application/zip", "audio/ogg", null],
    ["document", "application/pdf", "text/plain", "application/pdf"],
    ["document", null, "text/csv; charset=utf-8", "text/csv"],
    ["document", null, null, "application/octet-stream"],
    ["document", null, "application/pdf", "application/octet-stream"],
    ["document", null, "image/png", "application/octet-stream"],
    ["document", null, "image/svg+xml", "image/svg+xml"],
    [
      "document",
      "application/zip",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    ["document", "application/zip", "text/plain", "application/zip"],
    ["document", "application/x-msdownload", "application/pdf", "application/x-msdownload"],
  ];
  for (const [kind, sniffed, declared, expected] of cases) {
    expect([kind, sniffed, declared, trueMimeType(kind, sniffed, declared)]).toEqual([
      kind,
      sniffed,
      declared,
      expected,
    ]);
  }
});

function stream(body: Uint8Array, step: number, onCancel = () => {}): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.subarray(at, at + step));
      at += step;
    },
    cancel: onCancel,
  });
}

test("a stream is handed on whole, however it is cut", async () => {
  const body = Buffer.concat([samples["image/png"] ?? Buffer.alloc(0), Buffer.alloc(20_000, 7)]);
  for (const step of [7, 4100, 50_000]) {
    const got = await sniffStream(stream(body, step), "image", "image/jpeg");
    expect(got.mimeType).toBe("image/png");
    expect(Buffer.from(await new Response(got.body).arrayBuffer()).equals(body)).toBe(true);
  }
});

test("an error page in place of a picture is refused and no longer read", async () => {
  let cancelled = false;
  const page = bytes("<html>".repeat(5000));
  const body = stream(page, 1000, () => (cancelled = true));
  await expect(sniffStream(body, "image", "image/jpeg")).rejects.toMatchObject({
    code: "media_type",
  });
  expect(cancelled).toBe(true);
});

test("bytes without a mark are what they were called, unless a page stands in their place", async () => {
  const unmarked = await sniffStream(stream(bytes("no mark at all"), 5), "audio", "audio/mpeg");
  expect(unmarked.mimeType).toBe("audio/mpeg");
  for (const page of ["", " \n<html>", '\ufeff{"error":"no"}', '[{"error":1}]', "<p>für"]) {
    expect([page, looksOf(Buffer.from(page))]).toEqual([page, "page"]);
    expect(trueMimeType("image", null, "image/jpeg", "page")).toBeNull();
  }
  expect(looksOf(Buffer.from("<p>für", "latin1"))).toBe("page");
  expect(looksOf(Buffer.from("name;price"))).toBe("text");
  expect(looksOf(Buffer.from([0x3c, 0, 1]))).toBe("bytes");
});

test.each([
  ["words", Buffer.from("name;price\r\n\tKäse\n"), true],
  ["a letter cut off at the end", Buffer.from("Käse").subarray(0, 2), true],
  ["nothing", Buffer.alloc(0), true],
  ["bytes", Buffer.from([0, 1, 2, 3]), false],
  ["another encoding", Buffer.from("Käse", "latin1"), false],
  ["UTF-16", Buffer.from("text", "utf16le"), false],
])("is it text? %s", (_, head, expected) => {
  expect(isText(head)).toBe(expected);
});
