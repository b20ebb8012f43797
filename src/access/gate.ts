import type { WhatsAppConfig } from "../config/schema.ts";

export type GateAnswer =
  | { passes: true; text: string }
  /** `mention_only`: a pattern matched and nothing else was left. */
  | { passes: false; reason: "mention_missing" | "mention_only" };

export interface RejectedPattern {
  /** Position in the list of the file. */
  index: number;
  /** In words, with the pattern's text (clipped). */
  message: string;
}

/**
 * The mention gate of one kind of chat. `open`: no pattern is set, text passes untouched. `guarded`: text passes when
 * a pattern matches. `closed`: every pattern was rejected, nothing passes.
 */
export interface MentionGate {
  readonly state: "open" | "guarded" | "closed";
  readonly rejected: RejectedPattern[];
  /** Applies the patterns to a body, caption or tapped title. A voice note or bare media has `""`, which matches only
   * a pattern that matches nothing. */
  apply(text: string): GateAnswer;
}

/** No pattern is set. */
export const openGate: MentionGate = {
  state: "open",
  rejected: [],
  apply: (text) => ({ passes: true, text }),
};

export type CompileGate = (patterns: readonly string[]) => MentionGate;

/** What compiles the gates of `[channels_config.whatsapp]`. RE2 is large, and loaded only where a pattern is set. */
export async function gateCompilerFor(
  whatsapp: Pick<WhatsAppConfig, "dm_mention_patterns" | "group_mention_patterns"> | undefined,
): Promise<CompileGate> {
  const { dm_mention_patterns = [], group_mention_patterns = [] } = whatsapp ?? {};
  const set = [...dm_mention_patterns, ...group_mention_patterns];
  if (set.every((pattern) => pattern.trim() === "")) return () => openGate;
  const { compileMentionGate } = await import("./mention-gate.ts");
  return compileMentionGate;
}
