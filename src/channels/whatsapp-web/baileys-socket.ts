import { Agent } from "node:https";
import {
  type BinaryNode,
  Browsers,
  type WASocket,
  type WAVersion,
  buildAckStanza,
  getBinaryNodeChild,
  makeWASocket,
} from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { keepCredentials } from "./account-name.ts";
import { skipAppState } from "./app-state.ts";
import { pullBacklog } from "./backlog.ts";
import { baileysLog } from "./baileys-log.ts";
import { type Caches, asBaileysCache } from "./caches.ts";
import { catchRejections } from "./caught-listeners.ts";
import { decryptCarefully } from "./careful-decryption.ts";
import type { SocketEvents } from "./connection.ts";
import { changedDevices } from "./device-lists.ts";
import { UNWRITABLE } from "./disconnect.ts";
import { holdFrames } from "./frame-gate.ts";
import { learnPair } from "./lid-pairs.ts";
import { Mutex } from "./mutex.ts";
import { oncePerDevice } from "./outgoing.ts";
import { within } from "./patience.ts";
import { placeholderOf } from "./placeholder.ts";
import { silenceLibsignal } from "./quiet-console.ts";
import { answerRetryReceipts } from "./retry-receipts.ts";
import type { Session } from "./session.ts";
import { checkSignatures } from "./signature.ts";
import { skipStatusPosts } from "./status-posts.ts";
import { statusOf } from "./socket-error.ts";
import { refuseUnknownStanzas } from "./unknown-stanzas.ts";

/** A query without an answer must not hold up sending for long. */
const QUERY_MS = 15_000;
/** None: connection and sends have deadlines of their own, and Baileys would make two stack traces for each frame. */
const CONNECT_MS = 0;
/** Baileys' own keep-alive takes any frame for life; ours decides long before. */
const BAILEYS_KEEPALIVE_MS = 30 * 60_000;
/** One message that hangs must not hold up all others for ever. */
const MESSAGE_MS = 60_000;
const CIPHERTEXT_STUB = 2;
/** Of `NACK_REASONS` (`lib/Utils/decode-wa-message.js`). */
const UNRECOGNIZED = 488;

/** Further events, beside those of the connection. */
export interface TrafficEvents {
  /** The server's word on a message we sent; `error` is its code where it refused. */
  acknowledged(id: string, error: string | null): void;
  /** A receipt of something we sent: Baileys' `WAMessageStatus`. */
  receipt(id: string, status: number, timestamp: number): void;
  /** What the phone answers where it was asked to upload a file again. */
  mediaRetry(node: BinaryNode): void;
  ignored(reason: string): void;
}

export interface SocketOptions {
  session: Session;
  caches: Caches;
  version: WAVersion;
  url: string;
  /** HTTP proxy on loopback; null for none. */
  proxy: string | null;
  clock: Clock;
  log: Logger;
  events: SocketEvents & TrafficEvents;
}

/**
 * An agent that Bun's `ws` asks for its proxy. Whatever ignores the proxy and wants a connection from it gets none, so
 * nothing ever goes out directly.
 */
class ProxyOnlyAgent extends Agent {
  constructor(readonly proxy: string) {
    super();
  }
  override createConnection(): never {
    throw new Error("this runtime does not honour the proxy of a WebSocket");
  }
}

/** Opens one connection. Everything it hears goes to the events; end it with {@link endSocket}. */
export function openSocket(options: SocketOptions): WASocket {
  decryptCarefully();
  checkSignatures();
  silenceLibsignal();
  const { session, caches, version, url, proxy, log } = options;
  const { get, set } = session.transactions;
  // Who names what it knows of the server's switches hears of changes alone, and Baileys forgets the rest (`chats.js`).
  session.creds.lastPropHash = undefined;
  const sock = makeWASocket({
    version,
    waWebSocketUrl: url,
    browser: Browsers.ubuntu("Chrome"),
    auth: { creds: session.creds, keys: { get, set } },
    logger: baileysLog(log),
    connectTimeoutMs: CONNECT_MS,
    defaultQueryTimeoutMs: QUERY_MS,
    keepAliveIntervalMs: BAILEYS_KEEPALIVE_MS,
    // Baileys lets it pass after each message that it cannot read, while all others wait.
    retryRequestDelayMs: 0,
    markOnlineOnConnect: false,
    syncFullHistory: false,
    // Baileys would fetch it past any proxy, and take it for newer than what is known ({@link HistoryReader}).
    shouldSyncHistoryMessage: () => false,
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    makeSignalRepository: session.repository.make,
    patchMessageBeforeSending: (message, devices) =>
      oncePerDevice(message, devices, [session.creds.me?.id, session.creds.me?.lid]),
    cachedGroupMetadata: async (jid) => caches.groups.get(jid),
    userDevicesCache: asBaileysCache(caches.devices),
    msgRetryCounterCache: asBaileysCache(caches.retries),
    placeholderResendCache: asBaileysCache(caches.placeholders),
    callOfferCache: asBaileysCache(caches.calls),
    ...(proxy === null ? {} : { agent: new ProxyOnlyAgent(proxy) }),
  });
  // Who asks for a message again gets what was sent, and to them ({@link answerRetryReceipts}): nothing others wrote.
  if (sock.messageRetryManager) {
    sock.messageRetryManager.addRecentMessage = () => {};
    caches.requests.limit(sock.messageRetryManager);
  }
  catchRejections(sock.ws, (error) => {
    log.debug({ error: messageOf(error) }, "a write to a connection that is gone");
  });
  holdFrames(sock.ws, session.commit, (error) => {
    log.error({ error: messageOf(error) }, "the WhatsApp session cannot be written");
    options.events.ended(UNWRITABLE);
  });
  listenToStanzas(sock, options);
  listenToEvents(sock, options);
  return sock;
}

