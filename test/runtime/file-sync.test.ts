import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileSync } from "../../src/runtime/file-sync.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-sync-"));
  path = join(folder, "file");
  writeFileSync(path, "written");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what was begun is done later, and once", async () => {
  const sync = new FileSync(path);
  let done = 0;
  const first = new Promise<void>((resolve) =>
    sync.begin(() => {
      done++;
      resolve();
    }),
  );
  expect(done).toBe(0);
  await first;
  expect(done).toBe(1);
  sync.finish();
  sync.close();
  expect(done).toBe(1);
});

test("finishing does at once what was begun; the system's late answer belongs to nothing after it", async () => {
  const sync = new FileSync(path);
  const heard: string[] = [];
  sync.begin(() => heard.push("first"));
  sync.finish();
  expect(heard).toEqual(["first"]);
  await new Promise<void>((resolve) =>
    sync.begin(() => {
      heard.push("second");
      resolve();
    }),
  );
  sync.begin(() => heard.push("third"));
  sync.finish();
  sync.close();
  expect(heard).toEqual(["first", "second", "third"]);
});

describe("where the disk fails", () => {
  const source = fileURLToPath(new URL("../../src/runtime/file-sync.ts", import.meta.url));
  /** A pipe can be opened, and synced by no system. */
  const program = (body: string) => `
    import { FileSync } from ${JSON.stringify(source)};
    process.on("uncaughtException", (error) => {
      console.log("uncaught: " + error.message);
      process.exit(7);
    });
    const sync = new FileSync("pipe");
    ${body}
    setInterval(() => {}, 1000);`;

  test.each([
    ["beside the event loop", 'sync.begin(() => console.log("done"));', ""],
    [
      "where it is waited for",
      'try { sync.begin(() => console.log("done")); sync.finish(); } catch (error) { console.log("caught"); }',
      "caught\n",
    ],
  ])("nothing is done and the process ends, %s", (_, body, before) => {
    expect(spawnSync("mkfifo", [join(folder, "pipe")]).status).toBe(0);
    const run = spawnSync(process.execPath, ["-e", program(body)], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(run.stdout).toStartWith(
      `${before}uncaught: the disk did not confirm what was written to pipe (EINVAL`,
    );
    expect(run.status).toBe(7);
  });
});
