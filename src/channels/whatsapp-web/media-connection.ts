import {
  type BinaryNode,
  S_WHATSAPP_NET,
  type WASocket,
  getBinaryNodeChild,
  getBinaryNodeChildren,
} from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { abortable, within } from "./patience.ts";

/** A question without an answer must not hold up a file for long. */
const ANSWER_MS = 10_000;

/** Where files lie, as the server says over the socket. */
export interface MediaConnection {
  hosts: string[];
  auth: string;
}

/** The server did not say where files lie. It may the next time. */
export class NoMediaConnection extends Error {
  override readonly name = "NoMediaConnection";
}

interface Kept {
  connection: Promise<MediaConnection>;
  /** By the clock; without end while the question is open. */
  until: number;
}

/**
 * Asks where files lie, once for all who want to know. Not Baileys' `refreshMediaConn` (`messages-send.js:38`), which
 * keeps a failure for as long as the socket lives.
 */
export class MediaConnections {
  private readonly kept = new WeakMap<WASocket, Kept>();

  constructor(private readonly clock: Clock) {}

  /** By this socket; rejects with {@link NoMediaConnection}, or the signal's reason. */
  find(sock: WASocket, signal: AbortSignal): Promise<MediaConnection> {
    const before = this.kept.get(sock);
    if (before && before.until > this.clock.now()) return abortable(before.connection, signal);
    return abortable(this.ask(sock), signal);
  }

  private ask(sock: WASocket): Promise<MediaConnection> {
    const asked = this.clock.now();
    const answer = within(this.clock, ANSWER_MS, query(sock)).then(read);
    const connection = answer.then(
      ({ ttlSecs, ...found }) => {
        kept.until = asked + ttlSecs * 1000;
        return found;
      },
      (cause: unknown) => {
        this.kept.delete(sock);
        throw new NoMediaConnection("WhatsApp named no media server", { cause });
      },
    );
    const kept = { connection, until: Infinity };
    this.kept.set(sock, kept);
    return connection;
  }
}

/** Answers nothing where the server does not answer in Baileys' time. */
async function query(sock: WASocket): Promise<BinaryNode | undefined> {
  return sock.query({
    tag: "iq",
    attrs: { type: "set", xmlns: "w:m", to: S_WHATSAPP_NET },
    content: [{ tag: "media_conn", attrs: {} }],
  });
}

function read(answer: BinaryNode | undefined): MediaConnection & { ttlSecs: number } {
  const node = getBinaryNodeChild(answer, "media_conn");
  const hosts = getBinaryNodeChildren(node, "host").flatMap(({ attrs }) => attrs.hostname || []);
  const auth = node?.attrs.auth;
  if (!auth || hosts.length === 0) throw new Error("not an answer");
  return { hosts, auth, ttlSecs: Number(node.attrs.ttl) || 0 };
}
