import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SignalKeyStoreWithTransaction } from "@whiskeysockets/baileys";
import { GroupCommit } from "../../../src/channels/whatsapp-web/group-commit.ts";
import { KeyStore } from "../../../src/channels/whatsapp-web/key-store.ts";
import { KeyTransactions } from "../../../src/channels/whatsapp-web/key-transactions.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

const ACCOUNT = "15550001000:1@s.whatsapp.net";
let folder: string;
let database: SessionDatabase;
let store: KeyStore;
let commit: GroupCommit;
let keys: KeyTransactions;
let learnt: Record<string, string>[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-keys-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  store = new KeyStore(database);
  learnt = [];
  commit = new GroupCommit(database, store);
  keys = new KeyTransactions(
    commit,
    (label) => label === ACCOUNT,
    (pairs) => learnt.push(pairs),
  );
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const list = (ids: string[]) => ({ "device-list": { ada: ids } });
const current = async () => (await keys.get("device-list", ["ada"])).ada;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("two transactions with different labels do not work on stale copies", async () => {
  await keys.set(list([]));
  const append = (id: string, label: string) =>
    keys.transaction(async () => {
      const before = (await current()) ?? [];
      await turn();
      await keys.set(list([...before, id]));
    }, label);
  await Promise.all([append("1", "a@lid"), append("2", "b@lid"), append("3", "group@g.us")]);
  expect(await current()).toEqual(["1", "2", "3"]);
});

test("values of different types under one name are kept apart, within and after", async () => {
  const both = async () => [
    (await keys.get("device-list", ["ada"])).ada,
    (await keys.get("tctoken", ["ada"])).ada?.token,
  ];
  await keys.transaction(async () => {
    await keys.set({ ...list(["1"]), tctoken: { ada: { token: Buffer.from("t") } } });
    expect(await both()).toEqual([["1"], Buffer.from("t")]);
  }, "a@lid");
  expect(await both()).toEqual([["1"], Buffer.from("t")]);
  await commit.written();
  expect(await both()).toEqual([["1"], Buffer.from("t")]);
});

test("a transaction sees its own changes; where it fails, nobody does", async () => {
  await keys.set(list(["before"]));
  const failing = keys.transaction(async () => {
    await keys.set(list(["within"]));
    expect(await current()).toEqual(["within"]);
    throw new Error("no");
  }, "a@lid");
  await expect(failing).rejects.toThrow("no");
  expect(await current()).toEqual(["before"]);
});

test("a ratchet can be read at once, and is on disk before anybody outside hears of it", async () => {
  await keys.transaction(() => keys.set(list(["1"])), "a@lid");
  expect(await current()).toEqual(["1"]);
  expect(store.get("device-list", "ada")).toBeUndefined();
  await commit.written();
  expect(store.get("device-list", "ada")).toBe('["1"]');
});

test("what is written alongside is in the same transaction as the ratchet", async () => {
  const insert = database.sql.prepare("INSERT INTO meta VALUES ('alongside', x'00')");
  const count = () =>
    database.sql.prepare("SELECT count(*) AS n FROM meta WHERE name = 'alongside'").get()?.n;
  const once = (id: string) =>
    keys.transaction(async () => {
      keys.alongside(() => void insert.run());
      await keys.set(list([id]));
    }, "a@lid");
  await once("1");
  await commit.written();
  expect(count()).toBe(1);
  await once("2");
  await expect(commit.written()).rejects.toThrow();
  expect(await current()).toEqual(["1"]);
});

test("a long transaction keeps others of its kind out, but not a ratchet's", async () => {
  const order: string[] = [];
  let release = () => {};
  const network = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sending = keys.transaction(async () => {
    order.push("sending");
    await keys.transaction(() => keys.set(list(["encrypted"])), "b@lid");
    await network;
    order.push("sent");
  }, ACCOUNT);
  const second = keys.transaction(async () => void order.push("second"), ACCOUNT);
  await keys.transaction(async () => void order.push("decrypted"), "a@lid");
  await turn();
  await commit.written();
  expect(store.get("device-list", "ada")).toBe('["encrypted"]');
  release();
  await Promise.all([sending, second]);
  expect(order).toEqual(["sending", "decrypted", "sent", "second"]);
});

test("a mapping is learnt and stored at once, even while a ratchet's transaction runs", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const holding = keys.transaction(() => held, "a@lid");
  const pairs = { "4917": "9004917", "9004917_reverse": "4917" };
  await keys.transaction(() => keys.set({ "lid-mapping": pairs }), "lid-mapping");
  expect(await keys.get("lid-mapping", ["4917"])).toEqual({ "4917": "9004917" });
  await keys.set({ "lid-mapping": pairs });
  expect(learnt).toEqual([pairs]);
  release();
  await holding;
});

