import { describe, expect, test } from "bun:test";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileType, multipartFile } from "../../src/net/multipart.ts";
import { temporaryFolder } from "../support/store.ts";

test("a form is read back as it was meant, whatever its names hold, and its length is known", async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, "file");
  const bytes = Buffer.alloc(200_000, "Revka ");
  await writeFile(path, bytes);
  const file = await open(path);
  const name = `a"; name="target\r\n\r\nü.pdf`;
  const part = { file, size: bytes.length, name, mimeType: "application/pdf" };
  const { body, headers } = multipartFile({ target: "1555", caption: "grüß dich" }, part);
  const sent = await new Response(body).bytes();
  await file.close();
  expect(headers["content-length"]).toBe(String(sent.length));
  const form = await new Response(sent, { headers }).formData();
  expect([...form.keys()]).toEqual(["target", "caption", "file"]);
  expect([form.get("target"), form.get("caption")]).toEqual(["1555", "grüß dich"]);
  const got = form.get("file");
  if (!(got instanceof File)) throw new Error("no file");
  expect(got.type).toBe("application/pdf");
  expect(Buffer.from(await got.arrayBuffer())).toEqual(bytes);
  folder.remove();
});

describe("a file that changes while it is sent", () => {
  const form = async (text: string, size: number) => {
    const folder = temporaryFolder();
    const path = join(folder.path, "file");
    await writeFile(path, text);
    const file = await open(path);
    const { body, headers } = multipartFile({}, { file, size, name: "f", mimeType: "text/plain" });
    try {
      return { sent: await new Response(body).bytes(), headers };
    } finally {
      await file.close();
      folder.remove();
    }
  };

  test("grown, it is sent as long as it was said to be", async () => {
    const { sent, headers } = await form("as it was".repeat(30_000), 9 * 20_000);
    expect(headers["content-length"]).toBe(String(sent.length));
    const got = (await new Response(sent, { headers }).formData()).get("file");
    expect(got instanceof File && (await got.text())).toBe("as it was".repeat(20_000));
  });

  test("shortened, it is not sent as if it were whole", async () => {
    await expect(form("as it", 9)).rejects.toThrow("became shorter");
  });
});

test("a media type is one that a header can hold", () => {
  expect(fileType("audio/ogg; codecs=opus")).toBe("audio/ogg");
  expect(fileType("text/plain\r\nx: y")).toBe("application/octet-stream");
});
