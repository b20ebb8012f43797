import { createCipheriv, hkdfSync } from "node:crypto";
import { beforeEach, describe, expect, test } from "bun:test";
import { type BinaryNode, type WASocket, proto } from "@whiskeysockets/baileys";
import {
  MediaRetries,
  type Retryable,
  readRetryAnswer,
  retryableOf,
  withMessage,
} from "../../../src/channels/whatsapp-web/media-retry.ts";
import { DownloadFailure } from "../../../src/net/download.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { type PhoneAnswer, mediaRetryAnswer } from "../../doubles/whatsapp-web/media-retry.ts";
import { child, stanza } from "../../doubles/whatsapp-web/stanza.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";
import { rejection } from "../../support/rejection.ts";
import { ada, adaLid, around, group } from "./stanzas.ts";

const { SUCCESS, NOT_FOUND, GENERAL_ERROR } = proto.MediaRetryNotification.ResultType;
const me = "15550001000@s.whatsapp.net";
const bob = "447700900002@s.whatsapp.net";
const mediaKey = Buffer.alloc(32, 1);

function file(id = "M1", chat = ada): Retryable {
  return { key: { id, remoteJid: chat, fromMe: false, participant: null }, mediaKey };
}

function about(id = "M1", chat = ada) {
  return { id, chat, fromMe: false, participant: undefined };
}

const uploaded: PhoneAnswer = { result: SUCCESS, directPath: "/new", mediaKey };
const lacks = { failure: "the phone does not have the file either" };
const fails = { failure: "the phone could not upload the file again" };
const knowsAda = {
  ...around,
  mappings: { phoneOfLid: () => `+${ada.split("@")[0]}`, lidOfPhone: () => null },
};

test("a file says what message it is of, there and back", () => {
  const source = { mediaKey: mediaKey.toString("base64") };
  const empty = { mimeType: null, filename: null, size: null, durationSecs: null };
  const media = { kind: "image", ...empty, source } as const;
  for (const key of [
    { id: "M1", remoteJid: ada, fromMe: false, participant: null },
    { id: "M2", remoteJid: group, fromMe: true, participant: me },
  ]) {
    expect(retryableOf(withMessage(media, key))).toEqual({ key, mediaKey });
  }
  expect(retryableOf(media)).toBeNull();
  expect(retryableOf(withMessage(media, { remoteJid: ada }))).toBeNull();
});

