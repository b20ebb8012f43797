import { type Mock, afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { bundleNodes } from "../../doubles/whatsapp-web/prekeys.ts";
import { SignalDevice } from "../../doubles/whatsapp-web/signal.ts";
import { device } from "./ratchet-harness.ts";
import { ADA, ADA_LID, Traffic } from "./traffic-harness.ts";

let t: Traffic;
beforeEach(async () => (t = await Traffic.start()));
afterEach(() => t.stop());

describe("who could not read a message", () => {
  const group = "120363000000000001@g.us";
  let sent: Mock<typeof t.sock.sendNode>;
  let asked: Mock<typeof t.sock.assertSessions>;
  let relayed: Mock<typeof t.sock.relayMessage>;
  beforeEach(async () => {
    sent = spyOn(t.sock, "sendNode").mockResolvedValue();
    asked = spyOn(t.sock, "assertSessions").mockResolvedValue(true);
    relayed = spyOn(t.sock, "relayMessage").mockResolvedValue("");
    const message = { conversation: "hello" };
    for (const [id, chat] of [
      ["M1", ADA],
      ["M2", group],
    ] as const)
      await t.session.write(
        t.session.sent.putting(id, { chat, delivery: null, message }, t.clock.now()),
      );
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  /** So many receipts have been answered and acknowledged. */
  const ended = async (receipts: number) => {
    while (sent.mock.calls.length < receipts) await settled();
  };

  test("may have a new session: in a group its writer, not the group", async () => {
    const reset = spyOn(t.session.repository, "allowReset");
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA });
    t.hear("CB:receipt", { id: "M2", type: "retry", from: group, participant: ADA });
    for (const type of ["read", "played", "inactive"])
      t.hear("CB:receipt", { id: "M3", type, from: ADA });
    t.hear("CB:receipt", { id: "M4", from: ADA });
    await settled();
    expect(reset.mock.calls).toEqual([[ADA], [ADA]]);
    expect(asked.mock.calls).toEqual([
      [[ADA], true],
      [[ADA], true],
    ]);
  });

  test("gets a session by the keys that came along, which are asked for only where those are no good", async () => {
    const [registration, ...keys] = bundleNodes(new SignalDevice().newBundle());
    const other = bundleNodes(new SignalDevice().newBundle());
    const forged = keys.map((node) =>
      node.tag === "identity" ? (other.find(({ tag }) => tag === "identity") ?? node) : node,
    );
    const withKeys = (nodes: BinaryNode[]) => [
      { tag: "retry", attrs: { count: "2" } },
      ...(registration ? [registration] : []),
      { tag: "keys", attrs: {}, content: nodes },
    ];
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA }, withKeys(keys));
    await ended(1);
    expect(asked).not.toHaveBeenCalled();
    expect(await t.sock.signalRepository.validateSession(ADA)).toMatchObject({ exists: true });
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA }, withKeys(forged));
    await ended(2);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  test("gets a session by the server's keys also where it asks by its number, and the LID has one", async () => {
    const { signalRepository } = t.sock;
    const phone = device("491700000001");
    const [number, lid] = ["491700000001:3@s.whatsapp.net", "900491700000001:3@lid"];
    // As Baileys does: it asks for the keys of the LID.
    asked.mockImplementation(async () => {
      await signalRepository.injectE2ESession({ jid: lid, session: phone.bundle() });
      return true;
    });
    const base = async () => (await signalRepository.getSessionInfo(lid))?.baseKey;
    try {
      await signalRepository.lidMapping.storeLIDPNMappings([{ pn: ADA, lid: ADA_LID }]);
      await signalRepository.injectE2ESession({ jid: lid, session: phone.bundle() });
      const first = await base();
      t.hear("CB:receipt", { id: "M1", type: "retry", from: number });
      await ended(1);
      expect(relayed).toHaveBeenCalledTimes(1);
      expect(first).toBeDefined();
      expect(await base()).not.toEqual(first);
    } finally {
      phone.stop();
    }
  });

  test("gets a group's sender key, whoever is being sent to meanwhile", async () => {
    const { transactions } = t.session;
    t.session.creds.me = { id: "15550001000:7@s.whatsapp.net" };
    const me = t.session.creds.me.id;
    const type = "sender-key-memory";
    const remembered: unknown[] = [];
    const { promise: sending, resolve: finish } = Promise.withResolvers<void>();
    // As Baileys does: it remembers who has the key at the end of a send.
    const send = transactions.transaction(async () => {
      await sending;
      await transactions.set({ [type]: { [group]: { [ADA]: true } } });
    }, me);
    relayed.mockImplementation(() =>
      transactions.transaction(async () => {
        remembered.push(await transactions.get(type, [group]));
        return "";
      }, me),
    );
    t.hear("CB:receipt", { id: "M2", type: "retry", from: group, participant: ADA });
    await settled();
    finish();
    await send;
    await ended(1);
    expect(remembered).toEqual([{}]);
  });

  test("is acknowledged once the message is on its way, and whatever becomes of it", async () => {
    const { promise, reject } = Promise.withResolvers<string>();
    relayed.mockReturnValue(promise);
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA });
    await settled();
    expect(relayed).toHaveBeenCalledTimes(1);
    expect(sent).not.toHaveBeenCalled();
    reject(new Error("cut off"));
    await settled();
    expect(sent.mock.calls).toMatchObject([
      [{ tag: "ack", attrs: { class: "receipt", type: "retry", id: "M1", to: ADA } }],
    ]);
  });

  test("is acknowledged where the disk does not say what was sent", async () => {
    spyOn(t.session.sent, "get").mockImplementation(() => {
      throw new Error("disk I/O error");
    });
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA });
    await ended(1);
    expect(relayed).not.toHaveBeenCalled();
  });

  test("is answered behind one whose answer hangs, after a minute", async () => {
    relayed.mockReturnValueOnce(new Promise(() => {}));
    t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA });
    t.hear("CB:receipt", { id: "M2", type: "retry", from: group, participant: ADA });
    await settled();
    expect(relayed).toHaveBeenCalledTimes(1);
    await t.clock.advance(60_000);
    await settled();
    expect(relayed.mock.calls.map(([chat]) => chat)).toEqual([ADA, group]);
  });

  test("and asks for ids without an end is acknowledged, and nothing else is done", async () => {
    for (let i = 0; i < 100; i++) {
      t.hear("CB:receipt", { id: `made up ${i}`, type: "retry", from: ADA });
      t.hear("CB:receipt", { id: "M1", type: "retry", from: ADA });
    }
    await settled();
    expect(sent).toHaveBeenCalledTimes(200);
    expect(relayed).toHaveBeenCalledTimes(5);
    expect(asked).toHaveBeenCalledTimes(10);
  });
});
