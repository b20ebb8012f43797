import { readdirSync } from "node:fs";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { lockSession } from "../../src/channels/whatsapp-web/session-lock.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { Harness, heldClock, impatientClock } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

/** A linked device that hands a message of Ada's over, which is taken once the answer is called. */
async function handingOver(clock: Clock = impatientClock): Promise<() => void> {
  const [offered, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  h = await Harness.linked({
    clock,
    admit: async (events) => {
      if (!events.some(({ kind }) => kind === "message")) return;
      offered.resolve();
      await taken.promise;
    },
  });
  await h.ada.send(h.owner, "one");
  await offered.promise;
  return taken.resolve;
}

test("a stop waits for what is being handed over, which then does not come again", async () => {
  const take = await handingOver();
  const stopping = h.channel.stop();
  take();
  await stopping;
  await h.run();
  await h.ready();
  await h.ada.send(h.owner, "two");
  await h.message("two");
  expect(h.messages().map(({ text }) => text)).toEqual(["one", "two"]);
});

test("a device that is linked anew is taken off the phone", async () => {
  h = await Harness.linked();
  const [before] = h.owner.companions;
  await h.channel.relink?.();
  await h.link();
  expect(h.owner.companions.length).toBe(1);
  expect(h.owner.companions[0] === before).toBe(false);
});

test("linked anew twice at once, its session is moved aside once, and a phone can link", async () => {
  h = await Harness.linked();
  await Promise.all([h.channel.relink?.(), h.channel.relink?.()]);
  expect(readdirSync(h.folder).filter((name) => name.includes(".logged-out-"))).toHaveLength(1);
  await h.link();
  expect(await h.send(h.ada, "hello")).toMatchObject({ ok: true });
});

test("a stop while a device is linked anew leaves neither session nor connection behind", async () => {
  h = await Harness.linked();
  const relinking = h.channel.relink?.().catch((error: Error) => error.message);
  await h.channel.stop();
  expect(await relinking).toBe("the channel is not running");
  expect(h.channel.status().state).toBe("disconnected");
  lockSession(h.sessionPath).release();
});

test("nor does one that a stop overtakes while what is being handed over takes its time", async () => {
  const clock = heldClock(5_000);
  const take = await handingOver(clock);
  const relinking = h.channel.relink?.().catch((error: Error) => error.message);
  const stopping = h.channel.stop();
  const impatience = setInterval(() => clock.elapse(), 5);
  const outcome = await relinking;
  clearInterval(impatience);
  take();
  await stopping;
  expect(outcome).toBe("the channel is not running");
  expect(h.channel.status()).toMatchObject({ state: "disconnected", reason: "stopped" });
  lockSession(h.sessionPath).release();
});

test("a channel that was stopped is not begun anew by linking", async () => {
  h = await Harness.linked();
  await h.channel.stop();
  await expect(h.channel.relink?.()).rejects.toThrow("the channel is not running");
  expect(h.channel.status().state).toBe("disconnected");
  lockSession(h.sessionPath).release();
});
