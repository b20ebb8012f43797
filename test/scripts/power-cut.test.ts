import { describe, expect, test } from "bun:test";
import { fileCalls, type FileCall } from "../../scripts/torture/file-calls.ts";
import { afterPowerCut } from "../../scripts/torture/power-cut.ts";
import { seededRandom } from "../../src/simulator/graph/random.ts";

const folder = "/home";
const db = `${folder}/revka.db`;
const wal = `${db}-wal`;
const hex = (text: string) =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
const on = (path: string) => `<${hex(path)}>`;
/** Lines of a trace, as strace writes them with -xx: what stands in `…` or "…" is given in letters. */
const trace = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .trim()
        .replaceAll(/<(\/[^>]*)>/g, (_, path: string) => on(path))
        .replaceAll(/"([^"]*)"/g, (_, bytes: string) => `"${hex(bytes)}"`),
    );
const calls = (text: string) =>
  fileCalls(trace(text), (path) => path === folder || path.startsWith(db));

describe("of a trace are read", () => {
  const write = (bytes: string, at: number) => ({
    kind: "write" as const,
    path: wal,
    at,
    bytes: Buffer.from(bytes),
  });
  const cases: [string, string, FileCall[]][] = [
    [
      "calls on the store, and no others",
      `7  openat(AT_FDCWD</home>, "${wal}", O_RDWR|O_CREAT|O_NOFOLLOW|O_CLOEXEC, 0600) = 7<${wal}>
       7  openat(AT_FDCWD</home>, "${db}", O_RDWR|O_CLOEXEC) = 8<${db}>
       7  pwrite64(7<${wal}>, "abc", 3, 32) = 3
       7  write(2<pipe:[1]>, "abc", 3) = 3
       7  pwritev(9</other/revka.db>, [{iov_base="abc", iov_len=3}], 1, 0) = 3
       7  fdatasync(7<${wal}>) = 0 (DELAYED)
       7  ftruncate(7<${wal}>, 12) = 0
       7  unlink("${wal}") = 0
       7  rename("${db}", "${db}.damaged") = 0
       7  fsync(9</home>) = 0`,
      [
        { kind: "make", path: wal, began: 0, ended: 0 },
        { ...write("abc", 32), began: 2, ended: 2 },
        { kind: "sync", path: wal, worked: true, began: 5, ended: 5 },
        { kind: "truncate", path: wal, size: 12, began: 6, ended: 6 },
        { kind: "remove", path: wal, began: 7, ended: 7 },
        { kind: "rename", path: db, to: `${db}.damaged`, began: 8, ended: 8 },
        { kind: "sync", path: folder, worked: true, began: 9, ended: 9 },
      ],
    ],
    [
      "calls of several threads that overlap",
      `7  pwrite64(7<${wal}>, "abc", 3, 0 <unfinished ...>
       8  fdatasync(9<${wal}> <unfinished ...>
       7  <... pwrite64 resumed>) = 3
       7  openat(AT_FDCWD</home>, "${wal}",  <unfinished ...>
       8  <... fdatasync resumed>) = 0
       7  <... openat resumed>O_RDWR|O_CREAT, 0600) = 7<${wal}>`,
      [
        { ...write("abc", 0), began: 0, ended: 2 },
        { kind: "sync", path: wal, worked: true, began: 1, ended: 4 },
        { kind: "make", path: wal, began: 3, ended: 5 },
      ],
    ],
    [
      "what never returned, as of the end of the process, but no sync of that kind",
      `7  pwrite64(7<${wal}>, "abc", 3, 0 <unfinished ...>
       8  fdatasync(9<${wal}> <unfinished ...>
       9  fsync(9<${wal}>) = ?
       6  pwrite64(7<${wal}>, "d", 1, 3 <unfinished ...>) = ?
       7  <... pwrite64 resumed> <unfinished ...>) = ?
       8  +++ killed by SIGKILL +++
       7  +++ killed by SIGKILL +++`,
      [
        { ...write("abc", 0), began: 0, ended: 7 },
        { ...write("d", 3), began: 3, ended: 7 },
      ],
    ],
    [
      "as much as was written, and nothing of a call that failed",
      `7  pwrite64(7<${wal}>, "abc", 3, 0) = 2
       7  pwrite64(7<${wal}>, "abc", 3, 0) = -1 ENOSPC (No space left on device)
       7  ftruncate(7<${wal}>, 0) = -1 EIO (Input/output error)
       7  fdatasync(7<${wal}>) = -1 EIO (Input/output error) (INJECTED)`,
      [
        { ...write("ab", 0), began: 0, ended: 0 },
        { kind: "sync", path: wal, worked: false, began: 3, ended: 3 },
      ],
    ],
    [
      "a new file that is written from its beginning to its end, and a second name for it",
      `7  openat(AT_FDCWD</home>, "${db}.new", O_WRONLY|O_CREAT|O_EXCL|O_TRUNC, 0600) = 7<${db}.new>
       7  write(7<${db}.new>, "abc", 3) = 2
       7  write(7<${db}.new>, "c", 1) = -1 ENOSPC (No space left on device)
       7  link("${db}.new", "${db}.key") = 0
       7  linkat(AT_FDCWD</home>, "${db}.new", AT_FDCWD</home>, "${db}.key", 0) = -1 EEXIST (File exists)`,
      [
        { kind: "make", path: `${db}.new`, began: 0, ended: 0 },
        { kind: "append", path: `${db}.new`, bytes: Buffer.from("ab"), began: 1, ended: 1 },
        { kind: "link", path: `${db}.new`, to: `${db}.key`, began: 3, ended: 3 },
      ],
    ],
    [
      "no calls on a file that is removed, under whose name another may be",
      `7  fsync(7<${wal}>(deleted)) = 0
       7  pwrite64(7<${wal}>(deleted), "abc", 3, 0) = 3`,
      [],
    ],
  ];
  test.each(cases)("%s", (_, text, seen) => expect(calls(text)).toEqual(seen));

  test.each([
    `7  write(7<${wal}>, "abc"..., 9999) = 9999`,
    `7  copy_file_range(7</other>, NULL, 8<${wal}>, NULL, 3, 0) = 3`,
    `7  truncate("${wal}", 0) = 0`,
    `7  pwrite64(7<${wal}>, "abc"..., 9999, 0) = 9999`,
    `7  openat(AT_FDCWD</home>, "${wal}", O_RDWR|O_CREAT|O_TRUNC, 0600) = 7<${wal}>`,
  ])("nothing wrong: %s", (line) => expect(() => calls(line)).toThrow("not understood"));
});

