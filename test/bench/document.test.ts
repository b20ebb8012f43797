import { expect, test } from "bun:test";
import { replaceSection } from "../../scripts/bench/document.ts";
import { meets } from "../../scripts/bench/section.ts";
import { markdownTable } from "../../scripts/bench/table.ts";

test("a run replaces its own words and leaves those around it", () => {
  const first = replaceSection("# Performance\n", "size", "10 MB");
  const commented = first.replace("## size\n", "## size\n\nWhat we found.\n") + "\nThe end.\n";
  const again = replaceSection(commented, "size", "11 MB");
  expect(again).toBe(commented.replace("10 MB", "11 MB"));
});

test("each bench has words of its own", () => {
  const both = replaceSection(replaceSection("# P\n", "size", "one"), "start", "two");
  expect(both).toContain("<!-- bench:size -->\n\none\n\n<!-- /bench:size -->");
  expect(both).toContain("<!-- bench:start -->\n\ntwo\n\n<!-- /bench:start -->");
});

test("a bound itself is kept", () => {
  expect(meets(0.5, { least: 0.5 })).toBe(true);
  expect(meets(0.499, { least: 0.5 })).toBe(false);
  expect(meets(2.01, { most: 2 })).toBe(false);
});

test("a missed target says so", () => {
  const row = { figure: "size", revka: "2", baseline: "1", ratio: "2", target: "≤ 1" };
  expect(markdownTable([{ ...row, met: false }])).toContain("missed");
  expect(markdownTable([{ ...row, met: null }])).not.toContain("missed");
});
