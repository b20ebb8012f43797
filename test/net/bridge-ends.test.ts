import { afterEach, describe, expect, jest, mock, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { httpProxyBridge, type ProxyBridge } from "../../src/net/bridge.ts";
import { closing } from "./closing.ts";
import { listen, startHttpProxy, stop } from "./proxies.ts";

const keep = closing();
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** A server that hands out the connections it gets, in order. */
async function tcpServer() {
  const sockets = new Set<Socket>();
  const waiting: ((socket: Socket) => void)[] = [];
  const arrived: Socket[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const next = waiting.shift();
    if (next) next(socket);
    else arrived.push(socket);
  });
  const port = await listen(server);
  return keep({
    port,
    next: () =>
      new Promise<Socket>((resolve) => {
        const socket = arrived.shift();
        if (socket) resolve(socket);
        else waiting.push(resolve);
      }),
    close: () => stop(server, sockets),
  });
}

/** A client of the bridge that asks for a port of this machine; `more` follows in the same packet. */
function client(bridge: ProxyBridge, port: number, more = "", cut = 0): Socket {
  const { port: at, username, password } = new URL(bridge.url);
  const login = Buffer.from(`${username}:${password}`).toString("base64");
  const head = `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nProxy-Authorization: Basic ${login}\r\n\r\n`;
  const socket = connect(Number(at), "127.0.0.1");
  clients.push(socket);
  socket.on("error", () => {});
  if (cut === 0) socket.write(head + more);
  else {
    socket.setNoDelay(true);
    socket.write(head.slice(0, cut));
    setTimeout(() => socket.write(head.slice(cut) + more), 20);
  }
  return socket;
}

async function opened(more = "", cut = 0) {
  const target = await tcpServer();
  const upstream = keep(await startHttpProxy());
  const bridge = keep(await httpProxyBridge(upstream.url));
  const near = client(bridge, target.port, more, cut);
  const [answer] = await once(near, "data");
  expect(String(answer)).toStartWith("HTTP/1.1 200 ");
  return { bridge, near, far: await target.next() };
}

describe("what ends on one side ends on the other", () => {
  test.each(["end", "destroy", "resetAndDestroy"] as const)("the target, by %s", async (how) => {
    const { near, far } = await opened();
    const gone = once(near, "close");
    far[how]();
    await gone;
  });

  test.each(["end", "destroy", "resetAndDestroy"] as const)("the client, by %s", async (how) => {
    const { near, far } = await opened();
    const gone = once(far, "close");
    far.resume();
    near[how]();
    await gone;
  });

  test("the bridge, and with it every connection", async () => {
    const { bridge, near, far } = await opened();
    far.resume();
    const gone = [once(near, "close"), once(far, "close")];
    await bridge.close();
    await Promise.all(gone);
  });
});

test("a client that leaves before the way is open is waited for by nobody, and no fault of the proxy", async () => {
  const silent = await tcpServer();
  const onFailure = mock();
  const bridge = keep(await httpProxyBridge(`http://127.0.0.1:${silent.port}`, { onFailure }));
  const near = client(bridge, 443);
  const dialled = await silent.next();
  await once(dialled, "data");
  const gone = once(dialled, "close");
  near.destroy();
  await gone;
  expect(onFailure).not.toHaveBeenCalled();
});

test("a bridge that closes leaves no dialling behind", async () => {
  const silent = await tcpServer();
  const bridge = await httpProxyBridge(`http://127.0.0.1:${silent.port}`);
  const near = client(bridge, 443);
  const dialled = await silent.next();
  await once(dialled, "data");
  const gone = [once(dialled, "close"), once(near, "close")];
  await bridge.close();
  await Promise.all(gone);
});

test("what a client says behind its request reaches the target, however it is cut", async () => {
  for (const [words, cut] of [
    ["first words", 0],
    ["first words", 10],
    ["first words", 60],
    ["x", 0],
  ] as const) {
    const { near, far } = await opened(words, cut);
    const [heard] = await once(far, "data");
    expect(String(heard)).toBe(words);
    far.write("and back");
    expect(String((await once(near, "data"))[0])).toBe("and back");
  }
});

test("a client that says half a request and leaves costs nothing", async () => {
  const upstream = keep(await startHttpProxy());
  const bridge = keep(await httpProxyBridge(upstream.url));
  const near = connect(Number(new URL(bridge.url).port), "127.0.0.1");
  near.end("CONNECT 127.0.0.1:1 HTT");
  near.resume();
  await once(near, "close");
  expect(upstream.asked).toEqual([]);
});

