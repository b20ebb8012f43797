import { describe, expect, test } from "bun:test";
import { gatewayApp, type GatewayOptions } from "../../src/gateway/app.ts";
import { Routes } from "../../src/net/routes.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";

const errors: unknown[] = [];
const fine: GatewayOptions = {
  pathPrefix: "",
  channels: [],
  metricsToken: null,
  health: async () => ({ status: "ok", reasons: [], channels: [] }),
  metrics: async () => "figures",
  log: { ...silentLog, error: (fields) => void errors.push(fields) },
};

function ask(
  path: string,
  init: RequestInit & { peer?: string | null } = {},
  options: Partial<GatewayOptions> = {},
): Promise<Response> {
  const { peer = "127.0.0.1", ...rest } = init;
  errors.length = 0;
  return gatewayApp({ ...fine, ...options }).fetch(new Request(`http://127.0.0.1${path}`, rest), {
    peer: () => peer,
  });
}

describe("who may read the metrics", () => {
  const token = "metrics-token-1";
  const bearer = (value: string) => ({ headers: { authorization: `Bearer ${value}` } });

  test.each<[name: string, init: RequestInit & { peer?: string | null }, status: number]>([
    ["a program of this machine", {}, 200],
    ["one that comes by IPv6", { peer: "::1" }, 200],
    ["one that comes by IPv4 within IPv6", { peer: "::ffff:127.0.0.1" }, 200],
    ["another machine", { peer: "192.0.2.1" }, 401],
    ["another machine within IPv6", { peer: "::ffff:192.0.2.1" }, 401],
    ["one whose address is not known", { peer: null }, 401],
    ["another machine with the token", { peer: "192.0.2.1", ...bearer(token) }, 200],
    ["another machine with another token", { peer: "192.0.2.1", ...bearer("other") }, 401],
    ["another machine with half the token", { peer: "192.0.2.1", ...bearer("metrics") }, 401],
    ["a tunnel with the token", { headers: { ...bearer(token).headers, via: "1.1 tunnel" } }, 200],
  ])("%s", async (_, init, status) => {
    expect((await ask("/metrics", init, { metricsToken: token })).status).toBe(status);
  });

  test.each(["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"])(
    "what a proxy of this machine brings in, as %s says, is anybody's",
    async (name) => {
      const answer = await ask("/metrics", { headers: { [name]: "1.1 tunnel" } });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain("figures");
    },
  );

  test("without a token in the config no token is one", async () => {
    for (const metricsToken of [null, ""]) {
      for (const value of ["null", ""]) {
        const init = { peer: "192.0.2.1", ...bearer(value) };
        expect((await ask("/metrics", init, { metricsToken })).status).toBe(401);
      }
    }
  });

  test("a token with letters beyond ASCII is one too", async () => {
    // A header is handed out as Latin-1, a letter for each byte of UTF-8 that was sent.
    const sent = Buffer.from("geheim-ü-€").toString("latin1");
    const init = { peer: "192.0.2.1", ...bearer(sent) };
    expect((await ask("/metrics", init, { metricsToken: "geheim-ü-€" })).status).toBe(200);
  });

  test("the figures are said to be text of Prometheus", async () => {
    const answer = await ask("/metrics");
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toBe("figures");
  });
});

describe("health", () => {
  test.each([
    ["ok", 200],
    ["failing", 503],
  ] as const)("%s is answered %d, with the reasons", async (status, code) => {
    const report = { status, reasons: ["why"], channels: [] };
    const answer = await ask("/health", { peer: "192.0.2.1" }, { health: async () => report });
    expect(answer.status).toBe(code);
    expect(await answer.json()).toEqual(report);
  });
});

test.each(["/health", "/metrics"])(
  "HEAD of %s answers as GET does, without a body",
  async (path) => {
    const answer = await ask(path, { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("");
  },
);

test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s is no way to ask", async (method) => {
  for (const path of ["/health", "/metrics"]) {
    const answer = await ask(path, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await answer.json()).toEqual({ error: "method not allowed" });
  }
});

test("nothing else is there", async () => {
  const answer = await ask("/elsewhere");
  expect(answer.status).toBe(404);
  expect(await answer.json()).toEqual({ error: "not found" });
});

test("what fails here is logged, and not told to who asked", async () => {
  const health = () => Promise.reject(new Error("disk I/O error"));
  const answer = await ask("/health", {}, { health });
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({ error: "internal error" });
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(errors).toEqual([{ path: "/health", error: "disk I/O error" }]);
});

test("the channels' routes lie under the prefix, and their answers are safe in a browser too", async () => {
  const routes = new Routes();
  routes.post("/whatsapp", (context) => context.json({ status: "ok" }));
  const channels = [fakeChannel(), fakeChannel({ routes })];
  const init = { method: "POST", peer: "192.0.2.1" };
  const answer = await ask("/bots/whatsapp", init, { channels, pathPrefix: "/bots" });
  expect(await answer.json()).toEqual({ status: "ok" });
  expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
});
