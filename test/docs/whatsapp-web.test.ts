import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { root, textOf } from "./documents.ts";

test("every reason in the table of states is one that Revka gives", () => {
  const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"))
    .join("\n");
  const rows = textOf("docs/whatsapp-web.md").matchAll(
    /^\| `(?:linking|disconnected|logged_out)` +\| (.+?) +\|/gm,
  );
  const reasons = [...rows].map(([, reason = ""]) => reason.replace(/…;?| \(\d.*$/g, "").trim());
  expect(reasons.length).toBeGreaterThan(8);
  expect(reasons.filter((reason) => !source.includes(reason))).toEqual([]);
});