test("a client has ten seconds to say what it wants; one that is through may be quiet for longer", async () => {
  jest.useFakeTimers();
  try {
    const upstream = keep(await startHttpProxy());
    const waited = keep(await httpProxyBridge(upstream.url));
    const quiet = connect(Number(new URL(waited.url).port), "127.0.0.1");
    clients.push(quiet);
    await once(quiet, "connect");
    quiet.write("CONNECT 127.0.0.1:1 HTT");
    const turnedAway = once(quiet, "data");
    // By the time that others are through, it has been heard.
    const { near, far } = await opened();
    let away = false;
    void turnedAway.then(() => (away = true));
    jest.advanceTimersByTime(9_999);
    near.write("words");
    expect(String((await once(far, "data"))[0])).toBe("words");
    expect(away).toBe(false);
    jest.advanceTimersByTime(1);
    expect(String((await turnedAway)[0])).toStartWith("HTTP/1.1 400 ");
    near.write("more words");
    expect(String((await once(far, "data"))[0])).toBe("more words");
  } finally {
    jest.useRealTimers();
  }
});

test("connections that break off on either side end alone, and the bridge goes on", async () => {
  const silent = await tcpServer();
  const bridge = keep(await httpProxyBridge(`http://127.0.0.1:${silent.port}`));
  for (const breaking of ["near", "far", "near", "far"] as const) {
    const near = client(bridge, 443);
    const far = await silent.next();
    await once(far, "data");
    far.write("HTTP/1.1 200 OK\r\n\r\n");
    await once(near, "data");
    const [leaving, staying] = breaking === "near" ? [near, far] : [far, near];
    const gone = new Promise((resolve) => staying.once("close", resolve));
    staying.write("words that nobody reads".repeat(10_000));
    leaving.resetAndDestroy();
    await gone;
  }
});

/** Says it to the bridge and stays, whatever the bridge does. */
async function stranger(bridge: ProxyBridge, words: string): Promise<Socket> {
  const { port } = new URL(bridge.url);
  const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
  clients.push(socket);
  socket.on("error", () => {}).resume();
  await once(socket, "connect");
  socket.write(words);
  return socket;
}

test("who was turned away holds no place, whether it leaves or not", async () => {
  const target = await tcpServer();
  const upstream = keep(await startHttpProxy());
  const bridge = keep(await httpProxyBridge(upstream.url));
  for (let came = 0; came < 70; came++) {
    const away = await stranger(bridge, "CONNECT a.test:443 HTTP/1.1\r\n\r\n");
    expect(String((await once(away, "data"))[0])).toStartWith("HTTP/1.1 407 ");
  }
  const [answer] = await once(client(bridge, target.port), "data");
  expect(String(answer)).toStartWith("HTTP/1.1 200 ");
});

test("those who say nothing keep nobody out: the one that waited longest goes", async () => {
  const { bridge, near, far } = await opened();
  const target = await tcpServer();
  const first = await stranger(bridge, "");
  const gone = once(first, "end");
  for (let came = 0; came < 70; came++) await stranger(bridge, "");
  await gone;
  const [answer] = await once(client(bridge, target.port), "data");
  expect(String(answer)).toStartWith("HTTP/1.1 200 ");
  near.write("words");
  expect(String((await once(far, "data"))[0])).toBe("words");
});

test("nor do they where they come all at once", async () => {
  const upstream = keep(await startHttpProxy());
  const bridge = keep(await httpProxyBridge(upstream.url));
  const port = Number(new URL(bridge.url).port);
  const burst = Array.from({ length: 60 }, () => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    clients.push(socket);
    const gone = once(socket, "end");
    socket.on("error", () => {}).resume();
    socket.write("GET ");
    return gone;
  });
  let left = 0;
  await new Promise<void>((resolve) => {
    for (const gone of burst) void gone.then(() => ++left === 44 && resolve());
  });
  expect(left).toBe(44);
});

test("variables that sockets of the runtime would heed are gone", async () => {
  process.env["NO_PROXY"] = "*";
  process.env["no_proxy"] = "*";
  keep(await httpProxyBridge("http://127.0.0.1:9"));
  expect(process.env).not.toContainAnyKeys(["NO_PROXY", "no_proxy"]);
});
