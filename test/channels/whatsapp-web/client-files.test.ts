import { afterEach, beforeEach, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientHarness, delivery, toAda } from "./client-harness.ts";

let h: ReturnType<typeof clientHarness>;
beforeEach(() => (h = clientHarness()));
afterEach(() => h.stop());

const failure = (retry: string, code: string) => ({ ok: false, failure: { retry, code } });
const file = (media: "image" | "voice", mimeType: string) => {
  const path = join(h.folder, "file");
  writeFileSync(path, "content");
  const content = { kind: "media", media, path, mimeType } as const;
  return delivery(toAda, { ...content, filename: null, caption: null, durationSecs: null });
};

test("a file lies where its kind belongs; a voice note with the sounds", async () => {
  h.acknowledged();
  await h.send(file("image", "image/png"));
  await h.send({ ...file("voice", "audio/ogg"), id: "2" });
  const folders = h.world.uploads.map((path) => path.split("/").slice(0, 3).join("/"));
  expect(folders).toEqual(["/mms/image", "/mms/audio"]);
  const sent = h.relayed.map(({ message }) => message);
  expect(sent[0]?.imageMessage?.mimetype).toBe("image/png");
  expect(sent[1]?.audioMessage?.ptt).toBe(true);
});

test("a file may take longer than words, but not for ever", async () => {
  const uploading = Promise.withResolvers<void>();
  h.world.upload = () => {
    uploading.resolve();
    return new Promise(() => {});
  };
  let over = false;
  const sending = h.send(file("image", "image/png")).finally(() => (over = true));
  await uploading.promise;
  await h.clock.advance(164_999);
  expect(over).toBe(false);
  await h.clock.advance(1);
  expect(await sending).toMatchObject(failure("backoff", "timeout"));
});

test("a file that is gone fails for good; one that no server takes is tried again", async () => {
  h.world.upload = async () => {
    throw new Error("refused");
  };
  const wanted = file("image", "image/png");
  expect(await h.send(wanted)).toMatchObject(failure("backoff", "upload_failed"));
  rmSync(join(h.folder, "file"));
  expect(await h.send(wanted)).toMatchObject(failure("no", "file_missing"));
  expect(h.relayed).toEqual([]);
});

test("a file that nobody says where to lay is tried again", async () => {
  h.acknowledged();
  const { query } = h.sock;
  h.sock.query = () => Promise.reject(new Error("internal-server-error"));
  const wanted = file("image", "image/png");
  expect(await h.send(wanted)).toMatchObject(failure("backoff", "no_media_server"));
  expect(h.world.uploads).toEqual([]);
  h.sock.query = query;
  expect(await h.send(wanted)).toMatchObject({ ok: true });
});