describe("an answer", () => {
  const heard = (answer: PhoneAnswer, attributes: Record<string, string> = {}) =>
    readRetryAnswer(mediaRetryAnswer(about(), answer, { from: me, ...attributes }), file(), around);

  test.each<[string, PhoneAnswer, object]>([
    ["with a new path", uploaded, { directPath: "/new" }],
    ["without one", { result: SUCCESS, mediaKey }, fails],
    ["with one too long", { ...uploaded, directPath: `/${"a".repeat(2048)}` }, fails],
    ["that there is no file", { result: NOT_FOUND, mediaKey }, lacks],
    ["that it failed", { result: GENERAL_ERROR, mediaKey }, fails],
    ["that there is no file, in the clear", { result: NOT_FOUND }, lacks],
    ["that it failed, in the clear", { result: GENERAL_ERROR }, fails],
  ])("%s", (_, answer, expected) => {
    expect(heard(answer)).toEqual(expected as never);
  });

  test("that is encrypted counts by its key, in the clear by whose word it is", () => {
    const forged = { ...uploaded, mediaKey: Buffer.alloc(32, 2) };
    expect(heard(forged)).toBeNull();
    expect(heard(uploaded, { from: ada })).toEqual({ directPath: "/new" });
    for (const from of [ada, "s.whatsapp.net", "15550001001@s.whatsapp.net"]) {
      expect(heard({ result: NOT_FOUND }, { from })).toBeNull();
    }
    for (const from of ["900015550001000@lid", "15550001000:0@s.whatsapp.net"]) {
      expect(heard({ result: NOT_FOUND }, { from })).toEqual(lacks);
    }
  });

  test("about another message is not one", () => {
    const read = (id: string, chat: string, answer: PhoneAnswer, more = around) =>
      readRetryAnswer(mediaRetryAnswer(about(id, chat), answer, { from: me }), file(), more);
    expect(read("M2", ada, uploaded)).toBeNull();
    expect(read("M2", ada, { result: NOT_FOUND })).toBeNull();
    expect(read("M1", bob, { result: NOT_FOUND })).toBeNull();
    expect(read("M1", adaLid, { result: NOT_FOUND })).toBeNull();
    expect(read("M1", adaLid, { result: NOT_FOUND }, knowsAda)).toEqual(lacks);
    expect(read("M1", adaLid, uploaded)).toEqual({ directPath: "/new" });
    // Nor where it was moved from one to the other.
    const moved = mediaRetryAnswer(about("M2"), uploaded, { from: me });
    moved.attrs.id = "M1";
    expect(readRetryAnswer(moved, file(), around)).toBeNull();
  });

  test.each<[string, (ciphertext: Buffer) => Uint8Array | undefined]>([
    ["changed", (bytes) => bytes.with(0, (bytes[0] ?? 0) ^ 1)],
    ["cut off", (bytes) => bytes.subarray(0, -1)],
    ["empty", () => Buffer.alloc(0)],
    ["missing", () => undefined],
  ])("that is malformed is not one: %s", (_, change) => {
    const node = mediaRetryAnswer(about(), uploaded, { from: me });
    const part = child(child(node, "encrypt"), "enc_p");
    if (!(part?.content instanceof Uint8Array)) throw new Error("no content");
    const changed = change(Buffer.from(part.content));
    if (changed) part.content = changed;
    else delete part.content;
    expect(readRetryAnswer(node, file(), around)).toBeNull();
  });

  test.each<[string, number, number, object | null]>([
    ["whole", 12, 16, fails],
    ["by a tag that can be guessed", 12, 4, null],
    ["by another IV than WhatsApp's", 16, 16, null],
    ["without an IV", 0, 16, null],
  ])("that says nothing is one where it is %s", (_, ivBytes, tagBytes, expected) => {
    const iv = Buffer.alloc(ivBytes || 12, 3);
    const info = "WhatsApp Media Retry Notification";
    const retryKey = Buffer.from(hkdfSync("sha256", mediaKey, "", info, 32));
    const cipher = createCipheriv("aes-256-gcm", retryKey, iv).setAAD(Buffer.from("M1"));
    const ciphertext = Buffer.concat([cipher.final(), cipher.getAuthTag().subarray(0, tagBytes)]);
    const parts = [stanza("enc_p", {}, ciphertext)];
    if (ivBytes > 0) parts.push(stanza("enc_iv", {}, iv));
    const node = stanza("notification", { id: "M1" }, [stanza("encrypt", {}, parts)]);
    expect(readRetryAnswer(node, file(), around)).toEqual(expected as never);
  });

  test("longer than any is not deciphered, and one without content is none", () => {
    expect(heard({ ...uploaded, directPath: `/${"a".repeat(8 * 1024)}` })).toBeNull();
    const attrs = { id: "M1", from: me };
    expect(readRetryAnswer({ tag: "notification", attrs }, file(), around)).toBeNull();
    const error = { tag: "error", attrs: {} };
    const unnamed = { tag: "notification", attrs, content: [error] };
    expect(readRetryAnswer(unnamed, file(), around)).toBeNull();
  });
});

