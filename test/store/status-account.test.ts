import { describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { DeliveryState, InboundEvent } from "../../src/channels/message.ts";
import type { Source } from "../../src/store/contract.ts";
import { delivery, failure } from "../support/deliveries-trial.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, nobody, recipientAt } from "../support/store.ts";

const trial = storeTrial();
const wati = (account: string): Source => ({ channel: "wati", backend: "wati", account });

const tell = (source: Source, event: InboundEvent) =>
  trial.store.accept(source, [event], everybody);
const status = (
  source: Source,
  state: DeliveryState,
  platformId: string,
  deliveryId: string | null = null,
) =>
  tell(source, {
    kind: "status",
    status: {
      platformId,
      deliveryId,
      state,
      timestamp: 1,
      failure: state === "failed" ? failure : null,
    },
  });

/** Deliveries of this account that are being sent. */
async function sending(source: Source, ...ids: string[]): Promise<void> {
  const chat = await trial.store.openChat(source, recipientAt("+15550001111"));
  await trial.store.enqueue(chat, ids.map(delivery));
  await trial.store.markSending(ids[0] ?? "");
}

describe("what is said of a message counts from the account that sent it alone", () => {
  const others: [string, Source][] = [
    ["another channel", wati("1000")],
    ["another account", { ...cloud, account: "2000" }],
  ];
  test.each(others)("by the id that the platform gave it: %s", async (_, other) => {
    await sending(cloud, "d1");
    await trial.store.markSent("d1", "wamid.1");
    expect((await status(other, "failed", "wamid.1")).moved).toEqual([]);
    await status(other, "read", "wamid.1");
    expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", status: null });
    await status(cloud, "delivered", "wamid.1");
    expect(trial.store.delivery("d1")?.status).toBe("delivered");
  });

  test.each(others)("by our own id, while its answer is due: %s", async (_, other) => {
    await sending(cloud, "d1");
    expect((await status(other, "sent", "wamid.1", "d1")).moved).toEqual([]);
    expect(trial.store.delivery("d1")).toMatchObject({ state: "sending", platformId: null });
    expect((await status(cloud, "sent", "wamid.1", "d1")).moved).toHaveLength(1);
  });

  test.each(others)("before its answer tells what it is called: %s", async (_, other) => {
    await sending(cloud, "d1", "d2");
    await status(other, "failed", "wamid.1");
    expect(await trial.store.markSent("d1", "wamid.1")).toEqual({ failure: null });
    await trial.store.markSending("d2");
    // Nor does the other's word keep out that of its own.
    await status(other, "read", "wamid.2");
    await status(cloud, "failed", "wamid.2");
    expect(await trial.store.markSent("d2", "wamid.2")).toEqual({ failure });
  });

  test.each(others)("where both call a message the same: %s", async (_, other) => {
    await sending(cloud, "d1");
    await trial.store.markSent("d1", "wamid.1");
    await sending(other, "d2");
    await trial.store.markSent("d2", "wamid.1");
    await status(cloud, "read", "wamid.1");
    const seen = ["d1", "d2"].map((id) => trial.store.delivery(id)?.status);
    expect(seen).toEqual(["read", null]);
  });

  test.each(others)("a reaction to it, too: %s", async (_, other) => {
    await sending(cloud, "d1");
    await trial.store.markSent("d1", "wamid.1");
    const sender = { ...nobody, phone: "+15550001111" };
    for (const [source, emoji] of [
      [cloud, "👍"],
      [other, "👎"],
    ] as const) {
      await tell(source, { kind: "reaction", targetId: "wamid.1", emoji, sender });
    }
    const file = new DatabaseSync(trial.file, { readOnly: true });
    expect(file.prepare("SELECT reaction FROM outbox").all()).toEqual([{ reaction: "👍" }]);
    file.close();
  });
});

test("an account that is named otherwise since is the one that sent it", async () => {
  await sending(wati("host"), "d1", "d2");
  await status(wati("host"), "failed", "wati.2");
  await trial.store.markSent("d1", "wati.1");
  await trial.store.renameAccount(wati("host/1"), (account) => account === "host");
  expect((await status(wati("host/1"), "failed", "wati.1")).moved).toHaveLength(1);
  await trial.store.markSending("d2");
  // Heard under the name before.
  expect(await trial.store.markSent("d2", "wati.2")).toEqual({ failure });
});

test("two chats that turned out to be one person's are of one account still", async () => {
  await sending(cloud, "d1");
  await trial.store.markSent("d1", "wamid.1");
  const userId = "US.1";
  const other = await trial.store.openChat(cloud, {
    kind: "direct",
    phone: null,
    userId,
    lid: null,
  });
  await trial.store.enqueue(other, [delivery("d2")]);
  await trial.store.markSending("d2");
  await trial.store.markSent("d2", "wamid.2");
  const sender = { ...nobody, phone: "+15550001111", userId };
  await tell(cloud, { kind: "identity", sender, previousUserId: null, previousPhone: null });
  expect(trial.store.delivery("d1")?.chat).toBe(trial.store.delivery("d2")?.chat ?? 0);
  for (const id of ["wamid.1", "wamid.2"]) await status(cloud, "read", id);
  const seen = ["d1", "d2"].map((id) => trial.store.delivery(id)?.status);
  expect(seen).toEqual(["read", "read"]);
});
