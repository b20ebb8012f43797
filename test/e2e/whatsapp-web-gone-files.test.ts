import { readFileSync } from "node:fs";
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { proto } from "@whiskeysockets/baileys";
import type { TurnAttachment } from "../../src/agent/agent.ts";
import { type MediaRetry, answerMediaRetry } from "../doubles/whatsapp-web/media-retry.ts";
import type { SendOptions } from "../doubles/whatsapp-web/phone.ts";
import { type TestAgent, startAgent } from "./support/agent.ts";
import { files } from "./support/files.ts";
import { type WebSetup, startLinked } from "./support/web.ts";

// Files that WhatsApp's servers hold no longer: the account's phone is asked to upload them again.

setDefaultTimeout(60_000);

const { SUCCESS, NOT_FOUND } = proto.MediaRetryNotification.ResultType;
const PATIENCE_MS = 20_000;
const sound = files.named["note.ogg"];

let setup: WebSetup;
let agent: TestAgent;
afterEach(async () => {
  await setup[Symbol.asyncDispose]();
  agent.stop();
});

async function start(whatsapp: Record<string, unknown> = {}): Promise<void> {
  agent = await startAgent();
  setup = await startLinked({ agent: { kind: "webhook", url: agent.url }, whatsapp });
}

/** A picture that is gone before anybody can fetch it. */
async function picture(caption: string, status = 404): Promise<{ raw: proto.IMessage }> {
  const file = await setup.wa.media.encrypt(files.png, "image");
  setup.wa.media.expire(status);
  return { raw: { imageMessage: { ...file, caption, mimetype: "image/png" } } };
}

const sendPicture = async (caption: string, options: SendOptions = {}, status = 404) =>
  setup.ada.send(setup.owner, await picture(caption, status), options);

/** What the agent was shown of the message with this text. */
async function shown(text: string) {
  const has = ({ messages }: (typeof agent.turns.entries)[number]) => messages[0]?.text === text;
  const [turn] = await agent.turns.waitFor({ count: 1, where: has, timeoutMs: PATIENCE_MS });
  return fileOf(turn?.messages[0]?.attachments ?? []);
}

function fileOf([attachment]: TurnAttachment[]) {
  return {
    bytes: attachment?.path ? readFileSync(attachment.path) : null,
    error: attachment?.error,
  };
}

async function asked(count = 1): Promise<MediaRetry> {
  const retries = await setup.wa.mediaRetries.waitForCount(count);
  const retry = retries[count - 1];
  if (!retry) throw new Error("nothing was asked for");
  return retry;
}

const anew = { bytes: files.png, error: undefined };

describe("the phone uploads it again, whoever wrote it where:", () => {
  const personal = { mode: "personal", group_policy: "all", self_chat_mode: true };

  test.each([404, 410, 403])("a person, and the servers answer %i", async (status) => {
    await start();
    const { id } = await sendPicture("a picture", {}, status);
    expect(await shown("a picture")).toEqual(anew);
    const { owner, ada, wa } = setup;
    const named = { id, chat: ada.jid, fromMe: false, participant: undefined };
    expect(wa.mediaRetries.all).toEqual([{ ...named, to: owner.jid }]);
    expect(wa.media.downloads.all.map((download) => download.status)).toEqual([status, 200]);
    await setup.acknowledged();
  });

  test("a person by LID", async () => {
    await start();
    await sendPicture("hidden", { as: "lid", alt: false });
    expect(await shown("hidden")).toEqual(anew);
    expect((await asked()).chat).toBe(setup.ada.lid);
  });

  test.each(["lid", "pn"] as const)("a member of a group that goes by %s", async (addressing) => {
    await start(personal);
    const { wa, owner, ada, bob } = setup;
    const group = wa.addGroup({ subject: "Us", members: [owner, ada, bob], addressing });
    // From another device than the phone.
    const { id: device } = ada.addDevice();
    await ada.send(group, await picture("to all"), { device });
    expect(await shown("to all")).toEqual(anew);
    const participant = addressing === "lid" ? ada.lid : ada.jid;
    expect(await asked()).toMatchObject({ chat: group.jid, participant });
  });

  test.each(["lid", "pn"] as const)("the owner, on another device, by %s", async (as) => {
    await start(personal);
    const { owner } = setup;
    const { id: device } = owner.addDevice();
    await owner.send(owner, await picture("a note"), { as, device });
    expect(await shown("a note")).toEqual(anew);
    expect((await asked()).fromMe).toBe(true);
  });
});

