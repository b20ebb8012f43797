import { afterEach, describe, expect, spyOn, test } from "bun:test";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { createNetwork, type Network } from "../../src/net/fetch.ts";
import { UnusableProxy } from "../../src/net/proxy.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { closing } from "./closing.ts";
import { startHttpProxy } from "./proxies.ts";
import { startTarget } from "./target.ts";

const keep = closing();
const spies: { mockRestore(): void }[] = [];
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
});

function network(config: object, env: Record<string, string> = {}, said: unknown[] = []): Network {
  const log = { ...silentLog, info: (...line: unknown[]) => void said.push(line) };
  return keep(createNetwork({ config: v.parse(configSchema, config), env, log }));
}

/** What names a proxy in the environment. */
const variables = [
  "http_proxy",
  "HTTP_PROXY",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
];
const table = (more: object) => ({ proxy: { enabled: true, ...more } });

/** A server that sends everybody to this address. */
const redirecting = (location: string) =>
  startTarget((_, outgoing) => void outgoing.writeHead(302, { location }).end());

describe("the runtime's own fetch", () => {
  const calls = async (config: object, env: Record<string, string>) => {
    const target = keep(await startTarget());
    const spy = spyOn(globalThis, "fetch");
    spies.push(spy);
    expect((await network(config, env).fetchFor("provider.openai")(target.url)).status).toBe(200);
    return spy.mock.calls.length;
  };

  test.each<[name: string, env: Record<string, string>]>([
    ["nothing is set", {}],
    ["only exceptions are set", { NO_PROXY: "*", no_proxy: "*" }],
    ["a variable is empty", { HTTP_PROXY: "" }],
  ])("is used where %s", async (_, env) => {
    expect(await calls({}, env)).toBe(1);
  });

  test.each(variables)("is not used where %s is set, which it would obey", async (name) => {
    expect(await calls({}, { [name]: "http://127.0.0.1:1" })).toBe(0);
  });
});

test("what cannot be asked for is a promise that rejects, too", async () => {
  const fetch = network({}).fetchFor("tunnel");
  for (const asked of [
    () => fetch("bot.example/health"),
    () => fetch("http://127.0.0.1:1/", { headers: { "a name": "x" } }),
  ]) {
    const answer = asked();
    expect(answer).toBeInstanceOf(Promise);
    await expect(answer).rejects.toThrow(TypeError);
  }
});

describe("redirects", () => {
  test("are followed where no proxy is meant", async () => {
    const end = keep(await startTarget());
    const target = keep(await redirecting(end.url));
    expect((await network({}).fetchFor("provider.openai")(target.url)).status).toBe(200);
    expect(end.connections).toBe(1);
  });

  test("are not, where the answer came directly by an exception of the environment", async () => {
    const proxy = keep(await startHttpProxy());
    for (const name of variables) {
      const end = keep(await startTarget());
      const target = keep(await redirecting(end.url));
      const env = { [name]: proxy.url, NO_PROXY: "127.0.0.1" };
      const { fetchFor } = network(table({ scope: "environment" }), env);
      await expect(fetchFor("provider.openai")(target.url)).rejects.toThrow();
      expect([end.connections, proxy.asked]).toEqual([0, []]);
    }
  });

  test("are not, where only addresses of the other scheme take a proxy", async () => {
    const proxy = keep(await startHttpProxy());
    const end = keep(await startTarget());
    const target = keep(await redirecting(end.url));
    const { fetchFor } = network(table({ https_proxy: proxy.url }));
    await expect(fetchFor("provider.openai")(target.url)).rejects.toThrow();
    expect(end.connections).toBe(0);
  });

  test("of a service that no proxy is for are followed", async () => {
    const proxy = keep(await startHttpProxy());
    const end = keep(await startTarget());
    const target = keep(await redirecting(end.url));
    const some = table({ scope: "services", services: ["channel.*"], all_proxy: proxy.url });
    expect((await network(some).fetchFor("provider.openai")(target.url)).status).toBe(200);
    expect(end.connections).toBe(1);
  });
});

