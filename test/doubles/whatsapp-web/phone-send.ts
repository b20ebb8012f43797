import { encodeWAMessage, type proto } from "@whiskeysockets/baileys";
import type { Account, Addressing } from "./account.ts";
import type { Companion } from "./companion.ts";
import { stanzaKind } from "./compose.ts";
import type { Group } from "./groups.ts";
import { type PhoneDevice, peerOf } from "./phone-device.ts";
import { takeBundle } from "./prekeys.ts";
import type { Encrypted } from "./signal.ts";
import { type BinaryNode, stanza } from "./stanza.ts";

/** A message as it left a phone; kept so it can be sent again on request. */
export interface Outgoing {
  id: string;
  message: proto.IMessage;
  to: Account | Group;
  as: Addressing;
  /** whether the stanza also tells the other of the sender's two addresses */
  alt: boolean;
  /** seconds since 1970 */
  t: number;
  /** corrupts the ciphertext, so that the client must ask again */
  garbled: boolean;
}

/** Encrypts for one linked client and puts the stanza into its mailbox. */
export async function sendToCompanion(
  device: PhoneDevice,
  companion: Companion,
  outgoing: Outgoing,
): Promise<void> {
  const parts = isGroup(outgoing.to)
    ? await groupParts(device, companion, outgoing, outgoing.to)
    : [await pairwise(device, companion, encodeWAMessage(wrapped(device, companion, outgoing)))];
  companion.deliver(messageStanza(device, companion, outgoing, parts));
}

/** Answers a retry receipt: encrypts anew for the one client that asked. */
export async function sendAgain(
  device: PhoneDevice,
  companion: Companion,
  outgoing: Outgoing,
  count: number,
): Promise<void> {
  const again = { ...outgoing, garbled: false };
  let message = wrapped(device, companion, again);
  if (isGroup(outgoing.to)) {
    message = { ...message, ...(await senderKey(device, outgoing.to)) };
  }
  const part = await pairwise(device, companion, encodeWAMessage(message));
  companion.deliver(messageStanza(device, companion, again, [part], count));
}

/** A client of the same account gets a copy that names the chat; others get the message itself. */
function wrapped(device: PhoneDevice, companion: Companion, outgoing: Outgoing): proto.IMessage {
  const { to, as, message } = outgoing;
  if (companion.account !== device.account || isGroup(to)) return message;
  return { deviceSentMessage: { destinationJid: to.address(as), message } };
}

async function groupParts(
  device: PhoneDevice,
  companion: Companion,
  outgoing: Outgoing,
  group: Group,
): Promise<Encrypted[]> {
  const parts: Encrypted[] = [];
  const distribution = await senderKey(device, group);
  const holder = `${group.jid} ${companion.jid}`;
  if (!device.senderKeyHolders.has(holder)) {
    parts.push(await pairwise(device, companion, encodeWAMessage(distribution)));
    device.senderKeyHolders.add(holder);
  }
  const bytes = encodeWAMessage(outgoing.message);
  parts.push(await device.signal.encryptToGroup(group.jid, device.address, bytes));
  return parts;
}

async function senderKey(device: PhoneDevice, group: Group): Promise<proto.IMessage> {
  const key = await device.signal.senderKeyDistribution(group.jid, device.address);
  return {
    senderKeyDistributionMessage: {
      groupId: group.jid,
      axolotlSenderKeyDistributionMessage: key,
    },
  };
}

/** Encrypts a padded message under the session with one client, opening the session if need be. */
export async function pairwise(
  device: PhoneDevice,
  companion: Companion,
  message: Uint8Array,
): Promise<Encrypted> {
  const peer = peerOf(companion);
  if (!device.signal.hasSession(peer)) {
    await device.signal.openSession(peer, takeBundle(companion));
  }
  return device.signal.encrypt(peer, message);
}

function messageStanza(
  device: PhoneDevice,
  companion: Companion,
  outgoing: Outgoing,
  parts: Encrypted[],
  count?: number,
): BinaryNode {
  const { id, to, message, t } = outgoing;
  const { type, edit } = stanzaKind(message);
  const addresses = isGroup(to)
    ? groupAddresses(device, to, outgoing)
    : companion.account === device.account
      ? ownAddresses(device, to, outgoing)
      : chatAddresses(device, outgoing);
  const encrypted = parts.map((part) =>
    stanza(
      "enc",
      { v: 2, type: part.type, count },
      outgoing.garbled ? garble(part.ciphertext) : part.ciphertext,
    ),
  );
  const attrs = { ...addresses, id, type, t, edit, notify: device.account.name };
  return stanza("message", attrs, encrypted);
}

function chatAddresses({ account, id }: PhoneDevice, { as, alt }: Outgoing) {
  return {
    from: account.address(as, id),
    sender_pn: alt && as === "lid" ? account.jid() : undefined,
    sender_lid: alt && as === "pn" ? account.lidJid() : undefined,
  };
}

/** The owner's phone tells the linked clients what was written on it, and to whom. */
function ownAddresses({ account, id }: PhoneDevice, to: Account, { as, alt }: Outgoing) {
  return {
    from: account.address(as, id),
    recipient: to.address(as),
    peer_recipient_pn: alt && as === "lid" ? to.jid() : undefined,
    peer_recipient_lid: alt && as === "pn" ? to.lidJid() : undefined,
  };
}

function groupAddresses({ account, id }: PhoneDevice, group: Group, { alt }: Outgoing) {
  const as = group.addressing;
  return {
    from: group.jid,
    participant: account.address(as, id),
    addressing_mode: as,
    participant_pn: alt && as === "lid" ? account.jid() : undefined,
    participant_lid: alt && as === "pn" ? account.lidJid() : undefined,
  };
}

/** Damages what is authenticated; the last bytes of a pkmsg are key ids, which are not. */
function garble(ciphertext: Buffer): Buffer {
  const copy = Buffer.from(ciphertext);
  const at = copy.length - 14;
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}

function isGroup(to: Account | Group): to is Group {
  return "members" in to;
}
