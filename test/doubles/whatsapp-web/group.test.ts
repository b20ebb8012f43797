import { afterEach, expect, test } from "bun:test";
import { type Fixture, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test.each(["lid", "pn"] as const)("a group in %s mode, both ways", async (addressing) => {
  f = await fixture();
  const { ada, bob, owner, client, wa } = f;
  const group = wa.addGroup({ subject: "Team", members: [ada, bob, owner], addressing });
  const metadata = await client.sock.groupMetadata(group.jid);
  expect(metadata.participants.length).toBe(3);
  expect(metadata.addressingMode as string).toBe(addressing);

  await ada.send(group, "hello all");
  const { key } = (await client.received("hello all")).message;
  expect(key.remoteJid).toBe(group.jid);
  expect(key.participant).toBe(addressing === "lid" ? ada.lid : ada.jid);
  expect(key.participantAlt).toBe(addressing === "lid" ? ada.jid : ada.lid);
  await ada.send(group, "again");
  await client.received("again");

  await client.sendText(group.jid, "hello Ada and Bob");
  for (const phone of [ada, bob, owner]) {
    const message = await phone.waitForMessage("hello Ada and Bob");
    expect(message.chat).toBe(group.jid);
    expect(message.encryption).toBe("skmsg");
  }
  await client.sendText(group.jid, "second");
  await Promise.all([ada, bob].map((phone) => phone.waitForMessage("second")));
  expect(ada.undecryptable.count + bob.undecryptable.count).toBe(0);
});

test("all groups of the account are listed", async () => {
  f = await fixture();
  const { ada, bob, owner, client, wa } = f;
  const mine = wa.addGroup({ subject: "Mine", members: [ada, owner] });
  wa.addGroup({ subject: "Not mine", members: [ada, bob] });
  expect(Object.keys(await client.sock.groupFetchAllParticipating())).toEqual([mine.jid]);
});

test("the owner writes to a group on the phone", async () => {
  f = await fixture();
  const group = f.wa.addGroup({ subject: "Team", members: [f.ada, f.owner] });
  await f.owner.send(group, "from the phone");
  const { key } = (await f.client.received("from the phone")).message;
  expect(key.fromMe).toBe(true);
  await f.ada.waitForMessage("from the phone");
});

test("clients are told who was added and removed", async () => {
  f = await fixture();
  const group = f.wa.addGroup({ subject: "Team", members: [f.ada, f.owner] });
  f.wa.changeGroup(group, "add", f.bob);
  const added = await f.client.upserts.waitFor(({ message }) => message.messageStubType === 27);
  expect(added.message.messageStubParameters?.[0]).toContain(f.bob.lid);
  await f.client.sendText(group.jid, "welcome");
  await f.bob.waitForMessage("welcome");
  f.wa.changeGroup(group, "remove", f.bob);
  await f.client.upserts.waitFor(({ message }) => message.messageStubType === 28);
  expect((await f.client.sock.groupMetadata(group.jid)).participants.length).toBe(2);
});

test("a status is no chat message", async () => {
  f = await fixture();
  await f.ada.postStatus("on holiday", [f.owner]);
  const { key } = (await f.client.received("on holiday")).message;
  expect([key.remoteJid, key.participant]).toEqual(["status@broadcast", f.ada.jid]);
});
