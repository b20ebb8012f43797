import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Recipient } from "../../../src/channels/message.ts";
import { messageIdOf } from "../../../src/channels/whatsapp-web/outgoing.ts";
import { ADA, ADA_LID, GROUP, clientHarness, delivery, toAda, toGroup } from "./client-harness.ts";

const ID = messageIdOf("delivery-1");
let h: ReturnType<typeof clientHarness>;
beforeEach(() => (h = clientHarness()));
afterEach(() => h.stop());

/** Lets a send run until it waits for the outside. */
const relayed = () => h.clock.advance(0);
const failure = (retry: string, code: string) => ({ ok: false, failure: { retry, code } });

describe("the server's word", () => {
  test("a message is sent when the server says so, not before", async () => {
    let over = false;
    const sending = h.send(delivery(toAda)).finally(() => (over = true));
    await relayed();
    expect(h.relayed.map(({ chat, id }) => [chat, id])).toEqual([[ADA, ID]]);
    expect(over).toBe(false);
    h.client.acknowledgements.settle(ID, null);
    expect(await sending).toEqual({ ok: true, platformId: ID });
  });

  test("a word that comes while the message is still being written counts", async () => {
    h.world.relay = async () => h.client.acknowledgements.settle(ID, null);
    expect(await h.send(delivery(toAda))).toMatchObject({ ok: true });
  });

  test("a refusal is a failure; of the addressing, devices are looked up anew", async () => {
    for (const error of ["400", "479", null]) {
      h.caches.devices.set("491700000001", []);
      const sending = h.send(delivery(toAda));
      await relayed();
      h.client.acknowledgements.settle(ID, error);
      const result = await sending;
      expect(result.ok).toBe(error === null);
      const known = h.caches.devices.get("491700000001") !== undefined;
      expect([error, known]).toEqual([error, error !== "479"]);
    }
  });

  test("of a group that refuses a message, its members and their addresses are asked anew", async () => {
    for (const error of ["421", null]) {
      h.caches.groups.set(GROUP, { id: GROUP, subject: "", owner: undefined, participants: [] });
      const sending = h.send(delivery(toGroup));
      await relayed();
      h.client.acknowledgements.settle(ID, error);
      expect((await sending).ok).toBe(error === null);
      expect([error, h.caches.groups.get(GROUP) !== undefined]).toEqual([error, error === null]);
    }
  });

  test("where the connection ends before it, nobody knows", async () => {
    const sending = h.send(delivery(toAda));
    await relayed();
    h.client.acknowledgements.lose();
    expect(await sending).toMatchObject(failure("ambiguous", "no_ack"));
  });

  test("where it does not come in time, nobody knows", async () => {
    const sending = h.send(delivery(toAda));
    await relayed();
    await h.clock.advance(45_000);
    expect(await sending).toMatchObject(failure("ambiguous", "no_ack"));
    expect(h.clock.pending).toBe(1);
  });

  test("a stop while it is waited for leaves what nobody knows", async () => {
    const stop = new AbortController();
    const sending = h.send(delivery(toAda), stop.signal);
    await relayed();
    stop.abort(new Error("stopping"));
    expect(await sending).toMatchObject(failure("ambiguous", "no_ack"));
  });

  test("a stop that came before is not waited through", async () => {
    h.world.relay = () => new Promise(() => {});
    const stopped = AbortSignal.abort(new Error("stopping"));
    await expect(h.send(delivery(toGroup), stopped)).rejects.toThrow("stopping");
    expect(h.clock.pending).toBe(1);
  });

  test("what fails only after a stop is nobody's to hear", async () => {
    const late = Promise.withResolvers<void>();
    h.world.relay = () => late.promise;
    const stopped = AbortSignal.abort(new Error("stopping"));
    await expect(h.send(delivery(toGroup), stopped)).rejects.toThrow("stopping");
    // Heard by nobody, it would end the process.
    const unheard = mock();
    process.on("unhandledRejection", unheard);
    late.reject(new Error("connection closed"));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unheard);
    expect(unheard).not.toHaveBeenCalled();
  });

  test("a stop before the message was written sends nothing", async () => {
    const stop = new AbortController();
    h.world.relay = () => new Promise(() => {});
    const sending = h.send(delivery(toAda), stop.signal);
    await relayed();
    stop.abort(new Error("stopping"));
    await expect(sending).rejects.toThrow("stopping");
  });
});

