import { createHmac } from "node:crypto";
import { isLidUser, isPnUser } from "@whiskeysockets/baileys";
import { type Account, deviceOf } from "./account.ts";
import type { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import { type DeviceAnswers, type Envelope, PhoneDevice } from "./phone-device.ts";
import { bundleNodes } from "./prekeys.ts";
import type { WhatsAppDouble } from "./server.ts";
import type { Encrypted } from "./signal.ts";
import {
  type BinaryNode,
  attribute,
  child,
  children,
  contentBytes,
  now,
  stanza,
} from "./stanza.ts";

/** The error of who may not write to somebody. */
const REACHING_OUT = 463;

/** One message stanza as a client sent it. */
export interface ClientMessage {
  id: string;
  to: string;
  type: string | undefined;
  /** what it does to another message: "1" edits, "7" takes back */
  edit: string | undefined;
  /** the number of the LID it goes to */
  alias: string | undefined;
  /** how many devices it was encrypted for */
  recipients: number;
  /** how many times it was encrypted for them one by one */
  copies: number;
  /** what shows that the recipient trusts the account */
  token: string | undefined;
  /** what stands for that where the recipient never said so, hexadecimal */
  contactToken: string | undefined;
  from: string;
}

/** Takes a client's message: fans it out to the devices it was encrypted for, then acknowledges. */
export function acceptMessage(
  double: WhatsAppDouble,
  connection: Connection,
  sender: Companion,
  node: BinaryNode,
): void {
  const id = attribute(node, "id");
  const to = attribute(node, "to");
  if (double.lidsOnly && isPnUser(to) && double.directory.find(to) !== sender.account) {
    const refused = { class: "message", id, from: to, error: REACHING_OUT, t: now() };
    return void connection.send(stanza("ack", refused));
  }
  if (double.salt && !isWelcome(double.salt, double.directory.find(to), sender, node)) {
    const refused = { class: "message", id, from: to, error: REACHING_OUT, t: now() };
    return void connection.send(stanza("ack", refused));
  }
  const deliveries = fanOut(double, sender, node);
  double.clientMessages.add({
    id,
    to,
    type: node.attrs.type,
    edit: node.attrs.edit,
    alias: node.attrs.peer_recipient_pn,
    recipients: deliveries.size,
    token: child(node, "tctoken")?.content?.toString(),
    contactToken: contactTokenIn(node),
    copies: children(children(node, "participants")[0], "to").length,
    from: sender.jid,
  });
  for (const [target, parts] of deliveries) {
    if (target === sender.jid) continue;
    deliver(double, sender, node, target, parts);
  }
  const { participant } = node.attrs;
  void connection.send(stanza("ack", { class: "message", id, from: to, participant, t: now() }));
}

/** Whether a message shows that the recipient trusts the account, or that its client knows the salt; true of groups. */
function isWelcome(
  salt: Buffer,
  recipient: Account | undefined,
  sender: Companion,
  node: BinaryNode,
): boolean {
  if (!recipient || recipient === sender.account || child(node, "tctoken")) return true;
  return (
    contactTokenIn(node) ===
    createHmac("sha256", salt).update(recipient.address("lid")).digest("hex")
  );
}

function contactTokenIn(node: BinaryNode): string | undefined {
  const token = child(node, "cstoken");
  return token && contentBytes(token).toString("hex");
}

/** Device address → its ciphertexts, pairwise before sender key. */
function fanOut(
  double: WhatsAppDouble,
  sender: Companion,
  node: BinaryNode,
): Map<string, Encrypted[]> {
  const to = attribute(node, "to");
  const own = children(node, "enc").map(readPart);
  const deliveries = new Map<string, Encrypted[]>();
  const group = double.groups.get(to);
  if (group && node.attrs.participant) {
    deliveries.set(canonical(double, node.attrs.participant), own);
    return deliveries;
  }
  for (const recipient of children(children(node, "participants")[0], "to")) {
    const parts = children(recipient, "enc").map(readPart);
    deliveries.set(canonical(double, attribute(recipient, "jid")), parts);
  }
  if (group) {
    for (const member of group.members) {
      for (const device of member.deviceIds()) {
        const target = member.jid(device);
        if (target !== sender.jid)
          deliveries.set(target, [...(deliveries.get(target) ?? []), ...own]);
      }
    }
  } else if (own.length > 0) {
    deliveries.set(canonical(double, to), own);
  }
  return deliveries;
}

function deliver(
  double: WhatsAppDouble,
  sender: Companion,
  node: BinaryNode,
  target: string,
  parts: Encrypted[],
): void {
  const account = double.directory.find(target);
  const to = attribute(node, "to");
  const group = double.groups.get(to);
  const phone = account?.devices.get(deviceOf(target));
  if (phone) {
    const addressing = isLidUser(to) ? "lid" : "pn";
    const envelope = {
      id: attribute(node, "id"),
      sender,
      group: group?.jid,
      to,
      addressing,
      parts,
    };
    return phone.accept({ ...envelope, addressing });
  }
  account?.companions
    .get(deviceOf(target))
    ?.deliver(forwarded(sender, account, node, group?.addressing, parts));
}

/** A client's message as another linked client receives it. */
function forwarded(
  sender: Companion,
  account: Account,
  node: BinaryNode,
  groupAddressing: "pn" | "lid" | undefined,
  parts: Encrypted[],
): BinaryNode {
  const to = attribute(node, "to");
  const { id, type, edit } = node.attrs;
  const as = groupAddressing ?? (isLidUser(to) ? "lid" : "pn");
  const author = sender.account.address(as, sender.device);
  const addresses = groupAddressing
    ? { from: to, participant: author, addressing_mode: as }
    : sender.account === account
      ? { from: author, recipient: to }
      : { from: author };
  return stanza(
    "message",
    { ...addresses, id, type, edit, t: now(), notify: sender.account.name },
    parts.map((part) => stanza("enc", { v: 2, type: part.type }, part.ciphertext)),
  );
}

function readPart(enc: BinaryNode): Encrypted {
  const type = attribute(enc, "type");
  if (type !== "pkmsg" && type !== "msg" && type !== "skmsg") {
    throw new Error(`unknown encryption ${type}`);
  }
  return { type, ciphertext: contentBytes(enc) };
}

/** The phone-number address of a device, whichever address was used. */
function canonical(double: WhatsAppDouble, jid: string): string {
  return double.directory.find(jid)?.jid(deviceOf(jid)) ?? jid;
}

/** Creates a simulated device whose receipts travel to the client it answers. */
export function newDevice(double: WhatsAppDouble, account: Account, id: number): PhoneDevice {
  const answers: DeviceAnswers = {
    resolve: (jid) => double.directory.find(jid),
    delivered(device, envelope) {
      if (envelope.sender.account === device.account) return;
      receipt(double, device, envelope, undefined);
    },
    unreadable(device, envelope, attempt) {
      retryReceipt(double, device, envelope, attempt);
    },
  };
  const device = new PhoneDevice(account, id, answers);
  account.devices.set(id, device);
  return device;
}

/** A receipt from a phone; without a type it says delivered. */
export function receipt(
  double: WhatsAppDouble,
  device: PhoneDevice,
  envelope: Pick<Envelope, "id" | "sender" | "group" | "addressing">,
  type: "read" | "played" | undefined,
): void {
  const from = addressesOf(double, device, envelope);
  envelope.sender.deliver(stanza("receipt", { ...from, id: envelope.id, type, t: now() }));
}

function addressesOf(
  double: WhatsAppDouble,
  device: PhoneDevice,
  envelope: Pick<Envelope, "group" | "addressing">,
): { from: string; participant?: string } {
  const group = envelope.group === undefined ? undefined : double.groups.get(envelope.group);
  const address = device.account.address(group?.addressing ?? envelope.addressing, device.id);
  return group ? { from: group.jid, participant: address } : { from: address };
}

/** Asks the client to encrypt once more; from the second time on it brings fresh keys. */
export function retryReceipt(
  double: WhatsAppDouble,
  device: PhoneDevice,
  envelope: Pick<Envelope, "id" | "sender" | "to" | "group" | "addressing">,
  attempt: number,
): void {
  const { id, sender } = envelope;
  const own = sender.account === device.account;
  const [registration, ...keys] = bundleNodes(device.signal.newBundle());
  const content = [stanza("retry", { count: attempt, id, t: now(), v: 1 })];
  if (registration) content.push(registration);
  if (attempt > 1) content.push(stanza("keys", {}, keys));
  double.retriesAsked.add({ id, by: device.address, attempt });
  sender.deliver(
    stanza(
      "receipt",
      {
        ...addressesOf(double, device, envelope),
        id,
        type: "retry",
        t: now(),
        recipient: own && !envelope.group ? envelope.to : undefined,
      },
      content,
    ),
  );
}
