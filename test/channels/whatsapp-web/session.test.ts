import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { fakeClock } from "../../support/clock.ts";

let folder: string;
let session: Session;

const open = () =>
  Session.open({ path: join(folder, "s.db"), env: {} }, fakeClock(), {
    onReceived: () => {},
    onMappings: () => {},
  });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-session-"));
  session = open();
  session.saveCredentials();
});
afterEach(() => {
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the disk does to the next write. */
function failOnce(): void {
  const alongside = [
    () => {
      throw new Error("disk full");
    },
  ];
  session.commit.stage({ changes: [], alongside });
}

test("credentials never speak of keys that were not written", () => {
  const before = session.creds.nextPreKeyId;
  session.creds.nextPreKeyId = before + 1;
  failOnce();
  expect(() => session.saveCredentials()).toThrow("disk full");
  session.close();
  session = open();
  expect(session.creds.nextPreKeyId).toBe(before);
});

test("where credentials cannot be written, nothing may leave that rests on them", () => {
  let failed = 0;
  session.commit.onFailed = () => void failed++;
  const { generation } = session.commit;
  const other = new DatabaseSync(join(folder, "s.db"));
  other.exec("BEGIN IMMEDIATE");
  expect(() => session.saveCredentials()).toThrow("locked");
  expect(failed).toBe(1);
  expect(session.commit.generation).not.toBe(generation);
  other.close();
  session.saveCredentials();
  expect(session.commit.waits).toBe(false);
});

test("what changed last before the end is on disk", () => {
  session.commit.stage({ changes: [{ type: "session", id: "4917.0", held: "1" }], alongside: [] });
  session.close();
  session = open();
  expect(session.commit.get("session", "4917.0")).toEqual("1");
});

test("what Baileys still does after the end fails without a word of the disk", async () => {
  let failed = 0;
  session.commit.onFailed = () => void failed++;
  session.close();
  session.commit.stage({ changes: [{ type: "session", id: "4917.0", held: "1" }], alongside: [] });
  await expect(session.commit.written()).rejects.toThrow();
  expect(failed).toBe(0);
  session = open();
});
