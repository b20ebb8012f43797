import { afterEach, expect, test } from "bun:test";
import { Harness } from "./harness.ts";

let h: Harness | undefined;
afterEach(async () => {
  await h?.stop();
  h = undefined;
});

test("a session is not set up anew each time the list of devices is asked for", async () => {
  h = await Harness.linked();
  await h.send(h.ada, "one");
  await h.ada.send(h.owner, "answer");
  await h.message("answer");
  await h.restart();
  await h.send(h.ada, "two");
  const second = await h.ada.waitForMessage("two");
  // A session that was reset would begin with a pre-key message again.
  expect(second.encryption).toBe("msg");
});
