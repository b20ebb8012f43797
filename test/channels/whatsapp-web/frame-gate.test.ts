import { afterEach, beforeEach, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holdFrames } from "../../../src/channels/whatsapp-web/frame-gate.ts";
import { GroupCommit } from "../../../src/channels/whatsapp-web/group-commit.ts";
import { KeyStore } from "../../../src/channels/whatsapp-web/key-store.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";

/** A WebSocket that notes what was written, and whether the ratchet was on disk by then. */
class Socket {
  readonly frames: string[] = [];
  send(frame: Uint8Array, sent: (error?: Error) => void = () => {}): void {
    this.frames.push(`${String(frame)} ${store.get("session", "ada") ?? "not on disk"}`);
    sent();
  }
  close(): void {
    this.frames.push("closed");
  }
}

let folder: string;
let database: SessionDatabase;
let store: KeyStore;
let commit: GroupCommit;
let socket: Socket;
let broken: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-gate-"));
  database = SessionDatabase.open({ path: join(folder, "s.db"), env: {} });
  store = new KeyStore(database);
  commit = new GroupCommit(database, store);
  socket = opened();
  broken = 0;
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function opened(): Socket {
  const raw = new Socket();
  const ws = Object.assign(new EventEmitter(), { socket: raw });
  holdFrames(ws as never, commit, () => void broken++);
  return raw;
}

const ratchet = (json: string) =>
  commit.stage({ changes: [{ type: "session", id: "ada", held: json }], alongside: [] });
const send = (words: string, to = socket) =>
  new Promise<string>((resolve) =>
    to.send(Buffer.from(words), (error) => resolve(error?.message ?? "written")),
  );

test("a frame waits for what was staged before it, and Baileys does not", async () => {
  await send("before");
  ratchet("1");
  expect(await send("receipt")).toBe("written");
  expect(await send("message")).toBe("written");
  expect(socket.frames).toEqual(["before not on disk"]);
  await commit.written();
  expect(socket.frames.slice(1)).toEqual(["receipt 1", "message 1"]);
});

test("a ratchet that cannot be written lets nothing out, neither what waits nor what comes", async () => {
  database.sql.exec("PRAGMA query_only = ON");
  ratchet("1");
  await send("receipt");
  await expect(commit.written()).rejects.toThrow();
  expect(broken).toBe(1);
  database.sql.exec("PRAGMA query_only = OFF");
  expect(await send("later")).not.toBe("written");
  expect(socket.frames).toEqual([]);
  const next = opened();
  await send("login", next);
  expect(next.frames).toEqual(["login not on disk"]);
});

test("a socket that is closed sends first what it was given", async () => {
  ratchet("1");
  await send("logout");
  socket.close();
  expect(socket.frames).toEqual(["logout 1", "closed"]);
});

test("what the connection says of a frame reaches who sent it", async () => {
  const gone = {
    send: (_frame: Uint8Array, done: (error?: Error) => void) => done(new Error("gone")),
    close: () => {},
  };
  const ws = Object.assign(new EventEmitter(), { socket: gone });
  holdFrames(ws as never, commit, () => {});
  expect(await send("hello", gone as never)).toBe("gone");
});

test.each([[undefined], [{}], [{ send: () => {} }], [{ send: () => {}, close: 1 }]])(
  "where the connection under Baileys is %p, none is opened: frames would leave unheld",
  (raw) => {
    const ws = Object.assign(new EventEmitter(), { socket: raw });
    expect(() => holdFrames(ws as never, commit, () => {})).toThrow("no WebSocket");
  },
);