/** What may be left of `wal`, in the order of the alphabet; "-" where there is no such file. */
function remains(text: string, before: Record<string, string> = { [wal]: "....." }): string[] {
  const files = new Map(Object.entries(before).map(([path, held]) => [path, Buffer.from(held)]));
  const random = seededRandom(1);
  const seen = new Set<string>();
  for (let time = 0; time < 300; time++) {
    const left = afterPowerCut(files, calls(text), folder, random).files.get(wal);
    seen.add(left ? Buffer.from(left).toString().replaceAll("\0", "0") : "-");
  }
  return [...seen].sort();
}

describe("a power cut leaves", () => {
  const write = (bytes: string, at: number, fd = 7) =>
    `7 pwrite64(${fd}<${wal}>, "${bytes}", ${bytes.length}, ${at}) = ${bytes.length}\n`;
  const sync = (path = wal, result = "0") => `7 fdatasync(9<${path}>) = ${result}\n`;
  const failed = sync(wal, "-1 EIO (Input/output error)");
  const make = `7 openat(AT_FDCWD</home>, "${wal}", O_RDWR|O_CREAT, 0600) = 7<${wal}>\n`;
  const remove = `7 unlink("${wal}") = 0\n`;
  const cut = `7 ftruncate(7<${wal}>, 2) = 0\n`;
  const cases: [string, string, string[]][] = [
    ["what was synced, whichever descriptor that was on", write("ab", 0) + sync(), ["ab..."]],
    ["or not what was not", write("ab", 0), [".....", "ab..."]],
    ["or not what came after the sync", sync() + write("ab", 0), [".....", "ab..."]],
    ["or not what another file's sync is told of", write("ab", 0) + sync(db), [".....", "ab..."]],
    [
      "the later without the earlier",
      write("a", 0) + write("b", 1),
      [".....", ".b...", "a....", "ab..."],
    ],
    [
      "the synced below what is written over it",
      write("ab", 0) + sync() + write("c", 0),
      ["ab...", "cb..."],
    ],
    ["a file that grew, and zeros in it", write("ab", 5), [".....", ".....00", ".....ab"]],
    [
      "or not what a failed sync was told of, whatever the next one says",
      write("ab", 0) + failed + sync(),
      [".....", "ab..."],
    ],
    [
      "what is written again after that",
      write("ab", 0) + failed + write("cd", 0) + sync(),
      ["cd..."],
    ],
    ["what was synced before one failed", write("ab", 0) + sync() + failed, ["ab..."]],
    [
      "or not what a sync had begun before",
      `8 fdatasync(9<${wal}> <unfinished ...>\n${write("ab", 0)}8 <... fdatasync resumed>) = 0\n`,
      [".....", "ab..."],
    ],
    [
      "or not what had not returned when the sync began",
      `8 pwrite64(7<${wal}>, "ab", 2, 0 <unfinished ...>\n${sync()}8 <... pwrite64 resumed>) = 2\n`,
      [".....", "ab..."],
    ],
    [
      "or not what a sync that never returned was told of",
      `${write("ab", 0)}7 fsync(7<${wal}> <unfinished ...>\n`,
      [".....", "ab..."],
    ],
    ["a cut that was synced", cut + sync(), [".."]],
    ["or not one that was not", cut, ["..", "....."]],
    ["zeros where a cut file grows again", cut + write("a", 4) + sync(), ["..00a"]],
    ["a removed file, while its folder is not synced", remove, ["-", "....."]],
    ["none afterwards", remove + sync(folder), ["-"]],
    [
      "or a new one of that name, or the old one",
      remove + make + write("a", 0) + sync(),
      ["-", ".....", "a"],
    ],
    [
      "the new one when the folder is synced",
      remove + make + sync(folder) + write("a", 0) + sync(),
      ["a"],
    ],
  ];
  test.each(cases)("%s", (_, text, seen) => expect(remains(text)).toEqual(seen));

  const added = `${db}.new`;
  const add = (bytes: string) =>
    `7 write(7<${added}>, "${bytes}", ${bytes.length}) = ${bytes.length}\n`;
  const makeAdded = `7 openat(AT_FDCWD</home>, "${added}", O_WRONLY|O_CREAT|O_EXCL, 0600) = 7<${added}>\n`;
  const link = `7 link("${added}", "${wal}") = 0\n`;
  test.each<[string, string, string[]]>([
    [
      "all that was written to a new file before its sync, under both names of it",
      makeAdded + add("ab") + add("c") + sync(added) + link + sync(folder),
      ["abc"],
    ],
    [
      "or not what was written after it",
      makeAdded + add("ab") + sync(added) + add("c") + link + sync(folder),
      ["ab", "ab0", "abc"],
    ],
    [
      "or no second name, while its folder is not synced",
      makeAdded + add("ab") + sync(added) + link,
      ["-", "ab"],
    ],
  ])("%s", (_, text, seen) => expect(remains(text, {})).toEqual(seen));

  test("parts of a long write, at the borders of a disk's blocks", () => {
    const text = write("a".repeat(1_000), 100);
    const blocks = remains(text, { [wal]: ".".repeat(1_100) }).map((left) =>
      [left.slice(0, 100), left.slice(100, 512), left.slice(512, 1_024), left.slice(1_024)].map(
        (part) => [...new Set(part)].join(""),
      ),
    );
    expect(blocks).toContainEqual([".", "a", ".", "a"]);
    expect(blocks).toContainEqual([".", ".", "a", "."]);
    expect(blocks.flat().every((part) => part === "." || part === "a")).toBe(true);
  });

  test("what the next process synced, of one that was killed within a write, and what that wrote over it", () => {
    const watched = (path: string) => path === wal;
    const killed = trace(
      `7  pwrite64(7<${wal}>, "abc", 3, 0 <unfinished ...>\n7  +++ killed by SIGKILL +++`,
    );
    const next = trace(`${write("d", 1, 8)}${sync()}`);
    const both = [...fileCalls(killed, watched), ...fileCalls(next, watched, killed.length + 1)];
    const left = afterPowerCut(new Map([[wal, Buffer.from(".....")]]), both, folder, () => 0);
    expect(left).toEqual({
      files: new Map([[wal, new Uint8Array(Buffer.from("adc.."))]]),
      uncertain: 0,
    });
  });

  test("what it left when it comes again", () => {
    const random = seededRandom(3);
    const first = afterPowerCut(
      new Map(),
      calls(make + sync(folder) + write("ab", 0) + sync()),
      folder,
      random,
    );
    expect(first.uncertain).toBe(0);
    expect(afterPowerCut(first.files, [], folder, random)).toEqual(first);
  });

  test("nothing twice for one seed", () => {
    const text = write("a".repeat(20_000), 0);
    const of = (seed: number) =>
      afterPowerCut(new Map([[wal, new Uint8Array()]]), calls(text), folder, seededRandom(seed));
    expect(of(5)).toEqual(of(5));
    expect(of(5)).toMatchObject({ uncertain: 1 });
  });
});
