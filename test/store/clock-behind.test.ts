import { describe, expect, test } from "bun:test";
import type { Message } from "../../src/channels/message.ts";
import type { ChatId } from "../../src/store/contract.ts";
import { atLeast } from "../../src/store/platform-time.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, recipientAt } from "../support/store.ts";

const DAY = 24 * 60 * 60 * 1000;
const NOW = 1_800_000_000_000;

const seconds = (ms: number) => ms / 1000;
test.each<[string, number[], number | null]>([
  ["no message", [], null],
  ["a message of now", [seconds(NOW)], null],
  ["one of before", [seconds(NOW - 400 * DAY)], null],
  ["one of a day ahead", [seconds(NOW + DAY)], null],
  ["one of more than a day ahead", [seconds(NOW + DAY) + 1], NOW + DAY + 1000],
  ["two, the later one counts", [seconds(NOW + 40 * DAY), seconds(NOW + 2 * DAY)], NOW + 40 * DAY],
  ["ten years ahead", [seconds(NOW + 3653 * DAY)], NOW + 3653 * DAY],
  ["no clock is as far behind", [seconds(NOW + 3660 * DAY)], null],
])("%s says of the clock", (_, sent, known) => {
  expect(atLeast(NOW, sent)).toBe(known);
});

test.each<[string, number, number | null]>([
  ["a message of these days", NOW, NOW],
  ["one that says anything", NOW + 5000 * DAY, null],
])("%s, where the clock begins with 1970", (_, sent, known) => {
  expect(atLeast(60_000, [seconds(sent)])).toBe(known);
});

describe("what came while the clock was 400 days behind, once it is right", () => {
  const trial = storeTrial();
  const late = 400 * DAY;

  async function arrives(ahead = late): Promise<{ sent: Message; chat: ChatId; id: number }> {
    const sent = message({ timestamp: seconds(trial.clock.now() + ahead) });
    const { admitted } = await trial.store.accept(
      cloud,
      [{ kind: "message", message: sent }],
      everybody,
    );
    const chat = admitted[0]?.chat ?? 0;
    return { sent, chat, id: trial.store.pendingMessages(chat, 100).at(-1)?.id ?? 0 };
  }
  const retain = () =>
    trial.store.retain({
      contentBefore: trial.clock.now() - 30 * DAY,
      keysBefore: trial.clock.now() - 30 * DAY,
      running: [cloud],
      rows: 1000,
    });
  /** The clock is set right, and Revka started anew. */
  const setRight = async () => {
    await trial.clock.advance(late);
    trial.reopen();
  };

  test("waits on in a chat that is paused, and goes when its time is over", async () => {
    // As old as it seems: nothing shows that the clock was behind.
    await arrives(0);
    const { chat, id, sent } = await arrives();
    await trial.store.setPaused(chat, true);
    await setRight();
    expect((await retain()).expired).toEqual({ messages: 1, deliveries: 0 });
    expect(trial.store.pendingMessages(chat, 9).map((each) => each.id)).toEqual([id]);
    expect(trial.store.counts().oldestPendingAt).toBe(sent.timestamp * 1000);
    await trial.clock.advance(30 * DAY + 1);
    expect((await retain()).expired).toEqual({ messages: 1, deliveries: 0 });
  });

  test("waits on for an account that does not run now", async () => {
    await arrives(0);
    const { chat, id } = await arrives();
    await setRight();
    const step = {
      contentBefore: trial.clock.now() - 30 * DAY,
      keysBefore: 0,
      running: [],
      rows: 9,
    };
    expect((await trial.store.retain(step)).expired.messages).toBe(1);
    expect(trial.store.pendingMessages(chat, 9).map((each) => each.id)).toEqual([id]);
    await trial.clock.advance(30 * DAY + 1);
    step.contentBefore = trial.clock.now() - 30 * DAY;
    expect((await trial.store.retain(step)).expired.messages).toBe(1);
  });

  test("is not answered twice, its answer is sent, and the agent remembers it", async () => {
    // Of an operator, who has no time of a platform.
    const other = await trial.store.openChat(cloud, recipientAt("+15550002222"));
    await trial.store.enqueue(other, [
      { id: "d0", content: { kind: "text", text: "x", quote: null } },
    ]);
    const { chat, id, sent } = await arrives();
    await trial.store.finishTurn({
      chat,
      turnId: "turn",
      messages: [id],
      history: [{ role: "user", text: "hello", messageId: id }],
      keepHistory: 100,
      deliveries: ["d1", "d2"].map((delivery) => ({
        id: delivery,
        content: { kind: "text", text: "hello", quote: null },
      })),
    });
    await setRight();
    expect((await retain()).expired).toEqual({ messages: 0, deliveries: 1 });
    expect(trial.store.counts().oldestOpenDeliveryAt).toBe(sent.timestamp * 1000);
    const again = await trial.store.accept(cloud, [{ kind: "message", message: sent }], everybody);
    expect(again.duplicates).toBe(1);
    expect(trial.store.openDelivery(chat)?.id).toBe("d1");
    expect(trial.store.history(chat, 10)).toHaveLength(1);
    await trial.clock.advance(30 * DAY + 1);
    expect((await retain()).expired).toEqual({ messages: 0, deliveries: 2 });
    expect(trial.store.history(chat, 10)).toEqual([]);
    const forgotten = await trial.store.accept(
      cloud,
      [{ kind: "message", message: sent }],
      everybody,
    );
    expect(forgotten.duplicates).toBe(0);
  });

  test("an answer that was sent is found by what the platform says of it, and files stay", async () => {
    const { chat, id } = await arrives();
    await trial.store.addAttachments(id, [{ path: "/media/1", bytes: 1 }]);
    await trial.store.finishTurn({
      chat,
      turnId: "turn",
      messages: [id],
      history: [],
      keepHistory: 100,
      deliveries: [{ id: "d1", content: { kind: "text", text: "hello", quote: null } }],
    });
    await trial.store.markSending("d1");
    await trial.store.markSent("d1", "wamid.out");
    await setRight();
    expect((await retain()).files).toEqual([]);
    expect(trial.store.delivery("d1")?.state).toBe("sent");
    await trial.clock.advance(30 * DAY + 1);
    expect((await retain()).files).toMatchObject([{ path: "/media/1" }]);
    expect(trial.store.delivery("d1")).toBeNull();
  });
});

