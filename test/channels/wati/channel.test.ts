import { expect, test } from "bun:test";
import { silentLog } from "../../../src/telemetry/log.ts";
import { wati } from "./support.ts";

function channel(config: object = {}) {
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => warned.push(message) };
  return { channel: wati(config, { log }), warned };
}

test("is ready from its start to its stop, and says so to whoever listens", async () => {
  const made = channel().channel;
  const heard: string[] = [];
  const seen = () => `${made.status().state}: ${made.status().reason}`;
  made.onStatus(() => heard.push(`first ${seen()}`));
  made.onStatus(() => heard.push(`second ${seen()}`));
  expect(seen()).toBe("connecting: not started");
  await made.start(async () => {});
  expect(made.status()).toEqual({ state: "ready", reason: null, linkedAs: null });
  await made.stop();
  expect(heard).toEqual([
    "first ready: null",
    "second ready: null",
    "first disconnected: the daemon is stopping",
    "second disconnected: the daemon is stopping",
  ]);
});

test("is one account with what named less of it", () => {
  const { wasAccount } = channel({ tenant_id: "17435002445" }).channel;
  expect(wasAccount?.("live-mt-server.wati.io")).toBe(true);
  expect(wasAccount?.("live-mt-server.wati.io/12025550123")).toBe(false);
});

test("warns of webhooks that anybody may send, and of nothing where a secret is set", async () => {
  for (const config of [{}, { webhook_secret: "  " }]) {
    const open = channel(config);
    await open.channel.start(async () => {});
    expect(open.warned).toEqual([
      "webhook_secret is not set: whoever knows the address of /wati can write as anybody",
    ]);
  }
  const closed = channel({ webhook_secret: "s3cret" });
  await closed.channel.start(async () => {});
  expect(closed.warned).toEqual([]);
});
