import type { EventEmitter } from "node:events";
import { type BinaryNode, getBinaryNodeChild } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";

/** Stanzas asked for at once; Baileys asks for as many when a backlog is announced. */
const BATCH = 100;
/** So few of those asked for are still to come that more are asked for. */
const FEW = 50;
const SILENCE_MS = 10_000;
/** Each followed by such a silence. */
const MOST_IN_VAIN = 6;
/** Of what waits for a device, each stanza says so. */
const WAITED = ["message", "receipt", "notification", "call", "status"];

export interface BacklogOptions {
  ws: Pick<EventEmitter, "on">;
  clock: Clock;
  /** Sends a stanza. */
  send: (node: BinaryNode) => Promise<unknown>;
  /** Of what came, how many messages still wait to be handled. */
  waiting: () => number;
  /** More was announced than comes, however often it is asked for. */
  onStuck: () => void;
}

/**
 * Takes what waits for this device in batches until WhatsApp says that it was all, as WhatsApp Web does. Baileys asks
 * once, for 100 (`socket.js`, offline_preview): the rest might wait for the next login, and all that is new behind it.
 * While messages come faster than they are handled, none are asked for: they would all wait in memory. The answer is to
 * be called after each that was handled.
 */
export function pullBacklog({ ws, clock, send, waiting, onStuck }: BacklogOptions): () => void {
  let running = false;
  let toCome = 0;
  let inVain = 0;
  let cancel = () => {};

  const listen = () => {
    cancel();
    cancel = clock.after(SILENCE_MS, silence);
  };
  const ask = () => {
    toCome = BATCH;
    const batch = { tag: "offline_batch", attrs: { count: String(BATCH) } };
    send({ tag: "ib", attrs: {}, content: [batch] }).catch(() => {});
    listen();
  };
  const isFull = () => waiting() > BATCH;
  const silence = () => {
    if (isFull()) return listen();
    if (inVain++ < MOST_IN_VAIN) return ask();
    running = false;
    onStuck();
  };
  const end = () => {
    running = false;
    cancel();
  };

  ws.on("CB:ib,,offline_preview", (node: BinaryNode) => {
    const announced = Number(getBinaryNodeChild(node, "offline_preview")?.attrs.count);
    if (!(announced > 0)) return;
    running = true;
    toCome = BATCH;
    inVain = 0;
    listen();
  });
  const arrived = () => {
    if (!running) return;
    inVain = 0;
    if (--toCome < FEW && !isFull()) ask();
    else listen();
  };
  for (const tag of WAITED) ws.on(`CB:${tag},offline`, arrived);
  ws.on("CB:ib,,offline", end);
  ws.on("close", end);
  return () => {
    if (running && toCome < FEW && !isFull()) ask();
  };
}
