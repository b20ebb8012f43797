import { EventEmitter } from "node:events";
import { expect, test } from "bun:test";
import { skipAppState } from "../../../src/channels/whatsapp-web/app-state.ts";

test("chat settings are acknowledged and go no further; every other notification does, to all, in order", () => {
  const emitter = new EventEmitter();
  const heard: string[] = [];
  emitter.on("CB:notification", ({ attrs }) => heard.push(`first ${attrs.type}`));
  emitter.on("CB:notification", ({ attrs }) => heard.push(`second ${attrs.type}`));
  skipAppState(emitter, ({ attrs }) => heard.push(`acknowledged ${attrs.type}`));
  for (const type of ["server_sync", "devices"]) {
    emitter.emit("CB:notification", { tag: "notification", attrs: { type } });
  }
  expect(heard).toEqual(["acknowledged server_sync", "first devices", "second devices"]);
});
