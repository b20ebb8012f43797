import { type WASocket, type WAVersion, proto } from "@whiskeysockets/baileys";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { DeliveryState } from "../message.ts";
import type { Acknowledgements } from "./acknowledgements.ts";
import { endSocket, openSocket } from "./baileys-socket.ts";
import type { Caches } from "./caches.ts";
import type { Socket, SocketEvents } from "./connection.ts";
import { HistoryReader } from "./history-reader.ts";
import type { MediaConnections } from "./media-connection.ts";
import type { MediaRetries } from "./media-retry.ts";
import { PlaceholderRequests } from "./placeholder-requests.ts";
import type { Session } from "./session.ts";
import type { Ingress } from "./socket.ts";

export interface WiredOptions {
  session: Session;
  ingress: Ingress;
  acknowledgements: Acknowledgements;
  mediaRetries: MediaRetries;
  mediaConnections: MediaConnections;
  fetch: Fetch;
  caches: Caches;
  version: WAVersion;
  url: string;
  proxy: string | null;
  clock: Clock;
  log: Logger;
  events: SocketEvents;
  pairing: { digits: string; code: string | null };
}

const { PLACEHOLDER_MESSAGE_RESEND } = proto.Message.PeerDataOperationRequestType;
/** Baileys' `WAMessageStatus`, as far as it says something new of a message we sent. */
const states: Record<number, DeliveryState> = { 3: "delivered", 4: "read", 5: "played" };

/** Opens a socket and leads what it hears to where it belongs. */
export function openWired(options: WiredOptions): { sock: WASocket; socket: Socket } {
  const { session, ingress, acknowledgements, mediaRetries, caches, clock, log, pairing } = options;
  const sock = openSocket({
    ...options,
    events: {
      ...options.events,
      opened: () => {
        options.events.opened();
        requests.start();
        history.start();
      },
      acknowledged: (id, error) => acknowledgements.settle(id, error),
      mediaRetry: (node) => mediaRetries.hear(node, session),
      ignored: (reason) => ingress.aside({ kind: "ignored", reason }),
      receipt: (id, status, timestamp) => {
        const state = states[status];
        const deliveryId = state && session.sent.deliveryOf(id);
        if (!state || deliveryId === undefined) return;
        const update = { platformId: id, deliveryId, state, timestamp, failure: null };
        ingress.aside({ kind: "status", status: update });
      },
    },
  });
  const requests = new PlaceholderRequests({
    ...{ session, asked: caches.asked, clock, log },
    ask: (messageKey) =>
      sock.sendPeerDataOperationMessage({
        placeholderMessageResendRequest: [{ messageKey }],
        peerDataOperationRequestType: PLACEHOLDER_MESSAGE_RESEND,
      }),
  });
  const { fetch, mediaConnections } = options;
  const history = new HistoryReader({
    ...{ session, sock, fetch, mediaConnections, clock, log },
    handedOver: () => ingress.settled(),
  });
  const socket: Socket = {
    ping: () => ping(sock),
    requestPairCode: () => sock.requestPairingCode(pairing.digits, pairing.code ?? undefined),
    end: () => {
      requests.stop();
      history.stop();
      endSocket(sock);
    },
  };
  return { sock, socket };
}

/** A ping of our own, answered by its own answer: Baileys takes a time-out for one. */
function ping(sock: WASocket): Promise<void> {
  const id = sock.generateMessageTag();
  const attrs = { id, to: "@s.whatsapp.net", type: "get", xmlns: "w:p" };
  return new Promise((resolve, reject) => {
    sock.ws.once(`TAG:${id}`, () => resolve());
    sock.sendNode({ tag: "iq", attrs, content: [{ tag: "ping", attrs: {} }] }).catch(reject);
  });
}
