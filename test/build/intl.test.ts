import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { bundledFiles } from "../../scripts/build/bundled-files.ts";
import { hostTarget } from "../../scripts/build/target.ts";
import { binary, root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

const asks = join(import.meta.dir, "intl-asks.ts");

async function answersOf(file: string, env: Record<string, string>) {
  // Makes a compiled executable the runtime that it was made of.
  const run = await runAlone([file, asks], { env: { ...env, BUN_BE_BUN: "1" } });
  expect(run).toMatchObject({ code: 0, err: "" });
  return v.parse(v.record(v.string(), v.unknown()), JSON.parse(run.out));
}

describe.skipIf(!hostTarget().startsWith("linux-"))(
  "without the ICU data that nothing asks for (needs linux)",
  () => {
    test.each([
      {},
      { LANG: "C", TZ: "UTC" },
      { LANG: "en_US.UTF-8", TZ: "Europe/Berlin" },
      { LC_ALL: "de_DE.UTF-8", TZ: "Europe/Berlin" },
      { LC_ALL: "tr_TR.UTF-8" },
      { LC_ALL: "zh_CN.UTF-8", TZ: "Asia/Tokyo" },
      { LC_ALL: "ar_EG.UTF-8" },
      { LC_ALL: "th_TH.UTF-8", TZ: "Not/There" },
    ])(
      "an executable answers as the runtime does, with %j",
      async (env) => {
        const [expected, answers] = await Promise.all([
          answersOf(process.execPath, env),
          answersOf(await binary("default"), env),
        ]);
        expect(Object.keys(answers)).toEqual(Object.keys(expected));
        for (const [question, answer] of Object.entries(answers)) {
          const same = Bun.deepEquals(answer, expected[question]);
          // Names that are left out differ, or this would be the runtime as it came.
          const wanted = !question.startsWith("left out");
          expect({ question, answer, same }).toEqual({ question, answer, same: wanted });
          expect(String(answer).startsWith("throws")).toBe(
            String(expected[question]).startsWith("throws"),
          );
        }
      },
      30_000,
    );
  },
);

/** What asks for names, dates or numbers as a language has them. What a person reads is in English, and made by hand. */
const asksForNames =
  /\.toLocale(Date|Time)?String\b|\bIntl\s*\.\s*(?!Segmenter\b|Collator\b)\w+|\bIntl\s*\[/;
const asksForWords = /\bgranularity:\s*["']word/;
const withoutComments = (source: string) => source.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");

const asking = (files: string[], what: RegExp) =>
  files.filter((file) => what.test(withoutComments(readFileSync(join(root, file), "utf8"))));

describe("nothing asks for the ICU data that are left out", () => {
  test.each([true, false])("in an executable (with WhatsApp Web: %p)", async (web) => {
    const files = await bundledFiles(root, { REVKA_WHATSAPP_WEB: String(web) });
    expect(asking(files, asksForNames)).toEqual([]);
    // Of valibot that part is not bundled.
    expect(asking(files, asksForWords)).toEqual(["node_modules/valibot/dist/index.mjs"]);
  });

  test("in src/", () => {
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => join("src", file));
    expect(asking(files, asksForNames)).toEqual([]);
    expect(asking(files, asksForWords)).toEqual([]);
  });

  test.each([
    ["when.toLocaleString()", true],
    ["when.toLocaleDateString('en')", true],
    ["new Intl.DateTimeFormat()", true],
    ['Intl["DisplayNames"]', true],
    ["new Intl.Segmenter()", false],
    ["name.toLocaleLowerCase()", false],
    ["// Intl.NumberFormat is not here", false],
  ])("%j", (source, found) => {
    expect(asksForNames.test(withoutComments(source))).toBe(found);
  });
});
