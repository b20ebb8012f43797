import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import {
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveStream } from "../../src/net/save.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "revka-save-"));
});
afterEach(() => rm(folder, { recursive: true }));

const chunks = (...parts: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });

test("a stream becomes a file of the owner alone", async () => {
  const path = join(folder, "file");
  expect(await saveStream(chunks("one ", "two"), path, { maxBytes: 7 })).toBe(7);
  expect(await readFile(path, "utf8")).toBe("one two");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["file"]);
});

test("it is on disk before it is called saved, its bytes before its name", async () => {
  const probe = await open(folder);
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const names: string[][] = [];
  const sync = spyOn(handles, "sync").mockImplementation(async () => {
    names.push(readdirSync(folder));
  });
  await saveStream(chunks("one"), join(folder, "file"), { maxBytes: 9 });
  sync.mockRestore();
  expect(names).toEqual([[expect.stringMatching(/^file\..+\.part$/)], ["file"]]);
});

test("a file that is there is replaced only by a whole one", async () => {
  const path = join(folder, "file");
  await writeFile(path, "old");
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(3));
      controller.error(new Error("broke off"));
    },
  });
  await expect(saveStream(broken, path, { maxBytes: 100 })).rejects.toThrow("broke off");
  expect(await readFile(path, "utf8")).toBe("old");
  await saveStream(chunks("new"), path, { maxBytes: 100 });
  expect(await readFile(path, "utf8")).toBe("new");
  expect(await readdir(folder)).toEqual(["file"]);
});

test("too much leaves nothing and stops the source", async () => {
  let stopped = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(64)),
    cancel: () => {
      stopped = true;
    },
  });
  await expect(saveStream(endless, join(folder, "file"), { maxBytes: 1000 })).rejects.toMatchObject(
    {
      code: "too_large",
    },
  );
  expect(stopped).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test("a folder that is missing is said so", async () => {
  await expect(
    saveStream(chunks("x"), join(folder, "no", "file"), { maxBytes: 9 }),
  ).rejects.toMatchObject({
    code: "ENOENT",
  });
});

test.skipIf(!existsSync("/proc/self/fd"))("no file stays open, saved or not", async () => {
  const opened = () => readdirSync("/proc/self/fd").length;
  const save = (text: string, to = "file") =>
    saveStream(chunks(text), join(folder, to), { maxBytes: 3 }).catch(() => null);
  await save("one");
  const before = opened();
  for (let count = 0; count < 10; count++) {
    await save("one");
    await save("more");
    await save("one", "no/file");
  }
  expect(opened()).toBeLessThan(before + 10);
});
