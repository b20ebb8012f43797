import { deviceOf } from "./account.ts";
import type { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import { acceptMediaRetry } from "./media-retry.ts";
import { sendAgain } from "./phone-send.ts";
import { peerOf } from "./phone-device.ts";
import { readPreKey, readSignedPreKey } from "./pairing.ts";
import type { WhatsAppDouble } from "./server.ts";
import {
  type BinaryNode,
  attribute,
  child,
  children,
  integer,
  requiredBytes,
  stanza,
} from "./stanza.ts";

/** A receipt a client gave. */
export interface ClientReceipt {
  id: string;
  /** delivered (none), inactive, read, read-self, played, sender, retry, server-error, peer_msg, hist_sync … */
  type: string | undefined;
  to: string;
  participant: string | undefined;
  from: string;
}

/** Takes a client's receipt: settles the mailbox, tells the author's phone, answers retries. */
export function acceptReceipt(
  double: WhatsAppDouble,
  connection: Connection,
  self: Companion,
  node: BinaryNode,
): void {
  const id = attribute(node, "id");
  const to = attribute(node, "to");
  const { type, participant } = node.attrs;
  const ids = [id, ...children(child(node, "list"), "item").map((item) => attribute(item, "id"))];
  const author = double.directory.find(participant ?? to);
  for (const one of ids) {
    const receipt = { id: one, type, to, participant, from: self.jid };
    double.clientReceipts.add(receipt);
    double.phoneOf(author)?.receipts.add(receipt);
    if (!asking.has(type ?? "")) self.mailbox.settle("message", one);
  }
  void connection.send(stanza("ack", { class: "receipt", id, from: to, type, participant }));
  if (type === "retry") answerRetry(double, self, node);
  if (type === "server-error") acceptMediaRetry(double, self, node);
}

/** Receipts that ask for something, and so acknowledge nothing. */
const asking = new Set(["retry", "server-error"]);

/** An `<ack>` from the client: it has dealt with the stanza, or refused it with an error. */
export function acceptAck(double: WhatsAppDouble, self: Companion, node: BinaryNode): void {
  const id = attribute(node, "id");
  const tag = attribute(node, "class");
  const { error } = node.attrs;
  self.mailbox.settle(tag, id, error);
  double.clientAcks.add({ id, class: tag, error });
}

/** The client could not read a phone's message; the phone encrypts it anew. */
function answerRetry(double: WhatsAppDouble, self: Companion, node: BinaryNode): void {
  const jid = node.attrs.participant ?? attribute(node, "to");
  const device = double.directory.find(jid)?.devices.get(deviceOf(jid));
  const outgoing = double.phoneOf(device?.account)?.outgoing.get(attribute(node, "id"));
  if (!device || !outgoing) return;
  const count = Number(child(node, "retry")?.attrs.count ?? 1);
  const keys = child(node, "keys");
  void device.inOrder(async () => {
    if (keys) {
      const oneTime = child(keys, "key");
      await device.signal.openSession(peerOf(self), {
        registrationId: integer(requiredBytes(node, "registration")),
        identity: requiredBytes(keys, "identity"),
        signedPreKey: readSignedPreKey(child(keys, "skey")),
        preKey: oneTime && readPreKey(oneTime),
      });
    }
    await sendAgain(device, self, outgoing, count);
  });
}
