import { expect, test } from "bun:test";
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import { ProxyFailure } from "../../src/net/dial.ts";
import { createDispatchedFetch } from "../../src/net/dispatched-fetch.ts";
import { parseProxy } from "../../src/net/proxy.ts";
import { testCertificate } from "./certificate.ts";
import { closing } from "./closing.ts";
import { listen, startHttpProxy, startSocksProxy, stop } from "./proxies.ts";
import { startTarget } from "./target.ts";

const keep = closing();

/** What a plain request looks like to the proxy that it is sent to. */
async function seenByProxy(login: string, init?: RequestInit, address = "http://a.test/x?y=z") {
  const proxy = keep(await startTarget());
  const url = proxy.url.replace("//", `//${login}`);
  const { fetch } = keep(await createDispatchedFetch(parseProxy(url)));
  expect((await fetch(address, init)).status).toBe(200);
  return proxy.seen[0];
}

test("a plain request names its whole address to the proxy, without a login where there is none", async () => {
  const seen = await seenByProxy("");
  expect(seen).toMatchObject({ method: "GET", path: "http://a.test/x?y=z" });
  expect(seen?.headers).not.toContainKey("proxy-authorization");
});

test.each(["http://a.test//b.test/x?y=z", "http://a.test:8080/\\b.test/x"])(
  "what looks like a host in the path of %s stays in the path",
  async (address) => {
    const seen = await seenByProxy("", undefined, address);
    expect(seen?.path).toBe(new URL(address).href);
  },
);

test("a plain request logs in at the proxy, beside the headers of its own", async () => {
  const login = `Basic ${Buffer.from("ada:pass").toString("base64")}`;
  for (const headers of [{ "x-own": "1" }, new Headers({ "x-own": "1" })]) {
    const seen = await seenByProxy("ada:pass@", { method: "POST", body: "words", headers });
    expect(seen).toMatchObject({ method: "POST", body: "words" });
    expect(seen?.headers).toMatchObject({ "proxy-authorization": login, "x-own": "1" });
  }
});

test.each([
  ["http", "https://a.test/", "CONNECT a.test:443"],
  ["socks5h", "https://a.test/", "SOCKS a.test:443"],
  ["socks5h", "http://a.test/", "SOCKS a.test:80"],
])("an address without a port has its scheme's: through %s, %s is %s", async (kind, url, asked) => {
  const proxy = keep(
    kind === "http"
      ? await startHttpProxy({ refuse: 403 })
      : await startSocksProxy({ refuse: 2 }, "socks5h"),
  );
  const { fetch } = keep(await createDispatchedFetch(parseProxy(proxy.url)));
  await expect(fetch(url)).rejects.toBeInstanceOf(ProxyFailure);
  expect(proxy.asked).toEqual([asked]);
});

test("a server is spoken to in HTTP/1.1, whatever else it offers, with or without a proxy", async () => {
  const agreed: unknown[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(
    { ...testCertificate, ALPNProtocols: ["h2", "http/1.1"] },
    (socket) => {
      sockets.add(socket);
      agreed.push(socket.alpnProtocol);
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    },
  );
  const port = await listen(server);
  keep({ close: () => stop(server, sockets) });
  const proxy = keep(await startHttpProxy());
  for (const way of [null, parseProxy(proxy.url)]) {
    const { fetch } = keep(await createDispatchedFetch(way, { ca: [testCertificate.cert] }));
    expect((await fetch(`https://127.0.0.1:${port}/`)).status).toBe(204);
  }
  expect(agreed).toEqual(["http/1.1", "http/1.1"]);
});

test("the words of a form arrive as its files do", async () => {
  const target = keep(await startTarget());
  const { fetch } = keep(await createDispatchedFetch(null));
  const form = new FormData();
  form.append("model", "whisper");
  form.append("tag", "a");
  form.append("tag", "b");
  form.append("file", new Blob(["sound"]), "note.ogg");
  await fetch(target.url, { method: "POST", body: form });
  const { body = "", headers = {} } = target.seen[0] ?? {};
  const type = String(headers["content-type"]);
  const got = await new Response(body, { headers: { "content-type": type } }).formData();
  expect([...got.keys()]).toEqual(["model", "tag", "tag", "file"]);
  expect([got.get("model"), ...got.getAll("tag")]).toEqual(["whisper", "a", "b"]);
  const file = got.get("file");
  expect(file instanceof File && [file.name, await file.text()]).toEqual(["note.ogg", "sound"]);
});

test("what the proxy refuses is told as the proxy's refusal", async () => {
  const proxy = keep(await startHttpProxy({ credentials: "right:one" }));
  const { fetch } = keep(await createDispatchedFetch(parseProxy(proxy.url.replace("right", "a"))));
  for (const url of ["http://a.test/", "https://a.test/"]) {
    const error = await fetch(url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProxyFailure);
    expect(error).toMatchObject({ code: "proxy_407" });
  }
});

test("what is no fault of a proxy is told as it is", async () => {
  const gone = await startTarget();
  await gone.close();
  const { fetch } = keep(await createDispatchedFetch(null));
  const error = await fetch(gone.url).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TypeError);
});
