import { describe, expect, test } from "bun:test";
import { createRequire } from "node:module";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { createNetwork } from "../../src/net/fetch.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { networkTrial } from "./network-trial.ts";
import { startHttpProxy } from "./proxies.ts";
import { startTarget } from "./target.ts";
import { until } from "../support/until.ts";

const { keep, network } = networkTrial();

test.each([
  ["directly", false],
  ["through a proxy", true],
])("an answer may take as long as its caller waits, in head and body, %s", async (_, proxied) => {
  const undici: { tick(ms: number): void } = createRequire(import.meta.url)(
    "undici/lib/util/timers.js",
  );
  const pass = () => {
    // The first only starts the timers.
    undici.tick(1_000);
    undici.tick(600_000);
  };
  const answering: (() => void)[] = [];
  const target = keep(
    await startTarget((_, outgoing) => {
      answering.push(
        () => outgoing.write("al"),
        () => outgoing.end("most"),
      );
    }),
  );
  const proxy = proxied ? keep(await startHttpProxy()).url : undefined;
  const { fetchFor } = network(proxy, { env: { HTTP_PROXY: "http://127.0.0.1:1" } });
  const asked = fetchFor("channel.whatsapp")(target.url);
  await until("the request arrives", () => answering.length > 0);
  pass();
  answering[0]?.();
  const answer = await asked;
  pass();
  answering[1]?.();
  expect(await answer.text()).toBe("almost");
});

describe("the direct way", () => {
  test("takes no proxy of the environment", async () => {
    const proxy = keep(await startHttpProxy());
    const target = keep(await startTarget());
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = proxy.url;
    try {
      const fetch = network(undefined, { env: { HTTP_PROXY: proxy.url } }).fetchFor("channel.wati");
      expect((await fetch(target.url)).status).toBe(200);
    } finally {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    }
    expect(proxy.asked).toEqual([]);
    expect(target.connections).toBe(1);
  });

  test("by no_proxy does not follow a redirect past the proxy", async () => {
    const proxy = keep(await startHttpProxy());
    const elsewhere = keep(await startTarget());
    const target = keep(
      await startTarget((_, outgoing) =>
        outgoing
          .writeHead(302, { location: elsewhere.url.replace("127.0.0.1", "localhost") })
          .end(),
      ),
    );
    const made = keep(
      createNetwork({
        config: v.parse(configSchema, {
          proxy: { enabled: true, all_proxy: proxy.url, no_proxy: ["127.0.0.1"] },
        }),
        env: {},
        log: silentLog,
      }),
    );
    await expect(made.fetchFor("provider.openai")(target.url)).rejects.toThrow();
    expect(
      (await made.fetchFor("provider.openai")(target.url, { redirect: "manual" })).status,
    ).toBe(302);
    expect(elsewhere.connections).toBe(0);
    expect(proxy.asked).toEqual([]);
  });
});
