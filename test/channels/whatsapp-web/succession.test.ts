import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWAMessage } from "@whiskeysockets/baileys";
import { type Legacy, Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { moveAside } from "../../../src/channels/whatsapp-web/succession.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";

const clock = fakeClock();
let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "revka-succession-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const openAt = (name: string, follows = false) =>
  Session.open({ path: join(folder, name, "s.db"), env: {}, follows }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
const ingressOf = (session: Session) =>
  new Ingress({ session: () => session, deliver: async () => {}, clock, log: silentLog });

/** A session that has received these texts, and handed none of them over. */
async function received(...texts: string[]): Promise<Session> {
  const session = openAt("live");
  for (const [index, text] of texts.entries()) {
    const attributes = { id: `id${index}`, from: "15550001111@s.whatsapp.net", t: "1700000000" };
    const stanza = { part: text, stanza: text, parts: 1, attributes };
    const plaintext = encodeWAMessage({ conversation: text });
    await session.write(() => session.journal.put(stanza, plaintext, clock.now()));
  }
  return session;
}
const textsOf = ({ events }: Legacy) =>
  events.flatMap((event) => (event.kind === "message" ? [event.message.text] : []));
/** What the next start finds to hand over where everything lies as it does now. */
const found = (name: string) => {
  const session = openAt(name);
  const texts = textsOf(ingressOf(session).legacyOf(session));
  session.close();
  return texts;
};

test("a crash at any point between a session and the next loses nothing, and deletes nothing", async () => {
  const session = await received("one", "two");
  let crashes = 0;
  const crash = () =>
    cpSync(join(folder, "live"), join(folder, `crash${++crashes}`), { recursive: true });
  const leave = spyOn(session, "leave").mockImplementation(() => {
    crash();
    const left = Session.prototype.leave.call(session);
    crash();
    return {
      settle() {
        crash();
        const path = left.settle();
        crash();
        return path;
      },
    };
  });
  const next = moveAside({
    session,
    ingress: ingressOf(session),
    open() {
      const opened = openAt("live", true);
      crash();
      return opened;
    },
    log: silentLog,
  });
  leave.mockRestore();
  next?.close();
  expect(crashes).toBe(5);
  const movedAside = (name: string) =>
    readdirSync(join(folder, name)).filter((file) => /logged-out-.*Z$/.test(file)).length;
  for (let n = 1; n <= crashes; n++) {
    expect([n, found(`crash${n}`)]).toEqual([n, ["one", "two"]]);
    // From the third on there are two files, and both stay.
    expect([n, movedAside(`crash${n}`)]).toEqual([n, n < 3 ? 0 : 1]);
  }
  expect(found("live")).toEqual(["one", "two"]);
  const aside = readdirSync(join(folder, "live")).filter((name) => name.includes("logged-out"));
  expect(aside).toHaveLength(1);
  expect(readdirSync(join(folder, "live")).filter((name) => name.includes("leaving"))).toEqual([]);
});

test("where the old session cannot stay beside its place, the next is closed and the old one comes back", async () => {
  const session = await received("one");
  const leave = spyOn(session, "leave").mockImplementation(() => {
    Session.prototype.leave.call(session);
    return {
      settle() {
        throw new Error("in the way");
      },
    };
  });
  const open = () => openAt("live", true);
  const moving = () => moveAside({ session, ingress: ingressOf(session), open, log: silentLog });
  expect(moving).toThrow("in the way");
  leave.mockRestore();
  expect(found("live")).toEqual(["one"]);
});

test("where the disk refuses to be read for now, nothing is moved, and the old one comes back with all", async () => {
  const session = await received("one", "two");
  const refused = Object.assign(new Error("disk I/O error"), { errcode: 10 });
  const read = spyOn(session.sent, "has").mockImplementationOnce(() => {
    throw refused;
  });
  const open = () => openAt("live", true);
  const moving = () => moveAside({ session, ingress: ingressOf(session), open, log: silentLog });
  expect(moving).toThrow(refused);
  expect(read).toHaveBeenCalledTimes(1);
  expect(found("live")).toEqual(["one", "two"]);
});

test("where no next session can be opened, the old one comes back with what was left", async () => {
  const session = await received("one", "two");
  const open = () => {
    throw new Error("disk full");
  };
  const moving = () => moveAside({ session, ingress: ingressOf(session), open, log: silentLog });
  expect(moving).toThrow("disk full");
  expect(found("live")).toEqual(["one", "two"]);
  expect(readdirSync(join(folder, "live")).filter((name) => /logged-out/.test(name))).toEqual([]);
});

test("where the next session cannot note what was left, it is closed and the old one comes back", async () => {
  const session = await received("one");
  const open = () => {
    const opened = openAt("live", true);
    const fail = () => {
      throw new Error("disk full");
    };
    opened.commit.stage({ changes: [], alongside: [fail] });
    return opened;
  };
  const moving = () => moveAside({ session, ingress: ingressOf(session), open, log: silentLog });
  expect(moving).toThrow("disk full");
  expect(found("live")).toEqual(["one"]);
});

test("where nothing was left, no session follows; a session that cannot be read moves all the same", async () => {
  const open = mock(() => {
    throw new Error("not asked for");
  });
  const timers = clock.pending;
  const empty = await received();
  expect(moveAside({ session: empty, ingress: ingressOf(empty), open, log: silentLog })).toBeNull();
  expect(clock.pending).toBe(timers);
  await clock.advance(1);
  const without = await received("one");
  expect(moveAside({ session: without, ingress: null, open, log: silentLog })).toBeNull();
  const unreadable = await received("one");
  const ingress = ingressOf(unreadable);
  spyOn(ingress, "legacyOf").mockImplementation(() => {
    throw new Error("I/O error");
  });
  await clock.advance(1);
  expect(moveAside({ session: unreadable, ingress, open, log: silentLog })).toBeNull();
  expect(open).not.toHaveBeenCalled();
  expect(readdirSync(join(folder, "live"))).not.toContain("s.db");
});
