import { isLidUser } from "@whiskeysockets/baileys";
import type { Directory } from "./account.ts";
import { type BinaryNode, child, children, contentBytes, result, stanza } from "./stanza.ts";

/** Namespace `usync`: which devices, LIDs and contacts belong to the users asked for. */
export function answerUsync(directory: Directory, query: BinaryNode): BinaryNode {
  const usync = child(query, "usync");
  const asked = children(child(usync, "query")).map((protocol) => protocol.tag);
  const users = children(child(usync, "list"), "user").map((user) =>
    answerUser(directory, user, asked),
  );
  return result(query, [stanza("usync", {}, [stanza("result"), stanza("list", {}, users)])]);
}

function answerUser(directory: Directory, user: BinaryNode, asked: string[]): BinaryNode {
  const contact = child(user, "contact");
  const phone =
    contact?.content === undefined
      ? undefined
      : contentBytes(contact).toString().replace(/\D/g, "");
  const jid = user.attrs.jid ?? `${phone}@s.whatsapp.net`;
  const account = directory.find(jid);
  const answers: BinaryNode[] = [];
  if (asked.includes("contact")) {
    answers.push(stanza("contact", { type: account ? "in" : "out" }));
  }
  if (account && asked.includes("devices")) {
    const devices = account
      .deviceIds()
      .map((id) => stanza("device", id === 0 ? { id } : { id, "key-index": id }));
    answers.push(stanza("devices", {}, [stanza("device-list", {}, devices)]));
  }
  if (account?.lidDisclosed && asked.includes("lid") && !isLidUser(jid)) {
    answers.push(stanza("lid", { val: account.lidJid() }));
  }
  return stanza("user", { jid }, answers);
}
