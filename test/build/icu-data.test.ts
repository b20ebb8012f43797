import { describe, expect, test } from "bun:test";
import { isLeftOut, withoutUnusedIcuData } from "../../scripts/build/icu-data.ts";

const before = Buffer.from("the runtime, which speaks of CmnD too ".padEnd(64, "."));
const after = Buffer.from("the rest of it");
const header = Buffer.alloc(32);
header.writeUInt16LE(header.length);
header.set([0xda, 0x27], 2);
header.write("CmnD", 12);
header.writeUInt8(1, 16);

const folders = ["curr", "lang", "region", "unit", "zone"];
/** In order. The last is of a language, as in the real ones. */
const names = [
  ...["brkitr/char.brk", "brkitr/root.res", "brkitr/thaidict.dict"],
  ...["coll/de.res", "coll/root.res", "coll/ucadata.icu"],
  ...["de.res", "en.res", "nfkc.nrm", "nfkc_cf.nrm", "res_index.res", "root.res"],
  ...["supplementalData.res", "uts46.nrm", "zoneinfo64.res", "zu.res"],
  ...folders.flatMap((folder) =>
    ["de", "en", "en_GB", "enm", "pool", "res_index", "root"].map(
      (name) => `${folder}/${name}.res`,
    ),
  ),
].toSorted();

/** What an item holds: its own name, behind a header or as a frame, in one to four lines of 16 bytes. */
function contentOf(name: string): Buffer {
  const content = Buffer.alloc(16 * (1 + (name.length % 4)) + 16);
  if (name.length % 2 === 0) content.set([32, 0, 0xda, 0x27]);
  else content.set([0x28, 0xb5, 0x2f, 0xfd]);
  content.write(name, 4);
  return content;
}

interface Flaws {
  names?: string[];
  prefix?: string;
  /** Changes the archive from its table of contents on. */
  change?(archive: Buffer): void;
}

function executable({ names: items = names, prefix = "icudt78l", change }: Flaws = {}): Buffer {
  const texts = items.map((name) => Buffer.from(`${prefix}/${name}\0`));
  const table = Buffer.alloc(4 + 8 * items.length);
  table.writeUInt32LE(items.length);
  let at = table.length;
  for (const [index, text] of texts.entries()) {
    table.writeUInt32LE(at, 4 + 8 * index);
    at += text.length;
  }
  const gap = Buffer.alloc((16 - (at % 16)) % 16, 0xaa);
  at += gap.length;
  const contents = items.map(contentOf);
  for (const [index, content] of contents.entries()) {
    table.writeUInt32LE(at, 8 + 8 * index);
    at += content.length;
  }
  const archive = Buffer.concat([table, ...texts, gap, ...contents]);
  change?.(archive);
  return Buffer.concat([before, header, archive, after]);
}

const tableAt = before.length + header.length;

/** What ICU finds: it takes the next item's beginning for an item's end, and of the last it knows none. */
function found(file: Buffer): Map<string, Buffer> {
  const archive = file.subarray(tableAt);
  const count = archive.readUInt32LE();
  return new Map(
    Array.from({ length: count }, (_, index) => {
      const [nameAt, dataAt] = [4, 8].map((at) => archive.readUInt32LE(at + 8 * index));
      const end = index + 1 < count ? archive.readUInt32LE(16 + 8 * index) : archive.length;
      return [
        archive.toString("latin1", nameAt, archive.indexOf(0, nameAt)),
        archive.subarray(dataAt, end),
      ];
    }),
  );
}

describe("an executable without the ICU data that nothing asks for", () => {
  const whole = executable();
  const { at, bytes } = withoutUnusedIcuData(whole);
  const trimmed = Buffer.from(whole);
  bytes.copy(trimmed, at);

  test("keeps every other item, in order, with its content and length", () => {
    const kept = [...found(whole)].filter(([name]) => !isLeftOut(name.replace("icudt78l/", "")));
    expect([...found(trimmed)]).toEqual(kept);
    expect(kept.map(([name]) => name)).toContain("icudt78l/unit/en_GB.res");
  });

  test("holds nothing of what is left out, neither name nor content", () => {
    for (const name of ["curr/de.res", "zone/enm.res", "brkitr/thaidict.dict"]) {
      expect(whole.includes(name)).toBe(true);
      expect(trimmed.includes(name)).toBe(false);
    }
  });

  test("is the same around the archive", () => {
    const last = contentOf(names.at(-1) ?? "").length + after.length;
    expect({ at, end: at + bytes.length }).toEqual({ at: tableAt, end: whole.length - last });
  });

  test("leaves what it is made of as it was, and depends on it alone", () => {
    expect(whole.equals(executable())).toBe(true);
    expect(withoutUnusedIcuData(whole)).toEqual({ at, bytes });
  });

  test("is not made twice", () => {
    expect(() => withoutUnusedIcuData(trimmed)).toThrow("not laid out as expected");
  });
});

