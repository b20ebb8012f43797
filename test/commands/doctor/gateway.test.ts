import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gatewayProbes } from "../../../src/commands/doctor/gateway-probes.ts";
import type { Examination } from "../../../src/commands/doctor/probe.ts";
import { offlineReport } from "../../../src/commands/status/offline.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { examined } from "../../support/examined.ts";

// What would keep the gateway from coming up, or anybody from reaching it.

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "revka doctor-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function configOf(text: string) {
  const path = join(home, "config.toml");
  writeFileSync(path, `[agent]\nkind = "echo"\n${text}`, { mode: 0o600 });
  return loadConfig({ path, env: {}, home });
}

async function finding(name: string, text: string, changes: Partial<Examination> = {}) {
  const found = await examined(gatewayProbes, configOf(text), changes);
  return found.find((one) => one.name === name);
}

test("a port that another program has is an error, unless the daemon is that program", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const text = `[gateway]\nport = ${address.port}\n`;
  expect(await finding("port", text)).toMatchObject({
    level: "error",
    message: `127.0.0.1:${address.port} is taken, by another program or by Revka with another home`,
    next: expect.stringContaining("[gateway] port"),
  });
  const status = offlineReport(configOf(text));
  expect(await finding("port", text, { status })).toBeUndefined();
  await new Promise<unknown>((resolve) => server.close(resolve));
  expect(await finding("port", text)).toBeUndefined();
});

test("a tunnel's tool that is not installed is an error, one that is there is named", async () => {
  const text = '[tunnel]\nprovider = "cloudflare"\n';
  const env = { PATH: home };
  expect(await finding("tunnel", text, { env })).toMatchObject({
    level: "error",
    message: "cloudflared is not installed (it is not on PATH)",
  });
  writeFileSync(join(home, "cloudflared"), "#!/bin/sh\n", { mode: 0o755 });
  expect(await finding("tunnel", text, { env })).toMatchObject({
    level: "ok",
    message: `uses ${home}/cloudflared`,
  });
});
