import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { phoneKey } from "../../src/access/identity.ts";
import type { Message, Recipient, Sender } from "../../src/channels/message.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { AcceptRules, ConversationStore, Source } from "../../src/store/contract.ts";
import { openStore } from "../../src/store/sqlite.ts";

export const cloud: Source = { channel: "whatsapp", backend: "cloud", account: "1000" };

/** A folder that is gone after the test. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "revka-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function storeAt(path: string, clock: Clock): ConversationStore {
  return openStore({ path, clock, phoneKey: (phone) => phoneKey(phone) ?? phone }).store;
}

export const everybody: AcceptRules = {
  admit: (message) => ({ admitted: true, message }),
  maxPendingMessages: 1_000_000,
  maxPendingBytes: 1_000_000_000,
  maxPendingPerChat: 1_000,
};

/** Whom an operator names by a number. */
export function recipientAt(phone: string): Recipient {
  return { kind: "direct", phone, userId: null, lid: null };
}

export const nobody: Sender = {
  phone: null,
  userId: null,
  lid: null,
  username: null,
  name: null,
};

let counter = 0;

/** A text message; every field can be said otherwise. */
export function message(changes: Partial<Message> = {}): Message {
  counter++;
  return {
    id: `wamid.${counter}`,
    chat: { kind: "direct" },
    sender: { ...nobody, phone: "+15550001111", name: "Ada" },
    type: "text",
    text: `text ${counter}`,
    timestamp: 1_700_000_000,
    replyTo: null,
    forwarded: false,
    attachments: [],
    fromMe: false,
    mentionsMe: false,
    backlog: false,
    ...changes,
  };
}
