import { expect, test } from "bun:test";
import { join } from "node:path";
import { serve } from "../../src/runtime/serve.ts";
import { temporaryFolder } from "../support/store.ts";
import { startCloud } from "./support/cloud.ts";
import { rawConnection } from "./support/raw.ts";

/** A client that says its words one by one, until it is sent away; milliseconds that it lasted. */
async function trickle(url: string, begin: string, everyMs: number): Promise<number> {
  const { socket, closed } = await rawConnection(url);
  socket.on("error", () => {});
  socket.write(begin);
  const timer = setInterval(() => socket.write("a"), everyMs);
  const lasted = await closed;
  clearInterval(timer);
  return lasted;
}

test.concurrent(
  "500 clients that never finish their headers are sent away, and starve nobody meanwhile",
  async () => {
    await using setup = await startCloud();
    const { url } = setup.daemon;
    const slow = Array.from({ length: 500 }, () =>
      trickle(url, "POST /whatsapp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", 1_000),
    );
    let worst = 0;
    let asked = 0;
    const all = Promise.all(slow);
    let over = false;
    void all.then(() => (over = true));
    while (!over) {
      const started = performance.now();
      expect((await fetch(`${url}/health`)).status).toBe(200);
      worst = Math.max(worst, performance.now() - started);
      asked++;
      await Bun.sleep(50);
    }
    expect(asked).toBeGreaterThan(20);
    expect(worst).toBeLessThan(1_000);
    const lasted = await all;
    expect(Math.max(...lasted)).toBeLessThan(20_000);
  },
  30_000,
);

test.concurrent(
  "a body that comes drop by drop is cut off after the idle time, however steadily it drops",
  async () => {
    const server = serve({
      listen: { hostname: "127.0.0.1", port: 0 },
      maxBodyBytes: 1_000_000,
      idleTimeoutSecs: 4,
      handle: async (request) => new Response(String((await request.arrayBuffer()).byteLength)),
    });
    try {
      const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
      const lasted = await trickle(`http://127.0.0.1:${server.port}`, head, 500);
      expect(lasted).toBeLessThan(10_000);
    } finally {
      await server.stop(true);
    }
  },
  30_000,
);

test.concurrent(
  "a Unix socket has its own idle time, and none where that is 0",
  async () => {
    const folder = temporaryFolder();
    const { promise: late, resolve } = Promise.withResolvers<Response>();
    const sockets = [4, 0].map((idleTimeoutSecs) => {
      const unix = join(folder.path, `${idleTimeoutSecs}.sock`);
      const server = serve({
        listen: { unix },
        maxBodyBytes: 1_000,
        idleTimeoutSecs,
        handle: () => late.then((response) => response.clone()),
      });
      return { server, answered: fetch("http://localhost/", { unix }).then((it) => it.text()) };
    });
    const [short, endless] = sockets;
    try {
      await expect(short?.answered ?? null).rejects.toThrow("closed");
      resolve(new Response("in the end"));
      expect(await endless?.answered).toBe("in the end");
    } finally {
      await Promise.all(sockets.map(({ server }) => server.stop(true)));
      folder.remove();
    }
  },
  30_000,
);
