import { describe, expect, test } from "bun:test";
import type { Sender } from "../../src/channels/message.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const day = 24 * 60 * 60 * 1000;
const trial = storeTrial();
const retain = async () => {
  const { files } = await trial.store.retain({
    contentBefore: trial.clock.now() - 2 * day,
    keysBefore: trial.clock.now() - 8 * day,
    running: [cloud],
    rows: 1_000,
  });
  return { files: files.map(({ path }) => path) };
};

describe("the file of an answer stays until its chat has sent everything", () => {
  const ada = "+15550007777";
  const by = (sender: Partial<Sender>) =>
    trial.store.accept(
      cloud,
      [{ kind: "message", message: message({ sender: { ...nobody, ...sender } }) }],
      everybody,
    );

  /** A message that is answered after its time, and the answer waits. */
  async function answered(sender: Partial<Sender>, name = "answer"): Promise<void> {
    const { admitted } = await by(sender);
    const chat = admitted[0]?.chat ?? 0;
    const id = trial.store.pendingMessages(chat, 1)[0]?.id ?? 0;
    await trial.clock.advance(3 * day);
    await trial.store.addAttachments(id, [{ path: `/media/${name}`, bytes: 1 }]);
    const content = { kind: "text" as const, text: name, quote: null };
    const deliveries = [{ id: name, content }];
    const turn = { chat, turnId: name, messages: [id], history: [], keepHistory: 10, deliveries };
    await trial.store.finishTurn(turn);
  }

  test("however long ago it was asked for", async () => {
    await answered({ phone: ada });
    expect((await retain()).files).toEqual([]);
    await trial.store.markSending("answer");
    expect((await retain()).files).toEqual([]);
    await trial.store.markSent("answer", "wamid.1");
    expect((await retain()).files).toEqual(["/media/answer"]);
  });

  test("also where the chat was joined with another meanwhile", async () => {
    await by({ phone: ada });
    await answered({ userId: "US.1" });
    await by({ phone: ada, userId: "US.1" });
    expect((await retain()).files).toEqual([]);
    await trial.store.markSending("answer");
    await trial.store.markSent("answer", "wamid.1");
    expect((await retain()).files).toEqual(["/media/answer"]);
  });

  test("and no other chat's", async () => {
    await answered({ phone: "+15550008888" }, "other");
    await trial.store.markSending("other");
    await trial.store.markSent("other", "wamid.2");
    await answered({ phone: ada });
    expect((await retain()).files).toEqual(["/media/other"]);
  });
});
