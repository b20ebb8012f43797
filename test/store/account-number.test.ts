import { beforeEach, describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import { acceptTrial } from "../support/accept-trial.ts";
import { cloud, everybody, message } from "../support/store.ts";

const { trial, accept, chatOf } = acceptTrial();

describe("an account that speaks as another number", () => {
  const speaks = (number: string) =>
    trial.store.accept(cloud, [{ kind: "account", number }], everybody);
  const content = { kind: "text" as const, text: "an answer", quote: null };
  let chat: number;
  beforeEach(async () => {
    await speaks("+15550000001");
    chat = await chatOf(message());
    await trial.store.enqueue(chat, [{ id: "d1", content }]);
  });

  test("answers nothing that waited for the one before", async () => {
    const { abandoned } = await speaks("+15550000002");
    expect(abandoned).toEqual({ messages: 1, deliveries: 1 });
    expect(trial.store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 0 });
    expect(trial.store.pendingMessages(chat, 9)).toEqual([]);
    const file = new DatabaseSync(trial.file, { readOnly: true });
    expect(file.prepare("SELECT message FROM inbox").all()).toEqual([{ message: null }]);
    file.close();
    expect(trial.store.delivery("d1")).toMatchObject({ state: "failed", code: "account_changed" });
    await accept([message()], everybody);
    expect(trial.store.pendingMessages(chat, 9)).toHaveLength(1);
    expect(await trial.store.redeliver("d1")).toBe(true);
    expect(trial.store.openDelivery(chat)?.id).toBe("d1");
  });

  test("gives up a turn that still runs", async () => {
    const [first] = trial.store.pendingMessages(chat, 1);
    await speaks("+15550000002");
    const turn = { turnId: "t", messages: [first?.id ?? 0], history: [], keepHistory: 9 };
    const deliveries = [{ id: "d2", content }];
    expect(await trial.store.finishTurn({ ...turn, chat, deliveries })).toBeNull();
    expect(trial.store.delivery("d2")).toBeNull();
  });

  test("keeps everything where it is the same, and what another account has", async () => {
    const other = { ...cloud, account: "2000" };
    for (const number of ["+15550000002", "+15550000003"]) {
      const { abandoned } = await trial.store.accept(
        other,
        [{ kind: "account", number }],
        everybody,
      );
      expect(abandoned).toEqual({ messages: 0, deliveries: 0 });
    }
    expect((await speaks("+15550000001")).abandoned).toEqual({ messages: 0, deliveries: 0 });
    expect(trial.store.counts()).toMatchObject({ pendingMessages: 1, openDeliveries: 1 });
  });
});
