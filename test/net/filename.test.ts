import { expect, test } from "bun:test";
import { safeFilename } from "../../src/net/filename.ts";

test("names of strangers", () => {
  const cases: [string | null, string][] = [
    ["report.pdf", "report.pdf"],
    ["Übersicht 2026 (final).xlsx", "Übersicht 2026 (final).xlsx"],
    ["報告.docx", "報告.docx"],
    ["👍.png", "👍.png"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\windows\\system32\\cmd.exe", "cmd.exe"],
    ["/etc/passwd", "passwd"],
    ["C:\\temp\\a.txt", "a.txt"],
    ["a:b.txt", "a_b.txt"],
    ["..", "file"],
    [".", "file"],
    ["...", "file"],
    ["", "file"],
    [null, "file"],
    ["folder/", "file"],
    ["   ", "file"],
    [".htaccess", "htaccess"],
    ["-rf", "rf"],
    ["~root", "root"],
    ["a\u0000.txt", "a.txt"],
    ["a\r\nX-Header: b.txt", "aX-Header_ b.txt"],
    ["evil\u202efdp.exe", "evilfdp.exe"],
    ["a\u200bb\ufeff.txt", "ab.txt"],
    ["a\u2044b\uff0fc.txt", "a_b_c.txt"],
    ["CON", "_CON"],
    ["con.txt", "_con.txt"],
    ["lpt1.log", "_lpt1.log"],
    ["console.txt", "console.txt"],
    ["a.txt. . ", "a.txt"],
    ['<>:"|?*', "file"],
    ["\ud800x.txt", "\ufffdx.txt"],
    ["e\u0301.txt", "\u00e9.txt"],
  ];
  for (const [name, expected] of cases) {
    expect([name, safeFilename(name, "file")]).toEqual([name, expected]);
  }
});

test("a long name keeps its extension and whole characters", () => {
  const name = safeFilename(`${"ä".repeat(300)}.pdf`, "file");
  expect(Buffer.byteLength(name)).toBeLessThanOrEqual(160);
  expect(name).toEndWith("ä.pdf");
  expect(Buffer.byteLength(safeFilename(`${"👍".repeat(300)}`, "file"))).toBeLessThanOrEqual(160);
  expect(safeFilename(`a.${"x".repeat(400)}`, "file")).toHaveLength(160);
});
