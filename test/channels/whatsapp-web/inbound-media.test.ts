import { expect, test } from "bun:test";
import { type WASocket, proto } from "@whiskeysockets/baileys";
import { InboundMedia } from "../../../src/channels/whatsapp-web/inbound-media.ts";
import { MediaConnections } from "../../../src/channels/whatsapp-web/media-connection.ts";
import { withMessage } from "../../../src/channels/whatsapp-web/media-retry.ts";
import type { MediaReference } from "../../../src/channels/message.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { mediaRetryAnswer } from "../../doubles/whatsapp-web/media-retry.ts";
import { fakeClock } from "../../support/clock.ts";
import { rejection } from "../../support/rejection.ts";
import { ada, around } from "./stanzas.ts";

/** As references were kept before they said what message they are of. */
const nameless: MediaReference = {
  ...{ kind: "image", mimeType: null, filename: null, size: null, durationSecs: null },
  source: {
    kind: "image",
    url: null,
    directPath: "/f",
    mediaKey: Buffer.alloc(32, 1).toString("base64"),
    fileEncSha256: null,
  },
};
const named = withMessage(nameless, { remoteJid: ada, id: "M1", fromMe: false });

/** Opens a file where the servers answer with this status; also whether the phone was asked. */
async function opened(media: MediaReference, status: number, connected = true) {
  const clock = fakeClock();
  let asked = false;
  const sock = {
    query: async () => undefined,
    sendNode: async () => {
      asked = true;
      throw new Error("closed");
    },
    authState: { creds: { me: { id: "15550001000@s.whatsapp.net" } } },
  } as unknown as WASocket;
  const files = new InboundMedia({
    ...{ clock, log: silentLog, mediaConnections: new MediaConnections(clock) },
    fetch: async () => new Response("", { status }),
    ready: async () => (connected ? sock : null),
  });
  const failure = await rejection(files.open(media, new AbortController().signal));
  return { failure, asked };
}

test("a file that is gone is asked for, where its message is known", async () => {
  expect(await opened(named, 410)).toMatchObject({ failure: { mayPass: true }, asked: true });
  expect(await opened(nameless, 410)).toMatchObject({
    failure: { message: "WhatsApp no longer has the file (410)" },
    asked: false,
  });
});

test("what the phone uploads lies with the servers that WhatsApp names, whoever's address the message had", async () => {
  const clock = fakeClock();
  const fetched: string[] = [];
  const me = "15550001000@s.whatsapp.net";
  const host = { tag: "host", attrs: { hostname: "media.named.net" } };
  const sock = {
    query: async () => ({
      ...{ tag: "iq", attrs: {} },
      content: [{ tag: "media_conn", attrs: { auth: "a", ttl: "300" }, content: [host] }],
    }),
    sendNode: async () => {
      const about = { id: "M1", chat: ada, fromMe: false, participant: undefined };
      const { SUCCESS: result } = proto.MediaRetryNotification.ResultType;
      const answer = { result, directPath: "/new?a=1", mediaKey: Buffer.alloc(32, 1) };
      files.retries.hear(mediaRetryAnswer(about, answer, { from: me }), around);
    },
    authState: { creds: { me: { id: me } } },
  } as unknown as WASocket;
  const files = new InboundMedia({
    ...{ clock, log: silentLog, mediaConnections: new MediaConnections(clock) },
    fetch: async (url) => {
      fetched.push(String(url));
      return new Response("", { status: fetched.length === 1 ? 410 : 404 });
    },
    ready: async () => sock,
  });
  const source = { ...named.source, url: "https://media-fra3-1.cdn.whatsapp.net/f" };
  const opening = files.open({ ...named, source }, new AbortController().signal);
  expect(await rejection(opening)).toMatchObject({
    message: "WhatsApp no longer has the file (404)",
  });
  expect(fetched).toEqual([
    "https://media-fra3-1.cdn.whatsapp.net/f",
    "https://media.named.net/new?a=1",
  ]);
});

test.each([400, 429, 500])("what is answered %i is not asked for", async (status) => {
  expect((await opened(named, status)).asked).toBe(false);
});

test("without a connection nobody can be asked", async () => {
  expect((await opened(named, 404, false)).failure).toMatchObject({
    name: "MediaUnavailable",
    message:
      "WhatsApp no longer has the file (404), and the phone cannot be asked for the file: WhatsApp is not connected",
  });
});
