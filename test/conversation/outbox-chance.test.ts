import { expect, test } from "bun:test";
import type { SentLookup } from "../../src/channels/channel.ts";
import type { SendFailure } from "../../src/channels/message.ts";
import { fakeChannel } from "../support/channel.ts";
import { outboxTrial } from "../support/outbox-trial.ts";

const { trial, open, pass, queue } = outboxTrial();

const answer = (retry: SendFailure["retry"]) => ({
  ok: false as const,
  failure: { retry, afterMs: null, code: "code", hint: "hint" },
});
const chatOf = (id: string) => id.slice(0, 1);
const putOff = ["unsent", "backoff", "hold", "recipient"] as const;

// A platform that can be asked, has bad times in which it tells nothing and takes nothing, and loses answers in between.
test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "whatever a platform answers, each delivery arrives once and in its order (%d)",
  async (seed) => {
    let state = seed;
    const chance = () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
    const upTo = (end: number) => Math.floor(chance() * end);
    const takes = () => new Promise<void>((done) => trial.clock.after(upTo(400), done));
    const arrived: { id: string; chat: string }[] = [];
    /** What was asked for in a bad time is not taken before it ends for the one who asks. */
    const untold = new Set<string>();
    let calm = false;
    const bad = () => !calm && Math.floor(trial.clock.now() / 40_000) % 3 === 0;
    const refusal = () => answer(putOff[upTo(putOff.length)] ?? "backoff");

    trial.channel = fakeChannel({
      repeat: "ask",
      graceMs: 2_000,
      async send({ id }, signal) {
        await takes();
        if (bad() || untold.has(id)) return refusal();
        const lost = signal.aborted || (!calm && chance() < 0.4);
        if (!calm && !lost && chance() < 0.2) return refusal();
        if (lost && chance() < 0.4) return answer("ambiguous");
        arrived.push({ id, chat: chatOf(id) });
        return lost ? answer("ambiguous") : { ok: true, platformId: `w${arrived.length - 1}` };
      },
      async findSent({ id }): Promise<SentLookup> {
        await takes();
        if (bad()) untold.add(id);
        else untold.delete(id);
        if (bad()) return answer("no");
        if (!calm && chance() < 0.3) return chance() < 0.5 ? refusal() : answer("ambiguous");
        // All of them read the same.
        const found = arrived.flatMap((one, at) => (one.chat === chatOf(id) ? [at] : []));
        return { ok: true, found: found.toReversed().map((at) => [`w${at}`]) };
      },
    });
    open();
    const ids = ["a", "b", "c"].map((chat) => [1, 2, 3, 4].map((at) => `${chat}${at}`));
    for (const [at, chat] of ids.entries()) await queue(`+1555000111${at}`, ...chat);
    trial.outbox.start();
    for (let step = 0; step < 40; step++) {
      await pass(upTo(20_000));
      if (chance() > 0.15) continue;
      const drained = trial.outbox.drain(300);
      await pass(1_000);
      await drained;
      open();
      trial.outbox.start();
    }
    calm = true;
    untold.clear();
    for (let left = 100; left > 0 && trial.store.counts().openDeliveries > 0; left--) {
      await pass(30_000);
    }
    for (const chat of ids) {
      expect(arrived.map(({ id }) => id).filter((id) => chat.includes(id))).toEqual(chat);
    }
    expect(trial.store.counts()).toMatchObject({ openDeliveries: 0, failedDeliveries: 0 });
  },
);
