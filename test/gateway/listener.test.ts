import { afterEach, beforeAll, afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { configSchema, type GatewayConfig } from "../../src/config/schema.ts";
import { UnusableValues } from "../../src/config/unusable.ts";
import { listenFailure } from "../../src/gateway/listen-failure.ts";
import { listen, type Listener } from "../../src/gateway/listener.ts";
import { silentLog, type LogFields } from "../../src/telemetry/log.ts";
import { fakeClock } from "../support/clock.ts";
import { makeCertificate, presentedName } from "./certificates.ts";

let folder = "";
let pairs: Record<"one" | "two", { cert: string; key: string }>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-tls-"));
  pairs = { one: makeCertificate(folder, "one"), two: makeCertificate(folder, "two") };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.stop(true)));
});

function gateway(changes: Record<string, unknown>): GatewayConfig {
  // 0 cannot be configured; `--port 0` asks for it.
  return { ...v.parse(configSchema, { gateway: changes }).gateway, port: 0 };
}

async function start(
  config: GatewayConfig,
  handle: (request: Request) => Promise<Response> | Response = () => new Response("fine"),
) {
  const clock = fakeClock();
  const said: { level: string; fields: LogFields; message: string }[] = [];
  const say = (level: string) => (fields: LogFields, message: string) =>
    void said.push({ level, fields, message });
  const log = { ...silentLog, info: say("info"), warn: say("warn") };
  const listener = await listen({ config, handle, clock, log });
  open.push(listener);
  return { listener, clock, said };
}

const cert = () => join(folder, "live.crt");
const key = () => join(folder, "live.key");
let age = 0;
/** As a renewal does: both files anew, with a time of their own. */
function install(pair: { cert: string; key: string }): void {
  writeFileSync(cert(), pair.cert);
  writeFileSync(key(), pair.key);
  age += 10;
  for (const file of [cert(), key()]) utimesSync(file, age, age);
}

const tls = () => gateway({ tls: { enabled: true, cert_path: cert(), key_path: key() } });

describe("a renewed certificate", () => {
  test("is shown to new connections; a request under way is answered", async () => {
    install(pairs.one);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: asked, resolve: arrived } = Promise.withResolvers<void>();
    const { listener, clock, said } = await start(tls(), async () => {
      arrived();
      await held;
      return new Response("answered");
    });
    expect(listener.address).toBe(`https://127.0.0.1:${listener.port}`);
    expect(await presentedName(listener.port)).toBe("one");
    const underWay = fetch(listener.address, { tls: { rejectUnauthorized: false } });
    await asked;

    install(pairs.two);
    expect(await presentedName(listener.port)).toBe("one");
    await clock.advance(30_000);
    expect(said.map(({ message }) => message)).toEqual(["took up the renewed certificate"]);
    expect(await presentedName(listener.port)).toBe("two");
    release();
    expect(await (await underWay).text()).toBe("answered");

    await clock.advance(30_000);
    expect(said).toHaveLength(1);
  });

  test("that is half written leaves the old one in use, is said once, and is taken up when whole", async () => {
    install(pairs.one);
    const { listener, clock, said } = await start(tls());
    install({ cert: pairs.two.cert, key: pairs.one.key });
    await clock.advance(30_000);
    expect(said).toHaveLength(1);
    await clock.advance(90_000);
    expect(said).toEqual([
      {
        level: "warn",
        fields: {
          cert: cert(),
          reason: `gateway.tls.key_path: the key in ${key()} does not belong to the certificate in ${cert()}`,
        },
        message: "the renewed certificate cannot be used",
      },
    ]);
    expect(await presentedName(listener.port)).toBe("one");
    install(pairs.two);
    await clock.advance(30_000);
    expect(await presentedName(listener.port)).toBe("two");
  });

  test("is noticed by either of its files", async () => {
    install(pairs.one);
    const { clock, said } = await start(tls());
    for (const file of [cert(), key()]) {
      utimesSync(file, ++age, age);
      await clock.advance(30_000);
      expect(said.splice(0)).toEqual([
        { level: "info", fields: { cert: cert() }, message: "took up the renewed certificate" },
      ]);
    }
  });

  test("may be away while it is put in its place: the old one is in use meanwhile", async () => {
    install(pairs.one);
    const { listener, clock, said } = await start(tls());
    rmSync(key());
    await clock.advance(30_000);
    expect(said).toEqual([]);
    expect(await presentedName(listener.port)).toBe("one");
    install(pairs.two);
    await clock.advance(30_000);
    expect(await presentedName(listener.port)).toBe("two");
  });

  test("leaves no listener behind at the stop", async () => {
    install(pairs.one);
    const { listener, clock } = await start(tls());
    install(pairs.two);
    await clock.advance(30_000);
    expect(clock.pending).toBe(1);
    await listener.stop(true);
    expect(clock.pending).toBe(0);
    await expect(presentedName(listener.port)).rejects.toThrow();
  });
});

