import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import type { TurnRequest } from "../../src/agent/agent.ts";
import { envelope } from "../../src/simulator/graph/bodies.ts";
import { closing } from "../net/closing.ts";
import { startTarget, type Target } from "../net/target.ts";
import { startAgent } from "./support/agent.ts";
import { account, cloudConfig } from "./support/cloud.ts";
import { startDaemon, type TestDaemon } from "./support/daemon.ts";
import { hostileNames, refusals, requestName, startHostileFiles } from "./support/hostile.ts";
import { postWebhook } from "./support/webhook.ts";

setDefaultTimeout(30_000);

const closed = closing();

/** Every file of the daemon's media folder. */
function kept(daemon: TestDaemon): string[] {
  const folder = join(daemon.home, "media");
  const names = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  return names.filter((path) => statSync(path).isFile());
}

/** What became of each message, by its id; each has got its answer. */
function errors(turns: TurnRequest[]): Map<string, string | undefined> {
  return new Map(
    turns.map(({ messages: [message] }) => [
      message?.id ?? "",
      message?.attachments[0]?.path === null ? message.attachments[0].error : undefined,
    ]),
  );
}

function expectRefusals(turns: TurnRequest[]): void {
  const said = errors(turns);
  for (const [name, reason] of refusals) expect(`${name}: ${said.get(name)}`).toMatch(reason);
  expect(said.get("fine")).toBeUndefined();
  for (const message of turns.flatMap(({ messages }) => messages)) {
    expect(message.text).toBe(`look at ${message.id}`);
  }
}

test("WATI: a hostile file is refused, its message comes, and the token stays", async () => {
  const hostile = closed(await startHostileFiles());
  const wati = closed(
    await startTarget((incoming, outgoing) => {
      const ours = incoming.url?.includes("showFile") ?? false;
      if (!ours || !hostile.answer(requestName(incoming), outgoing)) outgoing.writeHead(404).end();
    }),
  );
  const agent = await startAgent();
  const config = {
    agent: { kind: "webhook", url: agent.url },
    channels_config: {
      wati: { api_token: "wati-token", api_url: wati.url, allowed_numbers: ["*"] },
    },
  };
  await using daemon = await startDaemon({ config });
  const post = (id: string, data: string) =>
    postWebhook(`${daemon.url}/wati`, {
      eventType: "message",
      id,
      whatsappMessageId: id,
      // Side by side: each from another person.
      waId: `1555${String(Bun.hash.crc32(id)).padStart(10, "0").slice(0, 7)}`,
      type: "image",
      text: `look at ${id}`,
      data,
      timestamp: "1790000000",
    });
  const file = (name: string) => `${wati.url}/1/api/file/showFile?fileName=${name}`;
  const names = [...refusals.map(([name]) => name), "fine"];
  for (const name of names) await post(name, file(name));
  // And addresses that are foreign from the start.
  const foreign: [string, string][] = [
    ["foreign", `${hostile.elsewhere.url}/photo.png`],
    ["by-name", `http://localhost:${wati.port}/1/api/file/showFile?fileName=fine`],
    ["other-scheme", `https://127.0.0.1:${wati.port}/1/api/file/showFile?fileName=fine`],
    ["user-info", `http://127.0.0.1:${wati.port}@localhost:${hostile.elsewhere.port}/photo.png`],
  ];
  for (const [name, url] of foreign) await post(name, url);
  const turns = await agent.turns.waitFor({
    count: names.length + foreign.length,
    timeoutMs: 20_000,
  });
  expectRefusals(turns);
  for (const [name] of foreign) {
    expect(`${name}: ${errors(turns).get(name)}`).toMatch(/leads to another host/);
  }
  expect(hostile.elsewhere.connections).toBe(0);
  expect(hostile.poured).toBeLessThan(64 * 1024 * 1024);
  expect(wati.seen.every(({ headers }) => headers["authorization"] === "Bearer wati-token")).toBe(
    true,
  );
  expect(kept(daemon)).toHaveLength(1);
  expect(daemon.lines.join("\n")).not.toContain("wati-token");
  agent.stop();
});

test("Cloud: a hostile file is refused, its message comes, and the token stays", async () => {
  const hostile = closed(await startHostileFiles());
  const graph: Target = closed(
    await startTarget((incoming, outgoing) => {
      const name = requestName(incoming);
      if (incoming.url?.startsWith("/files/") && hostile.answer(name, outgoing)) return;
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ url: `${graph.url}/files/${name}`, mime_type: "image/png" }));
    }),
  );
  const agent = await startAgent();
  await using daemon = await startDaemon({
    config: cloudConfig(graph.url, {
      agent: { kind: "webhook", url: agent.url },
      channels: { read_receipts: false },
    }),
  });
  let person = 0;
  const write = (id: string, content: Record<string, unknown>) =>
    postWebhook(
      `${daemon.url}/whatsapp`,
      envelope(
        {
          businessAccountId: account.businessAccountId,
          phoneNumberId: account.phoneNumberId ?? "",
          displayPhoneNumber: account.displayPhoneNumber,
        },
        { messages: [{ id, from: String(15550000001 + person++), timestamp: "1", ...content }] },
      ),
      { appSecret: account.appSecret },
    );
  const names = [...refusals.map(([name]) => name), "fine"];
  for (const id of names) {
    await write(id, { type: "image", image: { id, caption: `look at ${id}` } });
  }
  const turns = await agent.turns.waitFor({ count: names.length, timeoutMs: 20_000 });
  expectRefusals(turns);
  expect(hostile.elsewhere.connections).toBe(0);
  expect(hostile.poured).toBeLessThan(64 * 1024 * 1024);

  for (const [index, filename] of hostileNames.entries()) {
    const document = { id: "fine", filename, caption: "a document" };
    await write(`name-${index}`, { type: "document", document });
  }
  const all = await agent.turns.waitFor({ count: names.length + hostileNames.length });
  const documents = all.slice(names.length).map(({ messages }) => messages[0]?.attachments[0]);
  for (const document of documents) {
    const path = document?.path ?? "";
    expect(path).toStartWith(join(daemon.home, "media") + sep);
    expect(kept(daemon)).toContain(path);
    expect(document?.filename ?? "file").toMatch(/^[^/\\\0\u202e]{1,200}$/);
    expect(document?.filename).not.toBe("..");
  }
  expect(kept(daemon)).toHaveLength(1 + hostileNames.length);
  expect(daemon.lines.join("\n")).not.toContain(account.accessToken);
  agent.stop();
});
