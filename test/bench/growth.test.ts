import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillStore } from "../../scripts/bench/growth.ts";
import { openStore } from "../../src/store/sqlite.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a filled store is one that was answered to the last message", () => {
  const path = join(folder, "revka.db");
  fillStore(path, 50, 10);
  const { store, movedAside } = openStore({ path, clock: systemClock, phoneKey: (it) => it });
  expect(movedAside).toBeNull();
  expect(store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 0 });
  expect(store.history(1, 100)).toHaveLength(10);
  store.close();
});
