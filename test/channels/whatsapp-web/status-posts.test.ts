import { EventEmitter } from "node:events";
import { afterEach, expect, test } from "bun:test";
import { skipStatusPosts } from "../../../src/channels/whatsapp-web/status-posts.ts";
import { Harness } from "./harness.ts";

let h: Harness | undefined;
afterEach(async () => {
  await h?.stop();
  h = undefined;
});

test("status posts are acknowledged and go no further, in both their shapes; messages do, to all, in order", () => {
  const emitter = new EventEmitter();
  const heard: string[] = [];
  emitter.on("CB:message", ({ attrs }) => heard.push(`first ${attrs.id}`));
  emitter.on("CB:message", ({ attrs }) => heard.push(`second ${attrs.id}`));
  skipStatusPosts(emitter, ({ tag, attrs }) => heard.push(`acknowledged ${tag} ${attrs.id}`));
  const participant = "491700000001@s.whatsapp.net";
  const posts = { from: "status@broadcast", participant };
  emitter.emit("CB:message", { tag: "message", attrs: { id: "one", ...posts } });
  emitter.emit("CB:message", { tag: "message", attrs: { id: "two", from: participant } });
  emitter.emit("CB:status", { tag: "status", attrs: { id: "three", ...posts } });
  expect(heard).toEqual([
    "acknowledged message one",
    "first two",
    "second two",
    "acknowledged status three",
  ]);
});

test("one that cannot be read holds up nothing that waits for this device", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  const { id } = await h.ada.postStatus("on holiday", [h.owner], { garbled: true });
  await companion?.mailbox.settled.waitFor((settled) => settled.id === id);
  await h.channel.stop();
  await h.bob.send(h.owner, "hello");
  await h.run();
  await h.message("hello");
});
