import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuthenticationCreds } from "@whiskeysockets/baileys";
import type { InboundEvent } from "../../../src/channels/message.ts";
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

test("one whose credentials are damaged says so at each try, and opens once they are mended", () => {
  session.close();
  const onDisk = (sql: string) => {
    const file = new DatabaseSync(join(folder, "s.db"));
    file.exec(sql);
    file.close();
  };
  onDisk("CREATE TABLE kept AS SELECT * FROM entry; UPDATE entry SET value = zeroblob(60)");
  for (let times = 0; times < 2; times++) {
    expect(open).toThrow(expect.objectContaining({ code: "damaged" }));
  }
  onDisk("UPDATE entry SET value = (SELECT value FROM kept WHERE kept.id = entry.id)");
  session = open();
});

describe("reading is not held up", () => {
  const ACCOUNT = "15550001000:7@s.whatsapp.net";

  test.each([ACCOUNT, "upload-pre-keys", "sendRetryRequest"])(
    "by what runs as %s",
    async (label) => {
      session.creds.me = { id: ACCOUNT };
      const sending = Promise.withResolvers<string>();
      const long = session.transactions.transaction(() => sending.promise, label);
      const reading = session.transactions.transaction(
        async () => "read",
        "491700000001@s.whatsapp.net",
      );
      expect(await reading).toBe("read");
      sending.resolve("sent");
      expect(await long).toBe("sent");
    },
  );
});

describe("a link", () => {
  const reopened = () => {
    session.close();
    session = open();
    const { me, account, registered, noiseKey } = session.creds;
    return { me: me?.id, account: account !== undefined, registered, noiseKey };
  };
  const link = (account: AuthenticationCreds["account"]) => {
    session.creds.me = { id: "15550001000:7@s.whatsapp.net" };
    if (account) session.creds.account = account;
    session.creds.registered = true;
    session.saveCredentials();
  };
  const signed = { details: Buffer.from("details") };

  test("that no phone has confirmed is taken out, under the same keys", () => {
    link(undefined);
    const { noiseKey } = session.creds;
    session.dropUnfinishedLink();
    expect(reopened()).toEqual({ me: undefined, account: false, registered: false, noiseKey });
  });

  test("that a phone has confirmed stays, until it is forgotten", () => {
    link(signed);
    session.dropUnfinishedLink();
    expect(reopened()).toMatchObject({ me: "15550001000:7@s.whatsapp.net", account: true });
    expect(session.linked).toBe(true);
    session.forgetLink();
    expect(session.linked).toBe(false);
    expect(reopened()).toMatchObject({ me: undefined, account: false, registered: false });
  });

  test("is not needed for what a session before it had received, but then it must be of that number", () => {
    const events: InboundEvent[] = [{ kind: "account", number: "+15550001000" }];
    session.inherit({ number: "+15550001000", events });
    expect(session.inherited).toEqual(events);
    link(signed);
    expect(session.inherited).toEqual(events);
    session.creds.me = { id: "447700900002:1@s.whatsapp.net" };
    expect(session.inherited).toEqual([]);
  });
});
