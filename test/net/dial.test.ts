import { describe, expect, test } from "bun:test";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { dial, ProxyFailure, proxyAuthorization, type DialOptions } from "../../src/net/dial.ts";
import { parseProxy } from "../../src/net/proxy.ts";
import { closing } from "./closing.ts";
import { listen, startHttpProxy, startSocksProxy, stop } from "./proxies.ts";

const keep = closing();

/** A proxy that treats its first request as it is told; `heard` is that request, `left` when it was left. */
async function rawProxy(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const heard = Promise.withResolvers<string>();
  const left = Promise.withResolvers<void>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => left.resolve());
    socket.once("data", (bytes) => {
      heard.resolve(bytes.toString("latin1"));
      answer(socket);
    });
  });
  const port = await listen(server);
  return keep({
    url: `http://127.0.0.1:${port}`,
    heard: heard.promise,
    left: left.promise,
    connections: () => connections,
    close: () => stop(server, sockets),
  });
}

function through(url: string, more: Partial<DialOptions> = {}): Promise<Socket> {
  return dial({ proxy: parseProxy(url), host: "target.test", port: 443, ...more });
}

async function code(opening: Promise<Socket>): Promise<string> {
  try {
    (await opening).destroy();
    return "opened";
  } catch (error) {
    if (error instanceof ProxyFailure) return error.code;
    return `threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe("what a proxy answers to CONNECT", () => {
  test.each<[answer: string, outcome: string]>([
    ["HTTP/1.1 200 OK\r\n\r\n", "opened"],
    ["HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", "opened"],
    ["HTTP/1.1 204 No\r\n\r\n", "opened"],
    ["HTTP/1.1 299 Fine\r\n\r\n", "opened"],
    ["HTTP/1.1 199 No\r\n\r\n", "proxy_199"],
    ["HTTP/1.1 300 No\r\n\r\n", "proxy_300"],
    ["HTTP/1.1 403 No\r\n\r\n", "proxy_403"],
    ["HTTP/1.1 407 No\r\n\r\n", "proxy_407"],
    ["SSH-2.0-OpenSSH_9\r\n\r\n", "proxy_protocol"],
    ["x HTTP/1.1 200 OK\r\n\r\n", "proxy_protocol"],
    ["HTTP/2 200\r\n\r\n", "proxy_protocol"],
    ["x".repeat(17_000), "proxy_protocol"],
  ])("%j", async (answer, outcome) => {
    const proxy = await rawProxy((socket) => void socket.write(answer));
    expect(await code(through(proxy.url))).toBe(outcome);
    await proxy.left;
  });

  test("nothing, or half of it, and hangs up", async () => {
    for (const half of ["", "HTTP/1.1 200 OK\r\n"]) {
      const proxy = await rawProxy((socket) => void socket.end(half));
      expect(await code(through(proxy.url))).toBe("proxy_closed");
    }
  });

  test("may come in pieces, and what the target says behind it is not lost", async () => {
    const proxy = await rawProxy((socket) => {
      socket.setNoDelay(true);
      socket.write("HTTP/1.1 20");
      setTimeout(() => socket.write("0 OK\r\n\r\nhello"), 20);
    });
    const socket = await through(proxy.url);
    const said = once(socket, "data");
    socket.resume();
    expect(String((await said)[0])).toBe("hello");
    socket.destroy();
  });

  test("and then is listened to no more", async () => {
    const proxy = await rawProxy((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    const socket = await through(proxy.url);
    const events = ["data", "error", "close", "connect"];
    expect(events.map((event) => socket.listenerCount(event))).toEqual([0, 0, 0, 0]);
    socket.destroy();
  });

  test("407 is said to be about the login", async () => {
    const proxy = await rawProxy((socket) => void socket.write("HTTP/1.1 407 No\r\n\r\n"));
    const { label } = parseProxy(proxy.url);
    await expect(through(proxy.url)).rejects.toThrow(`${label} wants other credentials (407)`);
  });
});

describe("CONNECT names the target", () => {
  test.each([
    ["target.test", "target.test:443"],
    ["192.0.2.1", "192.0.2.1:443"],
    ["2001:db8::1", "[2001:db8::1]:443"],
  ])("%s as %s, without a login where there is none", async (host, authority) => {
    const proxy = await rawProxy((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    await code(through(proxy.url, { host }));
    expect(await proxy.heard).toBe(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  });

  test("with the login of the proxy's address", async () => {
    const proxy = await rawProxy((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    await code(through(proxy.url.replace("//", "//ada:p%40ss@")));
    const login = Buffer.from("ada:p@ss").toString("base64");
    expect(await proxy.heard).toContain(`\r\nProxy-Authorization: Basic ${login}\r\n`);
  });
});

test.each([
  ["http://h", null],
  ["http://ada:pass@h", "ada:pass"],
  ["http://ada@h", "ada:"],
  ["http://:pass@h", ":pass"],
  ["http://a%3Ada:%zz@h", "a:da:%zz"],
])("the login in %s is %p", (address, login) => {
  const expected = login === null ? null : `Basic ${Buffer.from(login).toString("base64")}`;
  expect(proxyAuthorization(new URL(address))).toBe(expected);
});

describe("a proxy that says nothing is left", () => {
  test("when its time is over", async () => {
    const proxy = await rawProxy(() => {});
    expect(await code(through(proxy.url, { timeoutMs: 50 }))).toBe("proxy_timeout");
    await proxy.left;
  });

  test("as soon as the caller says so, with its reason", async () => {
    const caller = new AbortController();
    const proxy = await rawProxy(() => caller.abort(new Error("enough")));
    expect(await code(through(proxy.url, { signal: caller.signal }))).toBe("threw: enough");
    await proxy.left;
  });

  test("before it is asked, where the caller has given up already", async () => {
    const proxy = await rawProxy(() => {});
    const signal = AbortSignal.abort(new Error("too late"));
    expect(await code(through(proxy.url, { signal }))).toBe("threw: too late");
    expect(proxy.connections()).toBe(0);
  });
});

test("an opened connection outlasts the caller's signal and the time for opening", async () => {
  const caller = new AbortController();
  const proxy = await rawProxy((socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\n"));
  const socket = await through(proxy.url, { signal: caller.signal, timeoutMs: 30 });
  caller.abort();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(socket.destroyed).toBe(false);
  socket.destroy();
});

test.skipIf(process.platform !== "linux")(
  "a proxy is sought at its own address alone",
  async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 403 No\r\n\r\n"));
    });
    server.listen(0, "127.0.0.2");
    await once(server, "listening");
    keep({ close: () => stop(server, sockets) });
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    expect(await code(through(`http://127.0.0.2:${port}`))).toBe("proxy_403");
    expect(await code(through(`https://127.0.0.2:${port}`))).toBe("proxy_tls");
    const elsewhere = through(`http://127.0.0.1:${port}`);
    await expect(elsewhere).rejects.toThrow(
      `http://127.0.0.1:${port} cannot be used: ECONNREFUSED`,
    );
  },
);

