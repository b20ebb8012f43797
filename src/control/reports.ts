import type { Channel } from "../channels/channel.ts";
import type { ChannelName, SendFailure } from "../channels/message.ts";
import type { Outbox } from "../conversation/outbox.ts";
import type { ConversationStore, Source } from "../store/contract.ts";
import type { ChannelReport } from "./api.ts";

export interface ReportOptions {
  channels: Channel[];
  skipped: { channel: ChannelName; reason: string }[];
  store: Pick<ConversationStore, "sources">;
  outbox: Outbox;
}

export function sourceOf(channel: Channel): Source {
  return { channel: channel.name, backend: channel.backend, account: channel.account };
}

/** A channel as the outside sees it: what it says itself, unless its sending is held or gets nowhere. */
export function channelReports(options: ReportOptions): ChannelReport[] {
  const activity = options.store.sources();
  const running = options.channels.map((channel): ChannelReport => {
    const source = sourceOf(channel);
    const status = channel.status();
    const stuck = status.state === "ready" ? stuckReason(options.outbox, source) : null;
    const seen = activity.find(
      (entry) => entry.source.channel === source.channel && entry.source.account === source.account,
    );
    const error = options.outbox.lastFailure(source);
    return {
      channel: channel.name,
      backend: channel.backend,
      state: stuck === null ? status.state : "disconnected",
      reason: stuck ?? status.reason,
      linked_as: status.linkedAs,
      last_inbound_at: timestamp(seen?.lastInboundAt ?? null),
      last_outbound_at: timestamp(seen?.lastOutboundAt ?? null),
      last_error: error
        ? { at: new Date(error.at).toISOString(), code: error.code, hint: error.hint }
        : null,
      ...(status.linking
        ? {
            linking: {
              qr: status.linking.qr,
              pair_code: status.linking.pairCode,
              expires_at: new Date(status.linking.expiresAt).toISOString(),
            },
          }
        : {}),
    };
  });
  const skipped = options.skipped.map(({ channel, reason }): ChannelReport => ({
    channel,
    backend: null,
    state: "skipped",
    reason,
    linked_as: null,
    last_inbound_at: null,
    last_outbound_at: null,
    last_error: null,
  }));
  return [...running, ...skipped];
}

function stuckReason(outbox: Outbox, source: Source): string | null {
  const say = (what: string, { code, hint }: SendFailure) => `${what} (${code}): ${hint}`;
  const held = outbox.heldBy(source);
  if (held) return say("sending is held", held);
  const unreached = outbox.unreached(source);
  return unreached && say("sending fails", unreached);
}

function timestamp(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
