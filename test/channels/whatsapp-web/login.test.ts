import { afterEach, beforeEach, expect, test } from "bun:test";
import { Harness } from "./harness.ts";

let h: Harness;
beforeEach(async () => {
  h = await Harness.linked();
});
afterEach(() => h.stop());

test("the account is never shown as online, which would keep its phone silent; its name is told", async () => {
  const [companion] = h.owner.companions;
  // By what the owner's phone says, the account's name becomes known.
  await h.owner.send(h.ada, "from my phone");
  await h.message("from my phone");
  await companion?.presences.waitFor();
  // A new contact's first message takes a pre-key, and its second asks for one.
  await h.ada.send(h.owner, "unreadable", { garbled: true });
  await h.ada.send(h.owner, "hello");
  await h.message("hello");
  await h.message("unreadable");
  await h.restart();
  await companion?.presences.waitForCount(2);
  expect(new Set(companion?.presences.all)).toEqual(new Set(["unavailable"]));
});

test("at each login the server's switches are asked for anew: nothing here remembers them", async () => {
  await h.wa.propsKnown.waitForCount(1);
  // Its answer comes before this one.
  await h.ada.send(h.owner, "hello");
  await h.message("hello");
  await h.restart();
  await h.wa.propsKnown.waitForCount(2);
  expect(h.wa.propsKnown.all).toEqual([false, false]);
});
