import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWebhook } from "../../../src/channels/wati/payload.ts";

/** Webhook bodies of others; they lie beside the project on machines that have them. */
const folder = join(import.meta.dir, "../../../../shared/payloads");
const index = join(folder, "INDEX.tsv");

const rows = existsSync(index)
  ? readFileSync(index, "utf8")
      .split("\n")
      .slice(1)
      .map((row) => row.split("\t"))
      .filter((row) => row[1] === "wati")
  : [];

describe.skipIf(rows.length === 0)("bodies of others", () => {
  for (const row of rows) {
    const [
      path = "",
      ,
      kind = "",
      ,
      ,
      ,
      count = "",
      afterDeduplication = "",
      senders = "[]",
      texts = "[]",
    ] = row;
    test(`${kind} ${path}`, () => {
      const body: unknown = JSON.parse(readFileSync(join(folder, path), "utf8"));
      const found = parseWebhook(body, 1_800_000_000_000).flatMap((it) =>
        it.kind === "message" ? [it.message] : [],
      );
      expect(found).toHaveLength(Number(count));
      expect(new Set(found.map((it) => it.id)).size).toBe(Number(afterDeduplication));
      const expectedSenders: unknown[] = JSON.parse(senders);
      expect<unknown[]>(found.map((it) => it.sender.phone?.slice(1) ?? it.sender.userId)).toEqual(
        expectedSenders,
      );
      const expectedTexts: unknown[] = JSON.parse(texts);
      found.forEach((it, i) => {
        if (expectedTexts[i] !== null) expect<unknown>(it.text).toBe(expectedTexts[i]);
      });
    });
  }
});
