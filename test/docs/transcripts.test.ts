import { expect, test } from "bun:test";
import { comparable, transcripts } from "../../scripts/transcripts.ts";
import { textOf } from "./documents.ts";

test("docs/transcripts.md is what a recording gives (else: bun run docs:transcripts)", async () => {
  expect(comparable(await transcripts())).toBe(comparable(textOf("docs/transcripts.md")));
}, 60_000);