test("what goes out by an exception goes as it was asked for", async () => {
  const target = keep(await startTarget());
  const made = network(table({ all_proxy: "http://127.0.0.1:1", no_proxy: ["127.0.0.1"] }));
  const headers = { "x-own": "1" };
  const asked = { method: "POST", body: "words", headers };
  expect((await made.fetchFor("provider.openai")(target.url, asked)).status).toBe(200);
  expect(target.seen).toMatchObject([asked]);
});

test("each service takes its own proxy", async () => {
  const target = keep(await startTarget());
  const [one, two] = [keep(await startHttpProxy()), keep(await startHttpProxy())];
  const { fetchFor } = network({
    channels_config: { whatsapp: { proxy_url: one.url }, wati: { proxy_url: two.url } },
  });
  await fetchFor("channel.whatsapp")(`${target.url}/one`);
  await fetchFor("channel.wati")(`${target.url}/two`);
  expect([one.asked, two.asked].map((asked) => asked.join())).toEqual([
    expect.stringContaining("/one"),
    expect.stringContaining("/two"),
  ]);
});

test("that requests take a proxy is said once for each service, without its login", async () => {
  const proxy = keep(await startHttpProxy({ credentials: "ada:hunter2" }));
  const target = keep(await startTarget());
  const said: unknown[] = [];
  const { fetchFor } = network(table({ all_proxy: proxy.url }), {}, said);
  for (const service of ["provider.openai", "tts.openai", "provider.openai"]) {
    expect((await fetchFor(service)(target.url)).status).toBe(200);
  }
  const label = proxy.url.replace("ada:hunter2@", "");
  expect(said).toEqual([
    [{ service: "provider.openai", proxy: label }, "requests take a proxy"],
    [{ service: "tts.openai", proxy: label }, "requests take a proxy"],
  ]);
});

test("the proxy of a service is told with its login, and none where the way is direct", () => {
  const { proxyUrlFor } = network(
    table({ all_proxy: "http://ada:pass@p:1", no_proxy: ["a.test"] }),
  );
  expect(proxyUrlFor("channel.whatsapp", "wss://b.test")).toBe("http://ada:pass@p:1/");
  expect(proxyUrlFor("channel.whatsapp", "wss://a.test")).toBeNull();
  const broken = network({ channels_config: { whatsapp: { proxy_url: "ftp://p" } } });
  expect(() => broken.proxyUrlFor("channel.whatsapp", "wss://b.test")).toThrow(UnusableProxy);
  expect(broken.proxyUrlFor("channel.wati", "https://b.test")).toBeNull();
});

test("closing drops the connections that are held for proxies", async () => {
  const proxy = keep(await startHttpProxy());
  const target = keep(await startTarget((_, outgoing) => void outgoing.write("begun")));
  const made = network(table({ all_proxy: proxy.url }));
  const answers = await Promise.all(
    ["provider.openai", "tts.openai"].map((service) => made.fetchFor(service)(target.url)),
  );
  const texts = answers.map((answer) => answer.text().catch(() => "broke off"));
  await made.close();
  expect(await Promise.all(texts)).toEqual(["broke off", "broke off"]);
});

test("a way out that could not be made is made by the next request", async () => {
  const target = keep(await startTarget());
  const proxy = keep(await startHttpProxy());
  let failures = 1;
  const made = keep(
    createNetwork({
      config: v.parse(configSchema, table({ http_proxy: proxy.url })),
      env: {},
      log: silentLog,
      get ca(): string[] {
        if (failures-- > 0) throw new Error("EMFILE");
        return [];
      },
    }),
  );
  const fetch = made.fetchFor("provider.openai");
  await expect(fetch(target.url)).rejects.toThrow("EMFILE");
  expect((await fetch(target.url)).status).toBe(200);
});
