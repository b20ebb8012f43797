import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { lockFile } from "../../src/store/lock.ts";
import { temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "revka.db.lock");
});
afterEach(() => folder.remove());

const source = join(import.meta.dir, "../../src/store/lock.ts");

/** What another process is told that asks for the lock, and then is gone without a word, as after a kill. */
function another(): string {
  const program = `
    const { lockFile } = await import(${JSON.stringify(source)});
    try {
      lockFile(${JSON.stringify(path)});
      console.log("got it");
      process.kill(process.pid, "SIGKILL");
    } catch (error) {
      console.log(error.problem);
    }`;
  return spawnSync(process.execPath, ["-e", program], { encoding: "utf8" }).stdout.trim();
}

test("a lock is one process's, and free once that has let go of it or was killed", () => {
  const lock = lockFile(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(another()).toBe("busy");
  lock.release();
  expect(another()).toBe("got it");
  expect(another()).toBe("got it");
  lockFile(path).release();
});

test("a second try of the process that holds it is refused, and takes it from nobody", () => {
  const lock = lockFile(path);
  expect(() => lockFile(path)).toThrow("another process holds it");
  expect(another()).toBe("busy");
  lock.release();
});
