import { describe, expect, test } from "bun:test";
import { billOfMaterials, type Part } from "../../scripts/release/bill-of-materials.ts";
import { lockedHashes } from "../../scripts/release/lock-file.ts";

const revision = { version: "1.2.3", commit: "0123456789ab", committedAt: 1_700_000_000 };
const runtime = { version: "1.4.5", license: "MIT AND LGPL-2.0-or-later" };
const parts: Part[] = [
  {
    name: "@scope/upper",
    version: "1.0.0",
    license: "MIT OR Apache-2.0",
    dependencies: ["lower@2.0.0"],
    sha512: "ab".repeat(64),
  },
  { name: "lower", version: "2.0.0", license: "not stated", dependencies: [], sha512: null },
];

describe("the bill of materials", () => {
  const bill = billOfMaterials("default", revision, runtime, parts);

  test("names format, version, revision and the commit's time", () => {
    expect(bill).toMatchObject({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: {
        timestamp: "2023-11-14T22:13:20.000Z",
        component: { type: "application", name: "revka", version: "1.2.3" },
      },
    });
    expect(bill.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test("lists the runtime and every package, with licence, hash and purl", () => {
    expect(bill.components).toEqual([
      {
        type: "platform",
        "bom-ref": "bun@1.4.5",
        name: "bun",
        version: "1.4.5",
        licenses: [{ expression: "MIT AND LGPL-2.0-or-later" }],
        purl: "pkg:npm/bun@1.4.5",
      },
      {
        type: "library",
        "bom-ref": "@scope/upper@1.0.0",
        group: "@scope",
        name: "upper",
        version: "1.0.0",
        licenses: [{ expression: "MIT OR Apache-2.0" }],
        hashes: [{ alg: "SHA-512", content: "ab".repeat(64) }],
        purl: "pkg:npm/%40scope/upper@1.0.0",
      },
      {
        type: "library",
        "bom-ref": "lower@2.0.0",
        name: "lower",
        version: "2.0.0",
        licenses: [{ license: { name: "not stated" } }],
        purl: "pkg:npm/lower@2.0.0",
      },
    ]);
  });

  test("says what needs what", () => {
    expect(bill.dependencies).toEqual([
      { ref: "revka@1.2.3", dependsOn: ["bun@1.4.5", "@scope/upper@1.0.0", "lower@2.0.0"] },
      { ref: "bun@1.4.5", dependsOn: [] },
      { ref: "@scope/upper@1.0.0", dependsOn: ["lower@2.0.0"] },
      { ref: "lower@2.0.0", dependsOn: [] },
    ]);
  });

  test("is the same for the same content, and has another serial number for another", () => {
    expect(billOfMaterials("default", revision, runtime, parts)).toEqual(bill);
    const other = billOfMaterials("default", revision, runtime, parts.slice(1));
    expect(other.serialNumber).not.toBe(bill.serialNumber);
  });

  test("puts the whatsapp-web variant as a whole under the GPL", () => {
    const web = billOfMaterials("whatsapp-web", revision, runtime, parts);
    expect(bill.metadata.component.licenses).toEqual([{ expression: "MIT" }]);
    expect(web.metadata.component.licenses).toEqual([{ expression: "GPL-3.0-only" }]);
  });
});

test("hashes are read from a lock file, whose commas trail, as hexadecimal", () => {
  const lock = `{
    "lockfileVersion": 1,
    "packages": {
      "a": ["@scope/a@1.0.0", "", {}, "sha512-q80="],
      "here": ["here@workspace:packages/here"],
    },
  }`;
  expect([...lockedHashes(lock)]).toEqual([["@scope/a@1.0.0", "abcd"]]);
});
