import type { Channel, TurnFocus } from "../../src/channels/channel.ts";
import type { Delivery, SendFailure, SendResult } from "../../src/channels/message.ts";
import { cloud } from "./store.ts";

export interface FakeChannel extends Channel {
  sent: Delivery[];
  /** What the next sends answer; when empty, they succeed. */
  answers: (SendResult | Promise<SendResult>)[];
  /** What a probe answers. */
  probing: SendFailure | null;
  focused: { event: "started" | "ended"; focus: TurnFocus }[];
  /** Called at each send, before its answer. */
  onSend: (delivery: Delivery) => void;
}

/** A channel that records, and answers as it is told. */
export function fakeChannel(changes: Partial<Channel> = {}): FakeChannel {
  const channel: FakeChannel = {
    name: cloud.channel,
    backend: cloud.backend,
    account: cloud.account,
    repeat: "status",
    graceMs: 60_000,
    sent: [],
    answers: [],
    probing: null,
    focused: [],
    onSend: () => {},
    start: async () => {},
    stop: async () => {},
    status: () => ({ state: "ready", reason: null, linkedAs: null }),
    onStatus: () => {},
    renderText: (text) => (text === "" ? [] : [text]),
    async send(delivery) {
      channel.sent.push(delivery);
      channel.onSend(delivery);
      return (
        (await channel.answers.shift()) ?? { ok: true, platformId: `wamid.out.${delivery.id}` }
      );
    },
    probe: async () => channel.probing,
    turnStarted: (focus) => void channel.focused.push({ event: "started", focus }),
    turnEnded: (focus) => void channel.focused.push({ event: "ended", focus }),
    openMedia: async () => {
      throw new Error("no media here");
    },
    ...changes,
  };
  return channel;
}