test.each([
  "GET /x?a=b HTTP/1.0\r\n\r\n",
  "POST /x?a=b HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\nhi",
])("a request without a name for us has an address all the same: %j", async (text) => {
  const seen = Promise.withResolvers<string[]>();
  const { listener } = await start(gateway({}), async (request) => {
    seen.resolve([request.method, request.url, await request.text()]);
    return new Response("fine");
  });
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(text);
  const [method = ""] = text.split(" ");
  const [, body = ""] = text.split("\r\n\r\n");
  expect(await seen.promise).toEqual([method, "http://nameless.invalid/x?a=b", body]);
  socket.destroy();
});

test("a request is answered by its handler, however long it says that it will be", async () => {
  const { listener } = await start(gateway({}));
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${10 ** 12}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toStartWith("HTTP/1.1 200 ");
  socket.destroy();
});

const loopbacks = Object.values(networkInterfaces()).flatMap((all) => all ?? []);

test.each(
  [
    ["127.0.0.1", "http://127.0.0.1"],
    ["::1", "http://[::1]"],
  ].filter(([host]) => loopbacks.some(({ address }) => address === host)),
)("an open port on %s is one at %s", async (host, address) => {
  const { listener, clock } = await start({ ...gateway({}), host });
  expect(listener.address).toBe(`${address}:${listener.port}`);
  expect(await (await fetch(listener.address)).text()).toBe("fine");
  expect(clock.pending).toBe(0);
});

describe("what cannot be opened says what to do", () => {
  test("a port in use by another Revka", async () => {
    const { listener } = await start(gateway({}));
    await expect(start({ ...gateway({}), port: listener.port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${listener.port}: the port is in use. Is another Revka running? Stop it, or set [gateway] port.`,
    );
  });

  // The runtime's own listeners and others' are refused for different reasons.
  test("a port in use by another program", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(start({ ...gateway({}), port })).rejects.toThrow("the port is in use");
    other.close();
  });

  test("an address that is none of this machine", async () => {
    await expect(start({ ...gateway({}), host: "192.0.2.1" })).rejects.toThrow(
      "cannot listen on 192.0.2.1:0: this machine has no such address. Set [gateway] host to one of its own.",
    );
    await expect(start({ ...gateway({}), host: "nowhere.invalid" })).rejects.toThrow(
      "cannot listen on nowhere.invalid:0: this machine has no such address.",
    );
  });

  test.each([
    ["EADDRINUSE", "the port is in use."],
    ["EACCES", "not permitted. Ports under 1024 need a privilege;"],
    ["EAGAIN", "this machine has no such address."],
    ["ENOENT", "this machine has no such address."],
    ["ENOTFOUND", "this machine has no such address."],
    ["EMFILE", "no more. Check [gateway] host and port."],
    [undefined, "no more. Check [gateway] host and port."],
  ])("%s", (code, words) => {
    const error = Object.assign(new Error("no more"), code === undefined ? {} : { code });
    expect(listenFailure(error, gateway({})).message).toStartWith(
      `cannot listen on 127.0.0.1:0: ${words}`,
    );
  });

  test("files that are missing, folders, unreadable, no PEM, or of two pairs", async () => {
    const missing = join(folder, "missing");
    const at = (cert_path: string, key_path: string) =>
      gateway({ tls: { enabled: true, cert_path, key_path } });
    const told = async (config: GatewayConfig) => {
      try {
        await start(config);
      } catch (error) {
        return error instanceof UnusableValues ? error.message : error;
      }
      return "started";
    };
    install(pairs.one);
    chmodSync(key(), 0);
    const asRoot = process.geteuid?.() === 0;
    if (asRoot) {
      chmodSync(folder, 0o755);
      process.seteuid?.(65_534);
    }
    try {
      expect(await told(tls())).toBe(
        `gateway.tls.key_path: this account may not read ${key()}: let it, or name a copy that it may read`,
      );
    } finally {
      if (asRoot) process.seteuid?.(0);
      chmodSync(key(), 0o600);
    }
    expect(await told(at(missing, folder))).toBe(
      `gateway.tls.cert_path: ${missing} is not there: name the PEM file; ` +
        `gateway.tls.key_path: ${folder} is a folder: name the PEM file`,
    );
    expect(await told(at(join(cert(), "x"), key()))).toBe(
      `gateway.tls.cert_path: ${cert()}/x cannot be read (ENOTDIR): name a PEM file that can`,
    );
    install({ cert: pairs.one.cert, key: pairs.two.key });
    expect(await told(tls())).toBe(
      `gateway.tls.key_path: the key in ${key()} does not belong to the certificate in ${cert()}`,
    );
    install({ cert: "no PEM", key: pairs.two.key });
    expect(await told(tls())).toBe(`gateway.tls.cert_path: ${cert()} holds no certificate in PEM`);
    install({ cert: pairs.one.cert, key: "no PEM" });
    expect(await told(tls())).toBe(
      `gateway.tls.key_path: ${key()} holds no private key in PEM, or one with a passphrase`,
    );
  });
});