describe("what was not sent", () => {
  test("without a connection it waits for one, with the reason", async () => {
    h.world.connected = false;
    const result = await h.send(delivery(toAda));
    expect(result).toMatchObject(failure("hold", "not_connected"));
    expect(!result.ok && result.failure.hint).toContain("linking");
  });

  test("what could not be written in time is tried again", async () => {
    h.world.relay = () => new Promise(() => {});
    const sending = h.send(delivery(toAda));
    await relayed();
    await h.clock.advance(44_999);
    let over = false;
    void sending.finally(() => (over = true));
    await relayed();
    expect(over).toBe(false);
    await h.clock.advance(1);
    expect(await sending).toMatchObject(failure("backoff", "timeout"));
  });

  test("what could not be written at all is tried again", async () => {
    h.world.relay = async () => {
      throw new Error("no session");
    };
    expect(await h.send(delivery(toAda))).toMatchObject(failure("backoff", "send_failed"));
    expect(h.clock.pending).toBe(1);
  });

  test.each([403, 404])("a group refused with %i is given up; a person is not", async (code) => {
    h.world.relay = async () => {
      throw Object.assign(new Error("refused"), { data: code });
    };
    expect(await h.send(delivery(toGroup))).toMatchObject(failure("no", `group_${code}`));
    expect(await h.send(delivery(toAda))).toMatchObject(failure("backoff", "send_failed"));
  });

  test("a group that is refused otherwise is tried again", async () => {
    h.world.relay = async () => {
      throw Object.assign(new Error("refused"), { data: 500 });
    };
    expect(await h.send(delivery(toGroup))).toMatchObject(failure("backoff", "send_failed"));
  });
});

describe("whom it goes to", () => {
  beforeEach(() => h.acknowledged());
  const direct = (phone: string | null, lid: string | null): Recipient => ({
    kind: "direct",
    ...{ phone, lid, userId: null },
  });
  const chats = () => h.relayed.map(({ chat }) => chat);

  test("the LID, where it has devices; else the number", async () => {
    await h.send(delivery(direct("+491700000001", ADA_LID)));
    h.world.devices = [ADA];
    await h.send(delivery(direct("+491700000001", ADA_LID), "x", "2"));
    h.world.devices = [ADA_LID];
    await h.send(delivery(direct(null, ADA_LID), "x", "3"));
    expect(chats()).toEqual([ADA_LID, ADA, ADA_LID]);
    expect(h.world.lookedUp).toEqual([ADA_LID, ADA_LID, ADA, ADA_LID]);
  });

  function lookUpsNameHerLid(): void {
    const names = h.sock.getUSyncDevices;
    spyOn(h.sock, "getUSyncDevices").mockImplementation(async (...query) => {
      await h.session.transactions.set({
        "lid-mapping": {
          "491700000001": "900491700000001",
          "900491700000001_reverse": "491700000001",
        },
      });
      return names(...query);
    });
  }

  test("the LID that a look-up of the number names; the account's other devices hear of both", async () => {
    lookUpsNameHerLid();
    await h.send(delivery(toAda));
    await h.send(delivery(toAda, { kind: "edit", targetId: "T", text: "x" }, "2"));
    expect(chats()).toEqual([ADA_LID, ADA_LID]);
    const alias = { peer_recipient_pn: ADA };
    expect(h.relayed.map(({ attributes }) => attributes)).toEqual([alias, { edit: "1", ...alias }]);
  });

  test("not a LID that has no devices, where the number has some", async () => {
    h.world.devices = [ADA];
    lookUpsNameHerLid();
    await h.send(delivery(toAda));
    expect(chats()).toEqual([ADA]);
  });

  test("a number that its owner gave up, and not that person under the new one", async () => {
    await h.session.transactions.set({
      "lid-mapping": {
        "491700000001": "900491700000001",
        "491700000009": "900491700000001",
        "900491700000001_reverse": "491700000009",
      },
    });
    await h.send(delivery(toAda));
    expect(chats()).toEqual([ADA]);
  });

  test("devices that are known are not looked up", async () => {
    h.caches.devices.set("491700000001", []);
    await h.send(delivery(toAda));
    expect(chats()).toEqual([ADA]);
    expect(h.world.lookedUp).toEqual([]);
  });

  test("a group is asked nothing; neither is the own chat, which is the own number's", async () => {
    await h.send(delivery(toGroup));
    await h.send(delivery({ kind: "self" }, "x", "2"));
    expect(chats()).toEqual([GROUP, "15550001000@s.whatsapp.net"]);
    expect(h.world.lookedUp).toEqual([]);
  });

  test.each<[string, typeof h.world.onWhatsApp, string, string]>([
    ["there is none", async (jid) => [{ jid, exists: false }], "no", "not_on_whatsapp"],
    ["nothing is known", async () => [], "no", "not_on_whatsapp"],
    ["it is there", async (jid) => [{ jid, exists: true }], "recipient", "no_devices"],
    ["the answer is none", async () => undefined, "recipient", "no_devices"],
    [
      "it does not say",
      async () => {
        throw new Error("time-out");
      },
      ...(["recipient", "no_devices"] as const),
    ],
  ])("a number without devices, where of it the server says: %s", async (_, says, retry, code) => {
    h.world.devices = [];
    h.world.onWhatsApp = says;
    expect(await h.send(delivery(toAda))).toMatchObject(failure(retry, code));
    expect(h.relayed).toEqual([]);
  });

  test("a LID without devices is not asked for as a number", async () => {
    h.world.devices = [];
    const asked = spyOn(h.world, "onWhatsApp");
    const result = await h.send(delivery(direct(null, ADA_LID)));
    expect(result).toMatchObject(failure("recipient", "no_devices"));
    expect(asked).not.toHaveBeenCalled();
  });

  test("somebody else's devices are not taken for the recipient's, nor is what that look-up left", async () => {
    h.world.devices = [];
    spyOn(h.sock, "getUSyncDevices").mockImplementation(async () => {
      h.caches.devices.set("491700000001", []);
      return [{ user: "447700900002", jid: "x" }];
    });
    for (let times = 0; times < 2; times++) {
      expect(await h.send(delivery(toAda))).toMatchObject(failure("recipient", "no_devices"));
    }
  });
});

