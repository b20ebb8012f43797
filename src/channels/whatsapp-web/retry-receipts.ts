import type { EventEmitter } from "node:events";
import {
  type BinaryNode,
  type WASocket,
  extractE2ESessionFromRetryReceipt,
  getBinaryNodeChild,
  type proto,
} from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type Self, isSelf } from "./identity.ts";
import { kindOf } from "./jid.ts";
import { Mutex } from "./mutex.ts";
import { aliasOf, stanzaAttributes } from "./outgoing.ts";
import { within } from "./patience.ts";
import { type Asking, type Resends, answerTo, isForAll } from "./resends.ts";
import type { Session } from "./session.ts";

const RECEIPT = "CB:receipt";
/** One answer that hangs must not hold up all others for ever. */
const ANSWER_MS = 60_000;

export interface RetryReceiptOptions {
  sock: Pick<
    WASocket,
    "authState" | "serverProps" | "signalRepository" | "assertSessions" | "relayMessage"
  > & {
    ws: Pick<EventEmitter, "listeners" | "removeAllListeners" | "on">;
  };
  session: Session;
  resends: Resends;
  acknowledge: (node: BinaryNode) => void;
  clock: Clock;
  log: Logger;
}

/**
 * Answers those who could not read a message and ask for it again, in the place of who listens by now. Baileys
 * (`messages-recv.js`, sendMessagesAgain) sends an edit or a withdrawal again without saying that it is one, and asks the
 * server for keys for whatever id anybody makes up.
 */
export function answerRetryReceipts(options: RetryReceiptOptions): void {
  const { sock, session, resends, acknowledge, clock, log } = options;
  const { ws } = sock;
  const listeners = ws.listeners(RECEIPT);
  const inOrder = new Mutex();

  const answer = async (node: BinaryNode): Promise<void> => {
    const asking = askingOf(node, session.self);
    const given = asking && answerTo(session, resends, asking);
    if (!given) return;
    await inOrder.run(() => within(clock, ANSWER_MS, give(options, node, asking, given.message)));
  };

  ws.removeAllListeners(RECEIPT);
  ws.on(RECEIPT, (node: BinaryNode) => {
    if (node.attrs.type !== "retry") {
      for (const listener of listeners) Reflect.apply(listener, ws, [node]);
      return;
    }
    answer(node)
      .catch(() => log.debug({}, "a message could not be sent again"))
      .finally(() => acknowledge(node));
  });
}

function askingOf({ attrs }: BinaryNode, self: Self): Asking | null {
  const { id, from, participant, recipient } = attrs;
  const asker = participant ?? from;
  if (!id || !from || !asker) return null;
  // The account's own devices ask for what was written to somebody else.
  const chat = kindOf(from) !== "group" && isSelf(from, self) ? (recipient ?? from) : from;
  return { id, chat, asker };
}

async function give(
  options: RetryReceiptOptions,
  node: BinaryNode,
  asking: Asking,
  message: proto.IMessage | null,
): Promise<void> {
  const { session } = options;
  const send = async () => message && sendAgain(options, node, asking, message);
  await renewSession(options, node, asking);
  if (kindOf(asking.chat) !== "group") return void (await send());
  // A send to the group says at its end that all have the sender key.
  await session.transactions.besideNoSend(async () => {
    await session.forgetSenderKeyRecipients(asking.chat);
    await send();
  });
}

/** By the keys that came along, else by those that the server has. */
async function renewSession(
  { sock, session }: RetryReceiptOptions,
  node: BinaryNode,
  { asker }: Asking,
): Promise<void> {
  session.repository.allowReset(asker);
  if (!(await takeKeys(sock, node, asker))) await sock.assertSessions([asker], true);
}

/** Answers whether keys came along that are good for something. */
async function takeKeys(
  { signalRepository }: RetryReceiptOptions["sock"],
  node: BinaryNode,
  jid: string,
): Promise<boolean> {
  const bundle = extractE2ESessionFromRetryReceipt(node);
  if (!bundle) return false;
  const { preKey, ...keys } = bundle;
  const session = { ...keys, ...(preKey && { preKey }) };
  return signalRepository.injectE2ESession({ jid, session }).then(
    () => true,
    () => false,
  );
}

async function sendAgain(
  { sock, session }: RetryReceiptOptions,
  node: BinaryNode,
  { id, chat, asker }: Asking,
  message: proto.IMessage,
): Promise<void> {
  const attributes = stanzaAttributes(message);
  if (isForAll(asker)) {
    await sock.relayMessage(chat, message, {
      messageId: id,
      additionalAttributes: { ...attributes, ...aliasOf(chat, session.mappings) },
      additionalNodes: await session.firstContact.nodesFor(chat, sock, session.self),
      useUserDevicesCache: false,
    });
    return;
  }
  const count = Number(getBinaryNodeChild(node, "retry")?.attrs.count) || 1;
  await sock.relayMessage(chat, message, {
    messageId: id,
    additionalAttributes: attributes,
    participant: { jid: asker, count },
  });
}
