import { expect, test } from "bun:test";
import { connect } from "node:net";
import { httpProxyBridge, type ProxyBridge } from "../../src/net/bridge.ts";
import type { ProxyFailure } from "../../src/net/dial.ts";
import { createDispatchedFetch } from "../../src/net/dispatched-fetch.ts";
import { parseProxy } from "../../src/net/proxy.ts";
import { closing } from "./closing.ts";
import { testCertificate } from "./certificate.ts";
import { startHttpProxy, startSocksProxy } from "./proxies.ts";
import { startTarget } from "./target.ts";

const keep = closing();

const ca = [testCertificate.cert];

async function startBridge(
  proxyUrl: string,
  timeoutMs?: number,
  onFailure: (failure: ProxyFailure) => void = () => {},
): Promise<ProxyBridge> {
  return keep(
    await httpProxyBridge(proxyUrl, { ca, onFailure, ...(timeoutMs ? { timeoutMs } : {}) }),
  );
}

/** Sends a request head as it is and collects the answer until the end. */
function raw(bridge: ProxyBridge, head: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(new URL(bridge.url).port), "127.0.0.1");
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("close", () => resolve(answer));
    socket.write(head);
  });
}

function login(bridge: ProxyBridge): string {
  const { username, password } = new URL(bridge.url);
  return `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

const upstreams = {
  http: () => startHttpProxy({ credentials: "u:p" }),
  https: () => startHttpProxy({ credentials: "u:p", tls: true }),
  socks5: () => startSocksProxy({ credentials: "u:p" }, "socks5"),
  socks5h: () => startSocksProxy({ credentials: "u:p" }, "socks5h"),
};

for (const [kind, start] of Object.entries(upstreams)) {
  test(`a WebSocket goes through a ${kind} proxy, whatever NO_PROXY says`, async () => {
    const upstream = keep(await start());
    const echo = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) =>
        server.upgrade(request) ? undefined : new Response("no", { status: 400 }),
      websocket: { message: (socket, message) => void socket.send(message) },
    });
    process.env["NO_PROXY"] = "*";
    try {
      const bridge = await startBridge(upstream.url);
      // The DOM's declaration of WebSocket, which wins here, knows no options.
      const url = `ws://127.0.0.1:${echo.port}/`;
      const socket: WebSocket = Reflect.construct(WebSocket, [url, { proxy: bridge.url }]);
      const heard = await new Promise<string>((resolve, reject) => {
        socket.addEventListener("open", () => socket.send("through"));
        socket.addEventListener("message", (event) => resolve(String(event.data)));
        socket.addEventListener("error", reject);
      });
      expect(heard).toBe("through");
      socket.close();
      expect(upstream.asked.join()).toContain(`127.0.0.1:${echo.port}`);
    } finally {
      delete process.env["NO_PROXY"];
      await echo.stop(true);
    }
  });

  test(`TLS media goes through a ${kind} proxy`, async () => {
    const upstream = keep(await start());
    const target = keep(await startTarget(undefined, { tls: true }));
    const bridge = await startBridge(upstream.url);
    const media = keep(await createDispatchedFetch(parseProxy(bridge.url), { ca }));
    expect((await media.fetch(`${target.url}/media`)).status).toBe(200);
    expect(upstream.asked).toHaveLength(1);
  });
}

test("nobody without the credentials gets through", async () => {
  const upstream = keep(await startHttpProxy());
  const target = keep(await startTarget());
  const bridge = await startBridge(upstream.url);
  const head = `CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\n`;
  expect(await raw(bridge, `${head}\r\n`)).toBe(
    "HTTP/1.1 407 Proxy Authentication Required\r\n" +
      'Proxy-Authenticate: Basic realm="revka"\r\n' +
      "Content-Length: 0\r\nConnection: close\r\n\r\n",
  );
  expect(await raw(bridge, `${head}Proxy-Authorization: Basic cmV2a2E6\r\n\r\n`)).toStartWith(
    "HTTP/1.1 407 ",
  );
  expect(upstream.asked).toEqual([]);
  expect(target.connections).toBe(0);
});

test.skipIf(process.platform !== "linux")("it listens on one address of this machine", async () => {
  const bridge = await startBridge(keep(await startHttpProxy()).url);
  const reached = await new Promise<boolean>((resolve) => {
    // Loopback too on Linux, and another address: where every address is listened on, so is this.
    const socket = connect(Number(new URL(bridge.url).port), "127.0.0.2");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    keep({ close: async () => void socket.destroy() });
  });
  expect(reached).toBe(false);
});

test("its credentials are long and its own", async () => {
  const upstream = keep(await startHttpProxy());
  const bridges = [await startBridge(upstream.url), await startBridge(upstream.url)];
  const passwords = bridges.map(({ url }) => new URL(url).password);
  expect(new Set(passwords).size).toBe(2);
  for (const password of passwords) expect(password).toMatch(/^[\w-]{32}$/);
});

test.each(["[::1]:443", "[2001:DB8::1]:443", "a.test:1", "a.test:65535"])(
  "%s may be a target",
  async (target) => {
    const upstream = keep(await startHttpProxy({ refuse: 403 }));
    const bridge = await startBridge(upstream.url);
    await raw(bridge, `CONNECT ${target} HTTP/1.1\r\n${login(bridge)}\r\n\r\n`);
    expect(upstream.asked).toEqual([`CONNECT ${target.toLowerCase()}`]);
  },
);

test("only CONNECT to a host and port is taken", async () => {
  const upstream = keep(await startHttpProxy());
  const bridge = await startBridge(upstream.url);
  const head = (line: string) => `${line}\r\n${login(bridge)}\r\n\r\n`;
  expect(await raw(bridge, head("GET http://127.0.0.1/ HTTP/1.1"))).toStartWith("HTTP/1.1 405 ");
  expect(await raw(bridge, head("CONNECT nowhere HTTP/1.1"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, head("CONNECT a@b:1 HTTP/1.1"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, head("CONNECT a:65536 HTTP/1.1"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, head("CONNECT a:443/x HTTP/1.1"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, head("CONNECT a:443 HTTP/1.1 x"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, head("x CONNECT a:443 HTTP/1.1"))).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, "nonsense\r\n\r\n")).toStartWith("HTTP/1.1 400 ");
  expect(await raw(bridge, "x".repeat(20_000))).toStartWith("HTTP/1.1 400 ");
  expect(upstream.asked).toEqual([]);
});

test("a proxy that is dead, silent or refuses gives 502, nothing goes out directly", async () => {
  const target = keep(await startTarget());
  const dead = await startSocksProxy();
  await dead.close();
  const silent = keep(await startHttpProxy({ silent: true }));
  const refusing = keep(await startHttpProxy({ refuse: 403 }));
  const wrong = keep(await startHttpProxy({ credentials: "right:one" }));
  const addresses = [dead.url, silent.url, refusing.url, wrong.url.replace("right", "wrong")];
  const failures: string[] = [];
  for (const address of addresses) {
    const bridge = await startBridge(address, 200, ({ code }) => void failures.push(code));
    const head = `CONNECT 127.0.0.1:${target.port} HTTP/1.1\r\n${login(bridge)}\r\n\r\n`;
    expect(await raw(bridge, head)).toStartWith("HTTP/1.1 502 ");
  }
  expect(target.connections).toBe(0);
  expect(failures).toEqual(["proxy_unreachable", "proxy_timeout", "proxy_403", "proxy_407"]);
});
