import { describe, expect, test } from "bun:test";
import type { Source } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, recipientAt } from "../support/store.ts";

const trial = storeTrial();
const wati = (account: string): Source => ({ channel: "wati", backend: "wati", account });
const anyOf =
  (...accounts: string[]) =>
  (account: string) =>
    accounts.includes(account);

async function take(source: Source, of = message()) {
  const { admitted, duplicates } = await trial.store.accept(
    source,
    [{ kind: "message", message: of }],
    everybody,
  );
  return { chat: admitted[0]?.chat ?? null, duplicates };
}

const accounts = () => trial.store.sources().map(({ source }) => source.account);

describe("an account that is named otherwise than before", () => {
  test("keeps what it knows, what waits, and who is paused", async () => {
    const first = message();
    const { chat } = await take(wati("host"), first);
    if (chat === null) throw new Error("not admitted");
    await trial.store.setPaused(chat, true);
    const content = { kind: "text", text: "hi", quote: null } as const;
    await trial.store.enqueue(chat, [{ id: "d1", content }]);
    expect(trial.store.chat(chat)?.source.account).toBe("host");

    expect(await trial.store.renameAccount(wati("host/1"), anyOf("host"))).toBe("host");
    for (const again of [true, false]) {
      expect(trial.store.chat(chat)).toMatchObject({ source: wati("host/1"), paused: true });
      expect(await take(wati("host/1"), first)).toEqual({ chat: null, duplicates: 1 });
      expect(await trial.store.openChat(wati("host/1"), recipientAt("+15550001111"))).toBe(chat);
      if (again) trial.reopen();
    }
    expect(trial.store.counts()).toMatchObject({ pendingMessages: 1, openDeliveries: 1 });
    expect(accounts()).toEqual(["host/1"]);
  });

  test("is another where nothing tells that it was this one, or the channel is another", async () => {
    await take(wati("elsewhere"));
    await take(cloud);
    const was = anyOf("host", cloud.account);
    expect(await trial.store.renameAccount(wati("host/1"), was)).toBeNull();
    expect(accounts()).toEqual(["elsewhere", cloud.account]);
  });

  test("is none of several that it may have been", async () => {
    for (const account of ["host/a", "host/b", "host/c"]) await take(wati(account));
    expect(await trial.store.renameAccount(wati("host"), anyOf("host/a", "host/b"))).toBeNull();
    expect(accounts()).toEqual(["host/a", "host/b", "host/c"]);
    expect(await trial.store.renameAccount(wati("host"), anyOf("host/b"))).toBe("host/b");
    expect(accounts()).toEqual(["host/a", "host", "host/c"]);
  });

  test("stays as it is where it is known by this name already", async () => {
    const first = message();
    await take(wati("host"), first);
    await take(wati("host/1"));
    for (const was of [anyOf("host", "host/1"), anyOf("host")]) {
      expect(await trial.store.renameAccount(wati("host/1"), was)).toBeNull();
    }
    expect(accounts()).toEqual(["host", "host/1"]);
    expect((await take(wati("host"), first)).duplicates).toBe(1);
  });
});