describe("a message that says to be of years ahead", () => {
  const trial = storeTrial();
  const retain = () =>
    trial.store.retain({
      contentBefore: trial.clock.now() - 30 * DAY,
      keysBefore: 0,
      running: [cloud],
      rows: 9,
    });
  async function arrives(ahead: number): Promise<{ chat: ChatId; id: number }> {
    const sent = message({ timestamp: seconds(trial.clock.now() + ahead) });
    const event = { kind: "message" as const, message: sent };
    const { admitted } = await trial.store.accept(cloud, [event], everybody);
    const chat = admitted[0]?.chat ?? 0;
    return { chat, id: trial.store.pendingMessages(chat, 9).at(-1)?.id ?? 0 };
  }

  test("is taken in also where it names a part of a millisecond", async () => {
    const { id } = await arrives(2 * DAY + 0.1);
    expect(id).toBeGreaterThan(0);
  });

  test("keeps none of those behind it", async () => {
    const { chat } = await arrives(3000 * DAY);
    await arrives(0);
    await trial.store.setPaused(chat, true);
    await trial.clock.advance(30 * DAY + 1);
    expect((await retain()).expired.messages).toBe(1);
  });

  test("nor does its answer keep another that cannot be sent", async () => {
    for (const [at, ahead] of [3000 * DAY, 0].entries()) {
      const { chat, id } = await arrives(ahead);
      await trial.store.finishTurn({
        chat,
        turnId: `turn ${at}`,
        messages: [id],
        history: [],
        keepHistory: 100,
        deliveries: [{ id: `d${at}`, content: { kind: "text", text: "hello", quote: null } }],
      });
    }
    await trial.clock.advance(30 * DAY + 1);
    expect((await retain()).expired.deliveries).toBe(1);
    expect(trial.store.delivery("d0")?.state).toBe("pending");
  });
});
