import { expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { content } from "../../src/simulator/graph/content.ts";
import { envelope } from "../../src/simulator/graph/bodies.ts";
import { closing } from "../net/closing.ts";
import { listen, stop } from "../net/proxies.ts";
import { startAgent } from "./support/agent.ts";
import { certificateFor, noCertificates } from "./support/certificates.ts";
import { account, cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { files } from "./support/files.ts";
import { startNamingProxy, trusting } from "./support/proxies.ts";
import { postWebhook } from "./support/webhook.ts";

setDefaultTimeout(30_000);

const closed = closing();
if (noCertificates !== null) console.warn(`Meta's names are not tested: ${noCertificates}`);

const names = [
  "graph.facebook.com",
  "lookaside.fbsbx.com",
  "cdn.fbcdn.net",
  "evil.example",
  "fbsbx.com.evil.example",
];

interface Asked {
  host: string;
  path: string;
  authorization: string | undefined;
}

/** One server for all names, whose certificate is good for each of them: only the address can be refused. */
async function startNames(cert: { cert: string; key: string }) {
  const seen: Asked[] = [];
  const sockets = new Set<Socket>();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const host = incoming.headers.host ?? "";
    const url = new URL(incoming.url ?? "/", `https://${host}`);
    seen.push({ host, path: url.pathname, authorization: incoming.headers.authorization });
    incoming.resume();
    if (incoming.method === "POST") {
      outgoing.setHeader("content-type", "application/json");
      return void outgoing.end(JSON.stringify({ messages: [{ id: "wamid.out" }], success: true }));
    }
    if (url.pathname === "/photo.png") return void outgoing.end(files.png);
    const leads = redirects[url.pathname.slice(1)];
    if (leads) return void outgoing.writeHead(302, { location: leads }).end();
    const id = url.pathname.split("/").at(-1) ?? "";
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(
      JSON.stringify({
        url: addresses[id] ?? `https://lookaside.fbsbx.com/${id}`,
        mime_type: "image/png",
      }),
    );
  };
  const server = createServer(cert, answer);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  const port = await listen(server);
  closed({ close: () => stop(server, sockets) });
  return { seen, port };
}

/** What the Graph API says where a file is, by its id. */
const addresses: Record<string, string> = {
  good: "https://lookaside.fbsbx.com/photo.png",
  "other-host": "https://evil.example/photo.png",
  "like-metas": "https://fbsbx.com.evil.example/photo.png",
  "other-port": "https://lookaside.fbsbx.com:8443/photo.png",
  "not-https": "http://lookaside.fbsbx.com/photo.png",
  "private-address": "https://10.0.0.1/photo.png",
  "this-machine": "https://localhost/photo.png",
  credentials: "https://me:secret@lookaside.fbsbx.com/photo.png",
};
/** Where lookaside.fbsbx.com sends us on to. */
const redirects: Record<string, string> = {
  "to-metas": "https://cdn.fbcdn.net/photo.png",
  "to-evil": "https://evil.example/photo.png",
  "to-plain": "http://lookaside.fbsbx.com/photo.png",
  "to-private": "https://192.168.0.1/photo.png",
  "to-metadata": "http://169.254.169.254/latest/meta-data",
};
const fetched = ["good", "to-metas"];

test.skipIf(noCertificates !== null)(
  "by Meta's own names through a proxy that resolves them: files from Meta alone, the token to one host",
  async () => {
    const certificate = certificateFor(names);
    const server = await startNames(certificate);
    const ports = Object.fromEntries(names.map((name) => [`${name}:443`, server.port]));
    const proxy = closed(await startNamingProxy(ports));
    const agent = await startAgent(() => ({ body: { text: "seen" } }));
    const { env } = closed(trusting(certificate.cert));
    const config = cloudConfig("https://graph.facebook.com", {
      agent: { kind: "webhook", url: agent.url },
      whatsapp: { proxy_url: proxy.url },
      channels: { read_receipts: false },
    });
    await using daemon = await startDaemon({ config, env: { ...env, NO_PROXY: "*" } });
    const ids = [...Object.keys(addresses), ...Object.keys(redirects)];
    const business = {
      businessAccountId: account.businessAccountId,
      phoneNumberId: account.phoneNumberId ?? "",
      displayPhoneNumber: account.displayPhoneNumber,
    };
    for (const [index, id] of ids.entries()) {
      const image = content.image({ id, mimeType: "image/png", sha256: "" }, id);
      const from = String(15_550_000_001 + index);
      const body = envelope(business, { messages: [{ id, from, timestamp: "1", ...image }] });
      await postWebhook(`${daemon.url}/whatsapp`, body, { appSecret: account.appSecret });
    }
    const turns = await agent.turns.waitFor({ count: ids.length, timeoutMs: 20_000 });
    const got = turns.flatMap(({ messages: [message] }) =>
      message?.attachments[0]?.path ? [message.text] : [],
    );
    expect(got.toSorted()).toEqual(fetched.toSorted());
    const reasons = turns.flatMap(({ messages: [message] }) => {
      const error = message?.attachments[0]?.error;
      return error === undefined ? [] : [`${message?.text}: ${error}`];
    });
    expect(reasons.toSorted()).toEqual([
      "credentials: the address carries credentials",
      "like-metas: the address leads to another host",
      "not-https: the address is not https",
      "other-host: the address leads to another host",
      "other-port: the address leads to another host",
      "private-address: the address leads to another host",
      "this-machine: the address leads to another host",
      "to-evil: the address leads to another host",
      "to-metadata: the address is not https",
      "to-plain: the address is not https",
      "to-private: the address leads to another host",
    ]);
    // The proxy was asked for Meta's hosts and no other; the token went where the Graph API said, not further.
    expect(new Set(proxy.asked)).toEqual(
      new Set(
        ["graph.facebook.com", "lookaside.fbsbx.com", "cdn.fbcdn.net"].map(
          (it) => `CONNECT ${it}:443`,
        ),
      ),
    );
    const withToken = server.seen.filter(({ authorization }) => authorization !== undefined);
    expect(new Set(withToken.map(({ host }) => host))).toEqual(
      new Set(["graph.facebook.com", "lookaside.fbsbx.com"]),
    );
    expect(server.seen.filter(({ host }) => host === "cdn.fbcdn.net")).toEqual([
      { host: "cdn.fbcdn.net", path: "/photo.png", authorization: undefined },
    ]);
    agent.stop();
  },
);