/** Writes over the offset of an item: 4 for its name, 8 for its data. */
const move = (which: 4 | 8, index: number, by: number) => (archive: Buffer) => {
  const at = which + 8 * index;
  archive.writeUInt32LE(archive.readUInt32LE(at) + by, at);
};
const without = (name: string) => names.filter((one) => one !== name);

test.each<[what: string, file: Buffer, problem: string]>([
  ["no archive", Buffer.concat([before, after]), "0 archives"],
  ["two archives", Buffer.concat([executable(), executable()]), "2 archives"],
  [
    "another byte order",
    withByte(executable(), before.length + 8, 1),
    "a format that is not known here (1)",
  ],
  [
    "another format",
    withByte(executable(), before.length + 16, 2),
    "a format that is not known here (2)",
  ],
  ["nothing behind the header", executable().subarray(0, tableAt), "no table of 0 items"],
  ["a table that is cut", executable().subarray(0, tableAt + 100), `no table of ${names.length}`],
  ["names that are cut", executable().subarray(0, tableAt + 4 + 8 * names.length + 10), "no name"],
  ["data that are cut", executable().subarray(0, tableAt + 2000), "of no known kind"],
  ["a name of another archive", executable({ prefix: "other" }), "item 0 has no name"],
  ["a name elsewhere", executable({ change: move(4, 3, 1) }), "the name of item 3 does not follow"],
  [
    "names out of order",
    executable({ names: ["brkitr/root.res", ...without("brkitr/root.res")] }),
    "brkitr/char.brk is out of order",
  ],
  [
    "the same data twice",
    executable({ change: (archive) => archive.copy(archive, 16, 8, 12) }),
    "the data of brkitr/root.res are out of order",
  ],
  ["data between lines", executable({ change: move(8, 2, 4) }), "not aligned"],
  [
    "data among the names",
    executable({
      names: [...names, `zu_${"X".repeat(40)}.res`],
      change(archive) {
        const at = archive.indexOf("XXXX") + 15;
        archive.set([0x28, 0xb5, 0x2f, 0xfd], at - (at % 16));
        archive.writeUInt32LE(at - (at % 16), 8);
      },
    }),
    "before the names end",
  ],
  ["data of no kind", executable({ change: move(8, 2, 16) }), "of no known kind"],
  ["a missing item", executable({ names: without("uts46.nrm") }), "the ICU data lack uts46.nrm"],
  [
    "nothing to leave out",
    executable({ names: names.filter((name) => !isLeftOut(name)) }),
    "nothing to leave out",
  ],
])("is refused where there is %s", (_, file, problem) => {
  expect(() => withoutUnusedIcuData(file)).toThrow(problem);
});

function withByte(file: Buffer, at: number, byte: number): Buffer {
  file.writeUInt8(byte, at);
  return file;
}

test.each<[name: string, leftOut: boolean]>([
  ["curr/de.res", true],
  ["zone/zh_Hant_HK.res", true],
  ["unit/enm.res", true],
  ["brkitr/cjdict.dict", true],
  ["unit/en.res", false],
  ["region/en_150.res", false],
  ["lang/root.res", false],
  ["curr/supplementalData.res", false],
  ["zone/tzdbNames.res", false],
  ["de.res", false],
  ["coll/zh.res", false],
  ["brkitr/de.res", false],
  ["brkitr/line.brk", false],
  ["rbnf/es.res", false],
  ["zoneinfo64.res", false],
  ["nfc.nrm", false],
])("of the ICU data %s is left out: %p", (name, leftOut) => {
  expect(isLeftOut(name)).toBe(leftOut);
});
