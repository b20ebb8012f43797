import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { type HistoryChunk, sendHistoryChunk } from "../doubles/whatsapp-web/history.ts";
import { type WebSetup, startLinked } from "./support/web.ts";

// The phone's history beyond what comes within a message: it lies on WhatsApp's servers.

setDefaultTimeout(60_000);

const READ = /a part of the phone's history was read/;
const UNREAD = /a part of the phone's history was not read/;

let setup: WebSetup;
beforeEach(async () => {
  setup = await startLinked();
});
afterEach(() => setup[Symbol.asyncDispose]());

function upload(chunk: HistoryChunk): Promise<unknown> {
  const { owner, wa } = setup;
  const [companion] = owner.companions;
  if (!companion) throw new Error("not linked");
  return sendHistoryChunk({ phone: owner, companion, media: wa.media }, chunk);
}

const trust = (): HistoryChunk => {
  const { ada } = setup;
  const tcTokenTimestamp = Math.floor(Date.now() / 1000) - 60;
  const token = { tcToken: Buffer.from("trust"), tcTokenTimestamp };
  const key = { remoteJid: ada.lid, id: "OLD", fromMe: false };
  const old = { key, messageTimestamp: tcTokenTimestamp, message: { conversation: "old" } };
  const messages = [{ message: old }];
  return { history: { conversations: [{ id: ada.lid, pnJid: ada.jid, ...token, messages }] } };
};

/** Ada writes, and is answered: to whom, and with which token. */
async function answered(): Promise<(string | undefined)[][]> {
  const { ada, owner, wa } = setup;
  await ada.send(owner, "new", { alt: false });
  await ada.waitForMessage("new");
  await setup.quiet();
  await setup.acknowledged();
  return wa.clientMessages.all.map(({ to, token }) => [to, token]);
}

test("who trusted the account before the link is answered with that trust, and nothing old is", async () => {
  await upload(trust());
  const line = await setup.daemon.waitForLog(READ);
  expect(JSON.parse(line)).toMatchObject({ level: "info", lids: 1, tokens: 1 });
  expect(await answered()).toEqual([[setup.ada.lid, "trust"]]);
  expect(line).not.toContain("491700000001");
});

test("who never gave trust can be written to with the salt of the history; who did, with that", async () => {
  const { ada, wa } = setup;
  wa.salt = randomBytes(32);
  await setup.restart();
  // One of the link, and one of now.
  await wa.propsKnown.waitForCount(2);
  const send = (text: string) => setup.revka("send", "--to", `+${ada.number}`, text);
  const refused = await send("before");
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("463") });
  expect(wa.clientMessages.all).toEqual([]);

  await upload({ salt: wa.salt });
  await setup.daemon.waitForLog(READ);
  expect(await send("after")).toMatchObject({ code: 0 });
  await ada.waitForMessage("after");

  await upload(trust());
  await setup.daemon.waitForLog(/"tokens":1/);
  expect(await send("trusted")).toMatchObject({ code: 0 });
  const token = createHmac("sha256", wa.salt).update(ada.lid).digest("hex");
  expect(wa.clientMessages.all.map((sent) => [sent.contactToken, sent.token])).toEqual([
    [token, undefined],
    [undefined, "trust"],
  ]);
});

test("the daemon killed in the middle, the next one reads on", async () => {
  const { wa, daemon } = setup;
  wa.fault({ at: "download", do: "swallow" });
  await upload(trust());
  await wa.faults.struck.waitFor(({ at }) => at === "download");
  daemon.kill("SIGKILL");
  await daemon.exited;
  await setup.start();
  await setup.ready();
  await setup.daemon.waitForLog(READ);
  expect(await answered()).toEqual([[setup.ada.lid, "trust"]]);
});

test("one that inflates to no end costs itself alone", async () => {
  // One field of 128 MiB that nobody knows.
  const field = Uint8Array.of(0x1a, 0x80, 0x80, 0x80, 0x40);
  await upload({ file: deflateSync(Buffer.concat([field, Buffer.alloc(2 ** 27)])) });
  const line = await setup.daemon.waitForLog(UNREAD);
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    error: "it inflates to more than 134217728 bytes",
  });
  await upload(trust());
  await setup.daemon.waitForLog(READ);
  expect(await answered()).toEqual([[setup.ada.lid, "trust"]]);
});
