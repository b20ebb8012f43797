import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startCloud } from "./support/cloud.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

test("status tells of a store that cannot be written though nothing was to be written, and no longer than it is so", async () => {
  await using setup = await startCloud();
  const { daemon } = setup;
  const other = new DatabaseSync(join(daemon.home, "revka.db"));
  other.exec("BEGIN IMMEDIATE");
  expect((await daemon.status()).alarms).toMatchObject([{ source: "store", code: "busy" }]);
  other.exec("ROLLBACK");
  other.close();
  expect((await daemon.status()).alarms).toEqual([]);
});
