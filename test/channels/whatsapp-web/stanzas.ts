import { encodeWAMessage, type proto } from "@whiskeysockets/baileys";
import type { Mappings } from "../../../src/channels/whatsapp-web/identity.ts";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { type Surroundings, translate } from "../../../src/channels/whatsapp-web/payload.ts";

/** Stanzas of messages as WhatsApp Web brings them, for the tests of what is made of them. */

export const none: Mappings = { phoneOfLid: () => null, lidOfPhone: () => null };
export const around: Surroundings = {
  self: { phone: "+15550001000", lid: "900015550001000@lid" },
  mappings: none,
  isOurs: () => false,
  attributesOf: () => undefined,
  replayed: false,
};
export const ada = "491700000001@s.whatsapp.net";
export const adaLid = "900491700000001@lid";
export const group = "120363000000000001@g.us";
export const inAGroup: StanzaAttributes = { from: group, participant: ada };
/** Of what Ada writes to us alone. */
export const direct: StanzaAttributes = { id: "M1", from: ada, t: "1700000000", notify: "Ada" };

/** What is made of a stanza with this message, or with these parts of one. */
export function read(
  message: proto.IMessage | proto.IMessage[],
  attributes: StanzaAttributes = direct,
  more: Partial<Surroundings> = {},
) {
  const messages = Array.isArray(message) ? message : [message];
  const plaintexts = messages.map((one) => encodeWAMessage(one));
  return translate({ attributes, plaintexts }, { ...around, ...more });
}

/** The message that {@link read} makes of it. */
export function message(...values: Parameters<typeof read>) {
  const [event] = read(...values).events;
  if (event?.kind !== "message") throw new Error(`not a message: ${JSON.stringify(event)}`);
  return event.message;
}

/** Why {@link read} ignores it, or what kind of event it makes of it. */
export function reason(...values: Parameters<typeof read>) {
  const [event] = read(...values).events;
  return event?.kind === "ignored" ? event.reason : event?.kind;
}

/** Of a message with a file: where it lies, and how it is opened. */
export const file = {
  url: "https://mmg.whatsapp.net/f",
  directPath: "/f",
  mediaKey: Buffer.alloc(32, 1),
  fileLength: 7,
  mimetype: "a/b",
};

export const hello: proto.IMessage = { conversation: "hello" };
/** Names an earlier message of ours. */
export const key = { id: "T1", remoteJid: ada, fromMe: true };
