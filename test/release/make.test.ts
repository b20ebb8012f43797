import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { hostTarget } from "../../scripts/build/target.ts";
import { makeRelease } from "../../scripts/release/make.ts";
import { root } from "../support/binary.ts";

const revision = { version: "1.2.3", commit: "0123456789ab", committedAt: 1_700_000_000 };
const folder = mkdtempSync(join(tmpdir(), "revka-release-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bill = v.object({
  components: v.array(
    v.object({
      "bom-ref": v.string(),
      hashes: v.optional(v.array(v.object({ content: v.pipe(v.string(), v.length(128)) }))),
    }),
  ),
  dependencies: v.array(v.object({ ref: v.string(), dependsOn: v.array(v.string()) })),
});

describe("a release", () => {
  const target = hostTarget();
  const plain = `revka-1.2.3-${target}`;
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  const billOf = (name: string) => v.parse(bill, JSON.parse(text(name)));

  beforeAll(async () => {
    writeFileSync(join(folder, "revka-1.2.2-linux-x64"), "of the release before");
    writeFileSync(join(folder, "of-somebody-else"), "stays");
    await makeRelease({
      root,
      revision,
      targets: [target],
      variants: ["default", "whatsapp-web"],
      archives: false,
      sideBySide: 1,
      folder,
      say: () => {},
    });
  }, 30_000);

  test("consists of these files, and touches no others", () => {
    expect(readdirSync(folder).toSorted()).toEqual(
      [
        "SHA256SUMS",
        "install.sh",
        "of-somebody-else",
        plain,
        `${plain}-whatsapp-web`,
        "revka-1.2.3-NOTICES.txt",
        "revka-1.2.3-whatsapp-web-NOTICES.txt",
        "revka-1.2.3.cdx.json",
        "revka-1.2.3-whatsapp-web.cdx.json",
      ].toSorted(),
    );
  });

  test("SHA256SUMS covers every one of them", () => {
    const lines = text("SHA256SUMS").trimEnd().split("\n");
    for (const line of lines) {
      const [sum = "", name = ""] = line.split("  ");
      const hash = createHash("sha256").update(readFileSync(join(folder, name)));
      expect(hash.digest("hex")).toBe(sum);
    }
    expect(lines.length).toBe(7);
  });

  test("the bills of materials hold what the bundles hold, each with the hash of its archive", () => {
    const standard = billOf("revka-1.2.3.cdx.json");
    const web = billOf("revka-1.2.3-whatsapp-web.cdx.json");
    const names = (of: typeof web) => of.components.map((component) => component["bom-ref"]);
    expect(names(standard)).toContainEqual(expect.stringMatching(/^hono@4/));
    expect(names(standard)).not.toContainEqual(expect.stringMatching(/baileys|libsignal/));
    expect(names(standard)).not.toContainEqual(expect.stringMatching(/^deno|^@types/));
    expect(names(web)).toContainEqual(expect.stringMatching(/^@whiskeysockets\/baileys@7/));
    expect(names(web)).toContainEqual(expect.stringMatching(/^libsignal@/));
    for (const { components, dependencies } of [standard, web]) {
      const without = components.filter(({ hashes }) => !hashes).map((part) => part["bom-ref"]);
      expect(without).toEqual([`bun@${process.versions.bun}`]);
      const known = new Set(["revka@1.2.3", ...components.map((part) => part["bom-ref"])]);
      expect(known.size).toBe(components.length + 1);
      const named = dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
      expect(named.filter((ref) => !known.has(ref))).toEqual([]);
    }
  });

  test("the notices say which variant they are for, and why one is under the GPL", () => {
    const [standard, web] = [
      text("revka-1.2.3-NOTICES.txt"),
      text("revka-1.2.3-whatsapp-web-NOTICES.txt"),
    ];
    expect(standard).toStartWith("revka 1.2.3 (default, 0123456789ab)\n");
    expect(standard).not.toContain("libsignal");
    expect(web).toMatch(/^This build holds libsignal \(GPL-3\.0/m);
    for (const notices of [standard, web]) {
      expect(notices).toContain("JavaScriptCore of WebKit statically");
      expect(notices).toMatch(/^=== hono 4[^]*Copyright/m);
    }
  });
});