describe("asking", () => {
  let clock: FakeClock;
  let retries: MediaRetries;
  let sent: BinaryNode[];
  let sending: () => Promise<void>;
  const never = new AbortController().signal;

  beforeEach(() => {
    clock = fakeClock();
    retries = new MediaRetries({ clock, log: silentLog });
    sent = [];
    sending = async () => {};
  });

  /** As much of a socket as sends a stanza. */
  function socket(): WASocket {
    const sendNode = (node: BinaryNode) => (sent.push(node), sending());
    const authState = { creds: { me: { id: "15550001000:7@s.whatsapp.net" } } };
    return { sendNode, authState } as unknown as WASocket;
  }

  /** A file that this member of a group sent. */
  const from = (participant: string, id: string) => {
    const one = file(id);
    return { ...one, key: { ...one.key, participant: `${participant}@lid` } };
  };
  const ask = (one = file(), signal = never) => retries.ask(socket(), one, signal);
  const hear = (id = "M1", answer = uploaded) =>
    retries.hear(mediaRetryAnswer(about(id), answer, { from: me }), around);

  test("goes to the own account, and what is answered is remembered for an hour", async () => {
    const answer = ask();
    expect(sent[0]).toMatchObject({ tag: "receipt", attrs: { id: "M1", to: me } });
    hear();
    expect(await answer).toEqual({ directPath: "/new" });
    expect(clock.pending).toBe(0);
    expect(await ask()).toEqual({ directPath: "/new" });
    expect(sent).toHaveLength(1);
    await clock.advance(3_600_000);
    void ask();
    expect(sent).toHaveLength(2);
  });

  test("each gets the answer to its own file", async () => {
    const answers = Promise.all([ask(file("M1")), ask(file("M2"))]);
    hear("M2", { result: NOT_FOUND, mediaKey });
    hear("M1");
    expect(await answers).toEqual([{ directPath: "/new" }, lacks]);
  });

  test("ends after half a minute, and is not done again", async () => {
    const answer = ask();
    await clock.advance(29_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    const late = { failure: "the phone did not upload the file again in time" };
    expect(await answer).toEqual(late);
    expect(await ask()).toEqual(late);
    hear();
    expect(await ask()).toEqual({ directPath: "/new" });
    expect(sent).toHaveLength(1);
  });

  test("is short while the phone lets answers lapse", async () => {
    const late = { failure: "the phone did not upload the file again in time" };
    const lapsed = ask(file("M1"));
    await clock.advance(30_000);
    expect(await lapsed).toEqual(late);
    const next = ask(file("M2"));
    await clock.advance(5_000);
    expect(await next).toEqual(late);

    const answered = ask(file("M3"));
    hear("M3");
    expect(await answered).toEqual({ directPath: "/new" });
    const patient = ask(file("M4"));
    await clock.advance(29_999);
    hear("M4");
    expect(await patient).toEqual({ directPath: "/new" });
  });

  test("is not short any more after an answer that came late", async () => {
    const late = { failure: "the phone did not upload the file again in time" };
    const lapsed = ask(file("M1"));
    await clock.advance(30_000);
    await lapsed;
    const short = ask(file("M2"));
    await clock.advance(5_000);
    expect(await short).toEqual(late);
    hear("M3");
    const other = ask(file("M3"));
    await clock.advance(5_000);
    expect(await other).toEqual(late);
    hear("M2", { result: NOT_FOUND, mediaKey });
    const patient = ask(file("M4"));
    await clock.advance(29_999);
    hear("M4");
    expect(await patient).toEqual({ directPath: "/new" });
    expect(await ask(file("M2"))).toEqual(lacks);
  });

  test("ends with whoever asked, and is done again for the next", async () => {
    const stop = new AbortController();
    const given = rejection(ask(file(), stop.signal));
    stop.abort(new Error("given up"));
    expect(await given).toMatchObject({ message: "given up" });
    expect(clock.pending).toBe(0);
    const answer = ask();
    expect(sent).toHaveLength(2);
    hear();
    expect(await answer).toEqual({ directPath: "/new" });
  });

  test.each<[string, () => Promise<void>, () => void]>([
    ["is lost", async () => {}, () => retries.lose()],
    ["takes nothing", async () => Promise.reject(new Error("closed")), () => {}],
  ])("ends where the connection %s, and may go well another time", async (_, send, happen) => {
    sending = send;
    const answer = rejection(ask());
    happen();
    const failure = await answer;
    expect(failure).toBeInstanceOf(DownloadFailure);
    expect(failure).toMatchObject({ mayPass: true });
    expect(clock.pending).toBe(0);
    sending = async () => {};
    const again = ask();
    hear();
    expect(await again).toEqual({ directPath: "/new" });
    expect(sent).toHaveLength(2);
  });

  test("is done for thirty files of one sender, and for one more a minute later", async () => {
    const often = { failure: "the phone was asked for too many files of this sender already" };
    for (let index = 0; index < 30; index++) {
      const answer = ask(file(`M${index}`));
      hear(`M${index}`);
      await answer;
    }
    expect(await ask(file("M30"))).toEqual(often);
    expect(await ask(file("M7"))).toEqual({ directPath: "/new" });
    void ask(from("another", "N1"));
    expect(sent).toHaveLength(31);
    await clock.advance(60_000);
    void ask(file("M30"));
    expect(sent).toHaveLength(32);
    expect(await ask(file("M31"))).toEqual(often);
  });

  test("is done for so many at once, and no more", async () => {
    const waiting = Array.from({ length: 100 }, (_, index) => ask(from(`${index}`, `M${index}`)));
    expect(await ask(file("M100"))).toEqual({
      failure: "the phone is asked for too many files already",
    });
    expect(sent).toHaveLength(100);
    hear("M7");
    await waiting[7];
    void ask(file("M100"));
    expect(sent).toHaveLength(101);
  });
});