describe("a repeat", () => {
  const first = async (recipient: Recipient, content?: Parameters<typeof delivery>[1]) => {
    const sending = h.send(delivery(recipient, content));
    await h.clock.advance(0);
    while (h.relayed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    h.client.acknowledgements.lose();
    await sending;
    await h.session.commit.written();
  };

  const pair = { "491700000001": "900491700000001", "900491700000001_reverse": "491700000001" };

  test("is the same message under the same id, whatever the text is by now", async () => {
    await first(toAda, "hello");
    h.acknowledged();
    expect(await h.send(delivery(toAda, "changed"))).toEqual({ ok: true, platformId: ID });
    const [one, two] = h.relayed;
    expect(two?.id).toBe(one?.id ?? "");
    expect(two?.message.extendedTextMessage?.text).toBe("hello");
    const secrets = [one, two].map((sent) => sent?.message.messageContextInfo?.messageSecret);
    expect(Buffer.from(secrets[1] ?? [])).toEqual(Buffer.from(secrets[0] ?? []));
  });

  test("is the same, too, where it goes to the person's LID by now", async () => {
    await first(toAda, "hello");
    await h.session.transactions.set({ "lid-mapping": pair });
    h.acknowledged();
    expect(await h.send(delivery(toAda, "changed"))).toEqual({ ok: true, platformId: ID });
    const [one, two] = h.relayed;
    expect([one?.chat, two?.chat]).toEqual([ADA, ADA_LID]);
    expect(two?.message.extendedTextMessage?.text).toBe("hello");
  });

  test("does not upload its file again", async () => {
    const path = join(h.folder, "picture.png");
    writeFileSync(path, "picture");
    const media = { kind: "media", media: "image", path, mimeType: "image/png" } as const;
    const content = { ...media, filename: null, caption: null, durationSecs: null };
    await first(toAda, content);
    h.acknowledged();
    expect(await h.send(delivery(toAda, content))).toMatchObject({ ok: true });
    const byLid = { ...toAda, lid: ADA_LID };
    await h.session.transactions.set({ "lid-mapping": pair });
    expect(await h.send(delivery(byLid, content))).toMatchObject({ ok: true });
    expect(h.relayed.map(({ chat }) => chat)).toEqual([ADA, ADA, ADA_LID]);
    expect(h.world.uploads).toHaveLength(1);
  });

  test("of a reaction is as old as it was", async () => {
    const content = { kind: "reaction", targetId: "T", emoji: "x" } as const;
    await first(toAda, content);
    await h.clock.advance(60_000);
    h.acknowledged();
    await h.send(delivery(toAda, content));
    const times = h.relayed.map(({ message }) =>
      String(message.reactionMessage?.senderTimestampMs),
    );
    expect(times[1]).toBe(times[0] ?? "");
  });

  test("to somebody else is no repeat", async () => {
    await first(toAda, "hello");
    h.world.devices = ["447700900002@s.whatsapp.net"];
    h.acknowledged();
    await h.send(delivery({ ...toAda, phone: "+447700900002" }, "changed"));
    expect(h.relayed[1]?.message.extendedTextMessage?.text).toBe("changed");
  });

  test.each([
    ["another address", {}],
    ["another address of one person's", pair],
  ])("under %s is written for that one", async (_, known) => {
    await first(toAda, { kind: "revoke", targetId: "T" });
    await h.session.transactions.set({ "lid-mapping": known });
    h.world.devices = [ADA_LID];
    h.acknowledged();
    await h.send(delivery({ ...toAda, lid: ADA_LID }, { kind: "revoke", targetId: "T" }));
    const keys = h.relayed.map(({ message }) => message.protocolMessage?.key?.remoteJid);
    expect(keys).toEqual([ADA, ADA_LID]);
  });

  test("to a group hands out its sender key again: who has it is not known", async () => {
    const forgotten = spyOn(h.session, "forgetSenderKeyRecipients");
    await first(toGroup);
    expect(forgotten).not.toHaveBeenCalled();
    h.acknowledged();
    await h.send(delivery(toGroup));
    expect(forgotten.mock.calls).toEqual([[GROUP]]);
  });

  test("so does the next message, after one that could not be written", async () => {
    const forgotten = spyOn(h.session, "forgetSenderKeyRecipients");
    h.world.relay = async () => {
      throw new Error("cut off");
    };
    await h.send(delivery(toAda));
    expect(forgotten).not.toHaveBeenCalled();
    await h.send(delivery(toGroup));
    expect(forgotten.mock.calls).toEqual([[GROUP]]);
  });
});