test("files of each kind are asked for", async () => {
  await start();
  const { wa, ada, owner } = setup;
  const gone = async (bytes: Uint8Array, kind: "audio" | "document" | "video" | "sticker") => {
    const file = await wa.media.encrypt(bytes, kind);
    wa.media.expire(410);
    return file;
  };
  const { pdf, mp4, webp } = files;
  const named = { mimetype: "application/pdf", fileName: "offer.pdf" };
  const voice = { mimetype: "audio/ogg; codecs=opus", ptt: true };
  const kinds: [Uint8Array, proto.IMessage][] = [
    [pdf, { documentMessage: { ...(await gone(pdf, "document")), ...named } }],
    [sound, { audioMessage: { ...(await gone(sound, "audio")), ...voice } }],
    [mp4, { videoMessage: { ...(await gone(mp4, "video")), mimetype: "video/mp4" } }],
    [webp, { stickerMessage: { ...(await gone(webp, "sticker")), mimetype: "image/webp" } }],
  ];
  for (const [index, [bytes, raw]] of kinds.entries()) {
    await ada.send(owner, { raw });
    const count = index + 1;
    const turns = await agent.turns.waitFor({ count, timeoutMs: PATIENCE_MS });
    const got = fileOf(turns[index]?.messages[0]?.attachments ?? []);
    expect(got).toEqual({ bytes: Buffer.from(bytes), error: undefined });
  }
  expect(wa.mediaRetries.count).toBe(kinds.length);
});

test.each([
  ["lacks", "and the phone does not have the file either"],
  ["lacks in the clear", "and the phone does not have the file either"],
  ["fails", "and the phone could not upload the file again"],
] as const)("where the phone %s, the agent is told", async (how, why) => {
  await start();
  setup.owner.mediaRetries = how;
  await sendPicture("a picture");
  const error = `WhatsApp no longer has the file (404), ${why}`;
  expect(await shown("a picture")).toEqual({ bytes: null, error });
  await setup.acknowledged();
});

test("where the new one is gone as well, nothing is asked for again", async () => {
  await start();
  setup.owner.mediaRetries = "silent";
  await sendPicture("a picture");
  const [companion] = setup.owner.companions;
  const directPath = "/mms/image/nothing.enc";
  answerMediaRetry(companion!, await asked(), { result: SUCCESS, directPath, mediaKey: key() });
  const error = "WhatsApp no longer has the file (404)";
  expect(await shown("a picture")).toEqual({ bytes: null, error });
  expect(setup.wa.mediaRetries.count).toBe(1);
});

test("others are answered while the phone is silent, and nobody else's answer counts", async () => {
  await start();
  const { wa, owner, ada, bob } = setup;
  owner.mediaRetries = "silent";
  await sendPicture("a picture");
  const retry = await asked();
  await bob.send(owner, "hello");
  await shown("hello");

  const [companion] = owner.companions;
  const elsewhere = await wa.media.encrypt(files.pdf, "image");
  const answers: Parameters<typeof answerMediaRetry>[1][] = [
    { ...retry, id: "ANOTHER" },
    { ...retry, chat: bob.jid },
  ];
  for (const about of answers) answerMediaRetry(companion!, about, { result: NOT_FOUND });
  answerMediaRetry(companion!, retry, { result: NOT_FOUND }, { from: ada.jid });
  const forged = { result: SUCCESS, directPath: elsewhere.directPath };
  answerMediaRetry(companion!, retry, { ...forged, mediaKey: elsewhere.mediaKey });
  answerMediaRetry(companion!, { ...retry, id: "ANOTHER" }, { ...forged, mediaKey: key() });
  await setup.acknowledged();
  await bob.send(owner, "still there?");
  await shown("still there?");
  expect(agent.turns.entries).toHaveLength(2);

  const directPath = wa.media.uploadAgain(imageOf().directPath ?? "");
  answerMediaRetry(companion!, retry, { result: SUCCESS, directPath, mediaKey: key() });
  expect(await shown("a picture")).toEqual(anew);
});

test("an address that leads to others is not followed", async () => {
  await start();
  setup.owner.mediaRetries = "silent";
  await sendPicture("a picture");
  const [companion] = setup.owner.companions;
  const directPath = `//${setup.wa.media.host}/mms/image/f.enc`;
  answerMediaRetry(companion!, await asked(), { result: SUCCESS, directPath, mediaKey: key() });
  const error = "the file does not lie with WhatsApp";
  expect(await shown("a picture")).toEqual({ bytes: null, error });
});

test("where the connection is lost meanwhile, the phone is asked anew over the next one", async () => {
  await start();
  setup.owner.mediaRetries = "silent";
  await sendPicture("a picture");
  await asked();
  setup.owner.mediaRetries = "uploads";
  setup.wa.cutAll();
  await asked(2);
  expect(await shown("a picture")).toEqual(anew);
});

test("where the daemon is killed meanwhile, the next one asks the phone again", async () => {
  await start();
  setup.owner.mediaRetries = "silent";
  await sendPicture("a picture");
  await asked();
  setup.owner.mediaRetries = "uploads";
  setup.daemon.kill("SIGKILL");
  await setup.daemon.exited;
  await setup.start();
  await asked(2);
  expect(await shown("a picture")).toEqual(anew);
});

/** The picture that the owner's phone received. */
function imageOf(): proto.Message.IImageMessage {
  const { imageMessage } = setup.owner.inbox.all.find(({ media }) => media)?.content ?? {};
  if (!imageMessage) throw new Error("no picture came");
  return imageMessage;
}

const key = () => imageOf().mediaKey ?? new Uint8Array();
