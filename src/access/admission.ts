import type { Message } from "../channels/message.ts";
import type { WatiConfig, WhatsAppConfig } from "../config/schema.ts";
import { compileAllowlist, type Allowlist } from "./allowlist.ts";
import { openGate, type CompileGate, type GateAnswer, type MentionGate } from "./gate.ts";
import { chatIdOf } from "./identity.ts";

import { chatPolicy, listOnly, type ChatPolicy } from "./policy.ts";
import { refusalReasons, type RefusalReason } from "./refusals.ts";

export { refusalReasons, type RefusalReason } from "./refusals.ts";

/** Everything the decision rests on, compiled once at start. */
export interface AccessRules {
  readonly allowlist: Allowlist;
  readonly policy: ChatPolicy;
  readonly directGate: MentionGate;
  readonly groupGate: MentionGate;
  /** A real @-mention, or a reply to us, passes a guarded group gate. */
  readonly mentionMe: boolean;
  /** Null: messages of any age are taken. */
  readonly maxBacklogAgeSecs: number | null;
  /** What start-up logs and `doctor` shows of entries that do not count. */
  readonly notices: AccessNotice[];
}

export interface AccessNotice {
  level: "warning" | "error";
  /** Full key path in the configuration. */
  key: string;
  message: string;
}

export type AccessOptions =
  { backend: "cloud" | "web"; config: WhatsAppConfig } | { backend: "wati"; config: WatiConfig };

/** `detail` is one sentence for log and operator: no text of the message, no number. */
export type Decision =
  { admitted: true; message: Message } | { admitted: false; reason: RefusalReason; detail: string };

/**
 * Compiles a channel's part of the configuration, with what `gateCompilerFor` answers for it. Never throws: what cannot
 * be used is a notice, and shuts the door.
 */
export function compileAccess(options: AccessOptions, compileGate: CompileGate): AccessRules {
  const allowlist = compileAllowlist(options.config.allowed_numbers);
  if (options.backend === "wati") {
    return {
      allowlist,
      policy: listOnly,
      directGate: openGate,
      groupGate: openGate,
      mentionMe: false,
      maxBacklogAgeSecs: null,
      notices: [],
    };
  }
  const { backend, config: whatsapp } = options;
  // Entries of the list that allow nobody are told of by the rules of the config, with their line.
  const notices: AccessNotice[] = [];
  const gate = (key: "dm_mention_patterns" | "group_mention_patterns"): MentionGate => {
    const compiled = compileGate(whatsapp[key]);
    notices.push(...gateNotices(`channels_config.whatsapp.${key}`, compiled));
    return compiled;
  };
  return {
    allowlist,
    policy: chatPolicy(backend, whatsapp),
    directGate: gate("dm_mention_patterns"),
    groupGate: gate("group_mention_patterns"),
    mentionMe: whatsapp.mention_me && backend === "web",
    maxBacklogAgeSecs: backend === "web" ? whatsapp.max_backlog_age_secs : null,
    notices,
  };
}

function gateNotices(key: string, gate: MentionGate): AccessNotice[] {
  const notices: AccessNotice[] = gate.rejected.map(({ index, message }) => ({
    level: "warning",
    key: `${key}[${index}]`,
    message,
  }));
  if (gate.state === "closed") {
    const message = "every pattern was rejected, so no message passes; mend or remove them";
    notices.push({ level: "error", key, message });
  }
  return notices;
}

/**
 * The one door: may this message start a turn? Pure. `now` is Unix milliseconds. An admitted message is the one given
 * or a copy with the mention stripped from its text. The caller first adds to the sender what is remembered of them
 * (a BSUID's number, a LID's number).
 *
 * A channel must keep back its own replies before it comes here: in the self-chat they look like the owner's words.
 */
export function admit(message: Message, rules: AccessRules, now: number): Decision {
  const self = message.chat.kind === "self";
  if (message.fromMe && !self) return refuse("from_me");
  if (self && !(message.fromMe && rules.policy.self)) return refuse("self_chat_off");
  if (chatIdOf(message.sender) === null) return refuse("no_sender");
  if (isTooOld(message, rules, now)) return refuse("too_old");
  if (self) return { admitted: true, message };
  const refusal = refusedByList(message, rules);
  return refusal === null ? throughGate(message, rules) : refuse(refusal);
}

function isTooOld(message: Message, rules: AccessRules, now: number): boolean {
  if (!message.backlog || rules.maxBacklogAgeSecs === null) return false;
  return now / 1000 - message.timestamp > rules.maxBacklogAgeSecs;
}

function refusedByList({ chat, sender }: Message, rules: AccessRules): RefusalReason | null {
  const rule = chat.kind === "group" ? rules.policy.group : rules.policy.direct;
  if (rule === "ignore") return "policy_ignore";
  if (rule === "all" || rules.allowlist.allows(sender)) return null;
  if (rules.allowlist.empty) return "allowlist_empty";
  return sender.phone === null ? "unknown_number" : "not_allowed";
}

function throughGate(message: Message, rules: AccessRules): Decision {
  const group = message.chat.kind === "group";
  const gate = group ? rules.groupGate : rules.directGate;
  if (gate.state === "closed") return refuse("gate_closed");
  const answer: GateAnswer = gate.apply(message.text);
  if (answer.passes) {
    return {
      admitted: true,
      message: answer.text === message.text ? message : { ...message, text: answer.text },
    };
  }
  if (answer.reason === "mention_only" && message.attachments.length > 0) {
    return { admitted: true, message: { ...message, text: "" } };
  }
  if (answer.reason === "mention_missing" && group && rules.mentionMe && message.mentionsMe) {
    return { admitted: true, message };
  }
  return refuse(answer.reason);
}

function refuse(reason: RefusalReason): Decision {
  return { admitted: false, reason, detail: refusalReasons[reason] };
}
