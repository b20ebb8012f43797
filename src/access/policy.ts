import type { Backend } from "../channels/message.ts";
import type { WhatsAppConfig } from "../config/schema.ts";

/** What happens to a kind of chat before the mention gate: whom the list allows, nobody, or everybody. */
export type ChatRule = "allowlist" | "ignore" | "all";

export interface ChatPolicy {
  direct: ChatRule;
  group: ChatRule;
  /** Own messages in the own chat ("Notes to Self") are answered, always, whatever list and patterns say. */
  self: boolean;
}

/** The policy of channels that have none of their own. */
export const listOnly: ChatPolicy = { direct: "allowlist", group: "allowlist", self: false };

/**
 * The policy that the configuration selects. Only Web mode has one: `business` answers whom the allowlist allows, in
 * every kind of chat; `personal` applies `dm_policy`, `group_policy` and `self_chat_mode`.
 */
export function chatPolicy(
  backend: Backend,
  config: Pick<WhatsAppConfig, "mode" | "dm_policy" | "group_policy" | "self_chat_mode">,
): ChatPolicy {
  if (backend !== "web" || config.mode !== "personal") return listOnly;
  return { direct: config.dm_policy, group: config.group_policy, self: config.self_chat_mode };
}