/**
 * Ends a connection for good; its TCP socket does not linger, however deaf the other side is. Baileys' own end leaves
 * those alone who wait for an answer (`socket.js`, end and waitForMessage), and with them the lock on all sends.
 */
export function endSocket(sock: WASocket): void {
  const raw: unknown = Reflect.get(sock.ws, "socket");
  sock.ws.emit("close");
  sock.end(undefined).catch(() => {});
  if (typeof raw === "object" && raw !== null && "terminate" in raw) {
    if (typeof raw.terminate === "function") raw.terminate();
  }
}

function listenToStanzas(sock: WASocket, options: SocketOptions): void {
  const { session, caches, clock, log, events } = options;
  const { ws } = sock;
  let waiting = 0;
  const handled = pullBacklog({
    ...{ ws, clock },
    waiting: () => waiting,
    send: (node) => sock.sendNode(node),
    onStuck: () => log.warn({}, "WhatsApp keeps something back that waits for this device"),
  });
  const before = (node: BinaryNode) => {
    session.incoming.note(node);
    caches.requests.note(node);
    const missing = placeholderOf(node, session.self);
    if (missing) session.awaitContent(missing);
    if (node.attrs.from?.endsWith("@newsletter")) events.ignored("newsletter");
    waiting++;
  };
  const after = () => {
    waiting--;
    handled();
  };
  const atTurn = (node: BinaryNode) =>
    learnPair(sock.signalRepository.lidMapping, node, session).catch(() => {
      log.debug({}, "who has a LID could not be kept");
      return node;
    });
  handleInOrder(ws, clock, before, atTurn, after);
  ws.on("CB:ack,class:message", ({ attrs }: BinaryNode) => {
    if (attrs.id) events.acknowledged(attrs.id, attrs.error ?? null);
  });
  ws.prependListener("CB:success", () => events.accepted());
  ws.prependListener("CB:notification", (node: BinaryNode) => {
    const users = changedDevices(node, session.self, session.mappings);
    for (const user of users) caches.devices.del(user);
  });
  ws.on("CB:notification", ({ attrs }: BinaryNode) => {
    if (/^(passkey|crsc)/.test(attrs.type ?? "")) events.passkey();
  });
  ws.on("CB:iq,,props", (node: BinaryNode) => {
    const props = getBinaryNodeChild(node, "props");
    if (props) session.firstContact.heed(props);
  });
  ws.on("CB:notification,type:mediaretry", (node: BinaryNode) => events.mediaRetry(node));
  ws.prependListener("CB:failure", ({ attrs }: BinaryNode) => {
    const expire = Number(attrs.expire);
    if (expire > 0) events.expires(expire);
  });
  const acknowledge = (node: BinaryNode, error?: number) => {
    const ack = buildAckStanza(node, error, sock.authState.creds.me?.id);
    sock.sendNode(ack).catch(() => {});
  };
  answerRetryReceipts({ sock, session, resends: caches.resends, acknowledge, clock, log });
  refuseUnknownStanzas(ws, (node) => acknowledge(node, UNRECOGNIZED));
  skipAppState(ws, acknowledge);
  skipStatusPosts(ws, (node) => {
    acknowledge(node);
    events.ignored("status_broadcast");
  });
}

/**
 * Baileys looks up LIDs before it waits for its turn, so that the second message of a chat may overtake the first; and
 * it handles the backlog beside what comes live. Here one message is handled after the other, as they came.
 */
function handleInOrder(
  ws: WASocket["ws"],
  clock: Clock,
  before: (node: BinaryNode) => void,
  atTurn: (node: BinaryNode) => Promise<BinaryNode>,
  after: () => void,
): void {
  const handlers = ws.listeners("CB:message");
  ws.removeAllListeners("CB:message");
  const inOrder = new Mutex();
  ws.on("CB:message", (node: BinaryNode) => {
    before(node);
    const { offline: _, ...attrs } = node.attrs;
    const handled = handlers.map((handle) =>
      inOrder.run(() =>
        within(
          clock,
          MESSAGE_MS,
          atTurn({ ...node, attrs }).then((known) => handle(known)),
        ),
      ),
    );
    void Promise.allSettled(handled).then(after);
  });
}

function listenToEvents(sock: WASocket, { session, caches, events }: SocketOptions): void {
  keepCredentials(sock, () => {
    try {
      session.saveCredentials();
    } catch {
      // The gate has said so, and ends this connection ({@link holdFrames}).
    }
  });
  sock.ev.on("connection.update", ({ connection, qr, isNewLogin, lastDisconnect }) => {
    if (isNewLogin) events.linked();
    if (qr) events.qr(qr);
    if (connection === "open") events.opened();
    if (connection === "close") events.ended(statusOf(lastDisconnect?.error));
  });
  sock.ev.on("messages.upsert", ({ messages }) => {
    for (const { messageStubType } of messages) {
      if (messageStubType === CIPHERTEXT_STUB) events.ignored("undecryptable");
    }
  });
  sock.ev.on("messages.update", (updates) => {
    for (const { key, update } of updates) {
      if (!key.fromMe || !key.id || typeof update.status !== "number") continue;
      events.receipt(key.id, update.status, Number(update.messageTimestamp ?? 0));
    }
  });
  // Baileys' own listener makes messages of calls, and rejects unheard where one names no id (`messages-recv.js`).
  sock.ev.removeAllListeners("call");
  sock.ev.on("call", (calls) => {
    for (const { status } of calls) if (status === "offer") events.ignored("call");
  });
  sock.ev.on("groups.update", (updates) => {
    for (const { id } of updates) if (id) caches.groups.del(id);
  });
  sock.ev.on("group-participants.update", ({ id }) => caches.groups.del(id));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error";
}
