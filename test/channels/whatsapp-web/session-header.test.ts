import { afterEach, beforeEach, expect, test } from "bun:test";
import { statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isForeignSession } from "../../../src/channels/whatsapp-web/session-header.ts";
import { temporaryFolder } from "../../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

test("a session whose id may stand in its log alone is nobody else's, behind a link too", () => {
  const elsewhere = join(folder.path, "elsewhere.db");
  const link = join(folder.path, "session.db");
  symlinkSync(elsewhere, link);
  const session = new DatabaseSync(elsewhere);
  session.exec("CREATE TABLE entry (a); PRAGMA journal_mode = WAL; CREATE TABLE more (a)");
  expect(statSync(`${elsewhere}-wal`).size).toBeGreaterThan(0);
  expect(isForeignSession(link)).toBe(false);
  session.close();
  expect(isForeignSession(link)).toBe(true);
});
