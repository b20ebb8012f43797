import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

test("finishing does at once what was begun; the system's late answer belongs to nothing after it", () => {
  const answers: (() => void)[] = [];
  const sync = new FileSync(path, {
    begin: (_, answer) => answers.push(() => answer(null)),
    wait: () => {},
  });
  const heard: string[] = [];
  sync.begin(() => heard.push("first"));
  sync.finish();
  expect(heard).toEqual(["first"]);
  sync.begin(() => heard.push("second"));
  answers.shift()?.();
  expect(heard).toEqual(["first"]);
  answers.shift()?.();
  expect(heard).toEqual(["first", "second"]);
  sync.begin(() => heard.push("third"));
  sync.finish();
  sync.close();
  expect(heard).toEqual(["first", "second", "third"]);
});

test("what the system still works on stays open for it", () => {
  const descriptors: number[] = [];
  const answers: (() => void)[] = [];
  const sync = new FileSync(path, {
    begin: (descriptor, answer) => {
      descriptors.push(descriptor);
      answers.push(() => answer(null));
    },
    wait: () => {},
  });
  sync.begin(() => {});
  sync.finish();
  sync.close();
  const size = () => fstatSync(descriptors[0] ?? -1).size;
  expect(size()).toBe(7);
  answers.shift()?.();
  expect(size).toThrow("EBADF");
});

const source = fileURLToPath(new URL("../../src/runtime/file-sync.ts", import.meta.url));
const run = (program: string) =>
  spawnSync(
    process.execPath,
    ["-e", `import { FileSync } from ${JSON.stringify(source)};${program}`],
    { cwd: folder, encoding: "utf8", timeout: 10_000 },
  );
const makePipe = () => expect(spawnSync("mkfifo", [join(folder, "pipe")]).status).toBe(0);

test("where other work holds all threads beside the event loop, it is waited for in it after a second", () => {
  makePipe();
  const { stdout } = run(`
    import { readFile } from "node:fs/promises";
    for (let reader = 0; reader < 200; reader++) readFile("pipe");
    const sync = new FileSync("file");
    const began = performance.now();
    sync.begin(() => {
      console.log(performance.now() - began);
      process.exit();
    });`);
  const took = Number(stdout || Infinity);
  expect(took).toBeGreaterThan(900);
  expect(took).toBeLessThan(3000);
});

test("what is done is waited for no more", () => {
  const { stdout } = run(`
    process.on("exit", () => console.log(performance.now() - began));
    const sync = new FileSync("file");
    const began = performance.now();
    sync.begin(() => {});`);
  expect(Number(stdout || Infinity)).toBeLessThan(900);
});

describe("where the disk fails", () => {
  /** A pipe can be opened, and synced by no system. */
  const program = (body: string, system = "undefined") => `
    process.on("uncaughtException", (error) => {
      console.log("uncaught: " + error.message);
      process.exit(7);
    });
    const sync = new FileSync("pipe", ${system});
    const finish = () => {
      try {
        sync.finish();
      } catch {
        console.log("caught");
      }
    };
    ${body}
    setInterval(() => {}, 1000);`;
  const begin = 'sync.begin(() => console.log("done"));';

  test.each([
    ["beside the event loop", begin, ""],
    ["where it is waited for", `${begin} finish();`, "caught\n"],
  ])("nothing is done and the process ends, %s", (_, body, before) => {
    makePipe();
    const { stdout, status } = run(program(body));
    expect(stdout).toStartWith(
      `${before}uncaught: the disk did not confirm what was written to pipe (EINVAL`,
    );
    expect(status).toBe(7);
  });

  /** As Linux does: it tells each descriptor once what it could not write, and then that all is well. */
  const forgetful = `(() => {
    const told = new Set();
    const answer = (fd) => {
      if (told.has(fd)) return null;
      told.add(fd);
      return new Error("EIO");
    };
    return {
      begin: (fd, done) => void setTimeout(done, 50, answer(fd)),
      wait: (fd) => {
        const error = answer(fd);
        if (error) throw error;
      },
    };
  })()`;

  test("nothing is done either where only the call beside the event loop hears of it", () => {
    makePipe();
    const { stdout } = run(
      program(begin, '{ begin: (_, done) => done(new Error("EIO")), wait() {} }'),
    );
    expect(stdout).toStartWith("uncaught: the disk did not confirm");
  });

  test.each([
    ["who waits for it hears of it as well", `${begin} finish();`, "caught\n"],
    [
      "nobody hears afterwards that all is well",
      `finish(); ${begin} finish();`,
      "caught\ncaught\n",
    ],
  ])("and the system says so once, %s", (_, body, before) => {
    makePipe();
    const { stdout } = run(program(body, forgetful));
    expect(stdout).toStartWith(`${before}uncaught: the disk did not confirm`);
  });
});
