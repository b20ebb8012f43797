import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WASocket, proto } from "@whiskeysockets/baileys";
import type { Delivery, Recipient } from "../../../src/channels/message.ts";
import { createCaches } from "../../../src/channels/whatsapp-web/caches.ts";
import { Client } from "../../../src/channels/whatsapp-web/client.ts";
import { MediaConnections } from "../../../src/channels/whatsapp-web/media-connection.ts";
import { within } from "../../../src/channels/whatsapp-web/patience.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { fakeClock } from "../../support/clock.ts";

export const ADA = "491700000001@s.whatsapp.net";
export const ADA_LID = "900491700000001@lid";
export const GROUP = "120363000000000001@g.us";

interface Relayed {
  chat: string;
  id: string;
  message: proto.IMessage;
  attributes: unknown;
}

/** A client on a session of its own, and a socket that is asked and told things, but sends nothing anywhere. */
export function clientHarness() {
  const folder = mkdtempSync(join(tmpdir(), "revka-client-"));
  const clock = fakeClock();
  const session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
  const caches = createCaches(clock);
  const relayed: Relayed[] = [];
  const world = {
    connected: true,
    /** JIDs that have devices. */
    devices: [ADA, ADA_LID],
    lookedUp: [] as string[],
    /** What the server says of a number. */
    onWhatsApp: async (jid: string): Promise<{ jid: string; exists: boolean }[] | undefined> => [
      { jid, exists: true },
    ],
    /** What becomes of a message that is sent. */
    relay: async (_: Relayed) => {},
    /** Where files were laid. */
    uploads: [] as string[],
    /** How long a media server takes. */
    upload: async () => {},
  };
  const sock = {
    getUSyncDevices: async ([jid = ""]: string[], _cached: boolean, ignorePhones: boolean) => {
      world.lookedUp.push(jid);
      // Nobody here has more than the phone.
      return world.devices.includes(jid) && !ignorePhones ? [{ user: jid.split("@")[0], jid }] : [];
    },
    onWhatsApp: (jid: string) => world.onWhatsApp(jid),
    relayMessage: async (
      chat: string,
      message: proto.IMessage,
      { messageId, additionalAttributes }: { messageId: string; additionalAttributes: unknown },
    ) => {
      const one = { chat, id: messageId, message, attributes: additionalAttributes };
      relayed.push(one);
      await world.relay(one);
    },
    query: async () => ({
      tag: "iq",
      attrs: {},
      content: [
        {
          tag: "media_conn",
          attrs: { auth: "secret", ttl: "3600" },
          content: [{ tag: "host", attrs: { hostname: "media.example" } }],
        },
      ],
    }),
  };
  const client = new Client({
    clock,
    caches,
    mediaConnections: new MediaConnections(clock),
    session: () => session,
    ready: async () => (world.connected ? (sock as unknown as WASocket) : null),
    whyNot: () => "linking",
    fetch: async (url, init) => {
      if (init?.body instanceof ReadableStream) await new Response(init.body).arrayBuffer();
      world.uploads.push(new URL(String(url)).pathname);
      await within(clock, 3_600_000, world.upload(), init?.signal ?? undefined);
      return Response.json({ url: "https://mmg.whatsapp.net/f", direct_path: "/f" });
    },
  });
  /** The server takes what is sent from now on. */
  const acknowledged = () => {
    world.relay = async ({ id }) =>
      void queueMicrotask(() => client.acknowledgements.settle(id, null));
  };
  return {
    ...{ folder, clock, session, caches, relayed, world, sock, client, acknowledged },
    send: (delivery: Delivery, signal = new AbortController().signal) =>
      client.send(delivery, signal),
    stop() {
      session.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const toAda: Extract<Recipient, { kind: "direct" }> = {
  kind: "direct",
  phone: "+491700000001",
  userId: null,
  lid: null,
};
export const toGroup: Recipient = { kind: "group", id: GROUP };

export function delivery(
  recipient: Recipient,
  content: Delivery["content"] | string = "hello",
  id = "delivery-1",
): Delivery {
  return {
    id,
    chat: { kind: recipient.kind, id: "somebody" },
    recipient,
    content: typeof content === "string" ? { kind: "text", text: content, quote: null } : content,
  };
}