test("a mapping that is no more is forgotten, and nobody learns of it", async () => {
  await keys.set({ "lid-mapping": { "4917": "9004917" } });
  await keys.set({ "lid-mapping": { "4917": null as never } });
  await commit.written();
  expect(store.get("lid-mapping", "4917")).toBeUndefined();
  expect(learnt).toHaveLength(1);
});

test("a long transaction within one of its kind does not wait for itself", async () => {
  const inner = () => keys.transaction(async () => "done", ACCOUNT);
  expect(await keys.transaction(inner, ACCOUNT)).toBe("done");
});

test("outside of a ratchet's transaction nothing can be written alongside", async () => {
  const alongside = async () => keys.alongside(() => {});
  await expect(alongside()).rejects.toThrow("not in a ratchet's transaction");
  await expect(keys.transaction(alongside, ACCOUNT)).rejects.toThrow("ratchet's transaction");
});

test("what a transaction has deleted is not there for it, nor afterwards", async () => {
  await keys.set(list(["1"]));
  const found = async () => Object.keys(await keys.get("device-list", ["ada", "bob"]));
  await keys.transaction(async () => {
    await keys.set({ "device-list": { ada: null } });
    expect(await found()).toEqual([]);
  }, "a@lid");
  expect(await found()).toEqual([]);
});

test("Baileys' own object works through these", async () => {
  const refuse = (): never => {
    throw new Error("Baileys' own");
  };
  const own: SignalKeyStoreWithTransaction = {
    get: refuse,
    set: refuse,
    transaction: refuse,
    isInTransaction: refuse,
  };
  keys.takeOver(own);
  expect(own.isInTransaction()).toBe(false);
  const within = await own.transaction(async () => {
    await own.set(list(["1"]));
    return own.isInTransaction();
  }, "a@lid");
  expect([within, own.isInTransaction()]).toEqual([true, false]);
  expect(await own.get("device-list", ["ada"])).toEqual({ ada: ["1"] });
});

test("work that outlives its transaction writes for itself", async () => {
  let late: Promise<void> = Promise.resolve();
  await keys.transaction(async () => {
    late = turn().then(() => keys.set(list(["late"])));
  }, "a@lid");
  await late;
  await commit.written();
  expect(store.get("device-list", "ada")).toBe('["late"]');
});

test("what is staged in one turn of the loop is one write", async () => {
  const writes = spyOn(database, "commit");
  await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      keys.transaction(() => keys.set({ session: { [`${index}.0`]: Buffer.from("x") } }), "s"),
    ),
  );
  await commit.written();
  expect(writes).toHaveBeenCalledTimes(1);
});

test("a disk that refuses loses what was staged and what was read of it; what was there stays", async () => {
  await keys.set(list(["before"]));
  await commit.written();
  database.sql.exec("PRAGMA query_only = ON");
  await keys.transaction(() => keys.set(list(["lost"])), "a@lid");
  const onceMore = keys.transaction(async () => {
    const read = (await current()) ?? [];
    await commit.written().catch(() => {});
    database.sql.exec("PRAGMA query_only = OFF");
    await keys.set(list([...read, "and more"]));
  }, "a@lid");
  await expect(onceMore).rejects.toThrow("lost");
  await turn();
  expect(await current()).toEqual(["before"]);
  await keys.set(list(["after"]));
  await commit.written();
  expect(store.get("device-list", "ada")).toBe('["after"]');
});

test("bytes come back as bytes", async () => {
  const pair = { public: Buffer.from([1, 2]), private: Buffer.from([3]) };
  await keys.set({ "pre-key": { "7": pair } });
  expect(await keys.get("pre-key", ["7", "8"])).toEqual({ "7": pair });
  await keys.set({ "pre-key": { "7": null } });
  expect(await keys.get("pre-key", ["7"])).toEqual({});
});

test("a session read again is the one on disk, whatever was in memory when a write failed", async () => {
  const session = (mark: string) =>
    keys.set({ session: { "4917.0": { mark } as unknown as Uint8Array } });
  const mark = async () => (await keys.get("session", ["4917.0"]))["4917.0"];
  expect(await mark()).toBeUndefined();
  await session("1");
  await commit.written();
  expect(await mark()).toEqual({ mark: "1" } as never);
  expect(store.get("session", "4917.0")).toBe('{"mark":"1"}');
  database.sql.exec("PRAGMA query_only = ON");
  await session("2");
  expect(await mark()).toEqual({ mark: "2" } as never);
  await commit.written().catch(() => {});
  expect(await mark()).toEqual({ mark: "1" } as never);
  database.sql.exec("PRAGMA query_only = OFF");
});