test("an https proxy with a certificate that nobody vouches for is told nothing", async () => {
  const proxy = keep(await startHttpProxy({ tls: true, credentials: "ada:pass" }));
  expect(await code(through(proxy.url))).toBe("proxy_tls");
  expect(proxy.asked).toEqual([]);
});

test("an https proxy that speaks no TLS is not taken for one that is away", async () => {
  const proxy = await rawProxy((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  expect(await code(through(proxy.url.replace("http:", "https:")))).toBe("proxy_tls");
});

describe("SOCKS", () => {
  const names = async () => {
    throw Object.assign(new Error("no target.test"), { code: "ENOTFOUND" });
  };

  test("a name that cannot be resolved here is not handed to the proxy", async () => {
    const proxy = keep(await startSocksProxy());
    expect(await code(through(proxy.url, { resolve: names }))).toBe("proxy_dns");
    expect(proxy.asked).toEqual([]);
  });

  test.each(["end", "resetAndDestroy"] as const)(
    "a proxy that hangs up (%s) while a name is resolved is left at once",
    async (hangUp) => {
      const gone = Promise.withResolvers<void>();
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        socket.on("error", () => {}).on("close", () => gone.resolve());
        socket[hangUp]();
      });
      const port = await listen(server);
      const proxy = keep({ close: () => stop(server, sockets) });
      const resolve = () => gone.promise.then(() => new Promise<string>(() => {}));
      const opening = through(`socks5://127.0.0.1:${port}`, { resolve });
      expect(await code(opening)).toMatch(/^proxy_(closed|unreachable)$/);
      await proxy.close();
    },
  );

  test.each([
    [{ refuse: 2 }, "Socks5 proxy rejected connection - NotAllowed"],
    [{ credentials: "other:other" }, "Socks5 Authentication failed"],
  ])("what a proxy refuses is said in words: %o", async (behaviour, words) => {
    const proxy = keep(await startSocksProxy(behaviour, "socks5h"));
    const url = proxy.url.replace("other:other", "ada:pass");
    await expect(through(url)).rejects.toThrow(`${parseProxy(url).label} refused: ${words}`);
  });

  test("an opened connection is listened to no more", async () => {
    const target = await rawProxy(() => {});
    const proxy = keep(await startSocksProxy());
    const port = Number(new URL(target.url).port);
    const socket = await through(proxy.url, { host: "127.0.0.1", port });
    const events = ["data", "error", "close"];
    expect(events.map((event) => socket.listenerCount(event))).toEqual([0, 0, 0]);
    socket.destroy();
  });

  test("an address is not resolved", async () => {
    const target = await rawProxy(() => {});
    const port = Number(new URL(target.url).port);
    const proxy = keep(await startSocksProxy());
    const opening = through(proxy.url, { host: "127.0.0.1", port, resolve: names });
    expect(await code(opening)).toBe("opened");
    expect(proxy.asked).toEqual([`SOCKS 127.0.0.1:${port}`]);
  });
});

test("no failure repeats a login or a target", async () => {
  const refusing = keep(await startHttpProxy({ refuse: 403 }));
  const strict = keep(await startHttpProxy({ credentials: "other:other" }));
  const socks = keep(await startSocksProxy({ credentials: "other:other" }, "socks5h"));
  const dead = await startHttpProxy();
  await dead.close();
  for (const { url } of [refusing, strict, socks, dead]) {
    const address = new URL(url);
    address.username = "ada";
    address.password = "hunter2";
    const error = await through(address.href).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProxyFailure);
    expect(`${Bun.inspect(error)}${String(error)}`).not.toMatch(/hunter2|target\.test/);
  }
});
