import { expect, test } from "bun:test";
import { gatewayApp, stillStarting, type GatewayOptions } from "../../src/gateway/app.ts";
import { silentLog } from "../../src/telemetry/log.ts";

const errors: unknown[] = [];
const options: GatewayOptions = {
  pathPrefix: "",
  channels: [],
  metricsToken: null,
  health: () => Promise.reject(new Error("not asked")),
  metrics: () => Promise.resolve("figures"),
  log: { ...silentLog, error: (fields) => void errors.push(fields) },
};
const app = gatewayApp(options);

/** A request whose address is what the client wrote as `Host`, checked by nobody. */
function asked(url: string): Promise<Response> {
  const request = new Request("http://127.0.0.1/metrics");
  Object.defineProperty(request, "url", { value: url });
  return app.fetch(request, { peer: () => "127.0.0.1" });
}

test.each<[string, number]>([
  ["http://127.0.0.1/metrics", 200],
  ["http://[::1]/metrics", 200],
  ["http://example.com/metrics", 401],
  ["http://[::1/metrics", 401],
])("metrics asked as %s are answered %d", async (url, status) => {
  expect((await asked(url)).status).toBe(status);
  expect(errors).toEqual([]);
});

test("who asks before the start is told to come again, and how to take the answer", () => {
  expect(stillStarting().status).toBe(503);
  expect(stillStarting().headers.get("x-content-type-options")).toBe("nosniff");
  expect(stillStarting().headers.get("retry-after")).toBe("1");
});

test.each<[prefix: string, path: string, status: number]>([
  ["", "/metrics", 200],
  ["", "/metrics/", 404],
  ["/a", "/a/metrics", 200],
  ["/a", "/a/metrics/", 404],
  ["/a", "/metrics", 404],
  ["/a|b", "/a|b/metrics", 200],
  ["/a|b", "/a", 404],
  ["/a(b", "/a(b/metrics", 200],
  ["/:a", "/:a/metrics", 200],
  ["/:a", "/b/metrics", 404],
  ["/*", "/b/metrics", 404],
  ["/a{1}", "/a{1}/metrics", 200],
  ["/caf%C3%A9", "/caf%C3%A9/metrics", 200],
  ["/café", "/caf%c3%a9/metrics", 200],
  ["/a", "/ab/metrics", 404],
  ["/a", "//a/metrics", 404],
  ["/a", "/a//metrics", 404],
  ["/a", "/a", 404],
  ["/a", "/a%2Fmetrics", 404],
])(
  "under the prefix %p, %s is answered %d: addresses are meant to the letter",
  async (pathPrefix, path, status) => {
    const under = gatewayApp({ ...options, pathPrefix });
    const request = new Request(`http://127.0.0.1${path}`);
    expect((await under.fetch(request, { peer: () => "127.0.0.1" })).status).toBe(status);
  },
);
