import { expect, test } from "bun:test";
import type { Finding } from "../../../src/commands/doctor/probe.ts";
import { renderFindings } from "../../../src/commands/doctor/render.ts";

const findings: Finding[] = [
  { group: "agent", name: "agent", level: "error", message: "is gone", next: "start it" },
  { group: "config", name: "file", level: "ok", message: "is valid", next: null },
  { group: "config", name: "home", level: "warning", message: "is open", next: "chmod 700 x" },
];

test("what is found is told by group, each with what to do, and counted", () => {
  expect(renderFindings(findings, false)).toBe(
    [
      "config",
      "  ok    file: is valid",
      "  WARN  home: is open",
      "        -> chmod 700 x",
      "",
      "agent",
      "  ERROR agent: is gone",
      "        -> start it",
      "",
      "1 error, 1 warning",
      "",
    ].join("\n"),
  );
});

test("in colour where that is asked for, and without what would steer the terminal", () => {
  const evil: Finding = {
    group: "agent",
    name: "agent",
    level: "error",
    message: "\u001b[2Jgone",
    next: null,
  };
  const shown = renderFindings([evil], true);
  expect(shown).toContain("\u001b[31mERROR \u001b[0magent");
  expect(shown).not.toContain("\u001b[2J");
  expect(shown).toEndWith("1 error, 0 warnings\n");
});
