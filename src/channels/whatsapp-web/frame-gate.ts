import type { WASocket } from "@whiskeysockets/baileys";
import type { GroupCommit } from "./group-commit.ts";

/** The WebSocket under Baileys' own (`lib/Socket/Client/websocket.js`), as far as it matters here. */
interface RawSocket {
  send(frame: Uint8Array, sent?: (error?: Error) => void): void;
  close(): void;
}

/**
 * Holds back what Baileys sends until everything that was staged before is on disk: no receipt leaves before the
 * plaintext and the ratchet that read it, and no ciphertext before the ratchet that made it. Baileys itself need not
 * wait, so that messages of many chats share one write. Where that write fails nothing leaves this socket any more,
 * and `onBroken` must end it: WhatsApp then sends again what was not acknowledged.
 */
export function holdFrames(
  ws: WASocket["ws"],
  commit: GroupCommit,
  onBroken: (error: unknown) => void,
): void {
  const raw: unknown = Reflect.get(ws, "socket");
  if (!isRawSocket(raw)) throw new Error("Baileys opened no WebSocket");
  const { generation } = commit;
  const [send, close] = [raw.send.bind(raw), raw.close.bind(raw)];
  commit.onFailed = onBroken;
  raw.send = (frame, sent = () => {}) => {
    if (commit.generation !== generation) return sent(new Error("the session cannot be written"));
    if (!commit.waits) return send(frame, sent);
    commit.afterwards(() => send(frame));
    sent();
  };
  raw.close = () => {
    commit.flush();
    close();
  };
}

function isRawSocket(value: unknown): value is RawSocket {
  return (
    typeof value === "object" &&
    value !== null &&
    "send" in value &&
    typeof value.send === "function" &&
    "close" in value &&
    typeof value.close === "function"
  );
}
