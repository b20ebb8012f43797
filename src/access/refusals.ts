/** Why a message goes no further, with what an operator should read; the keys are labels of `/metrics`. */
export const refusalReasons = {
  from_me: "The linked or business account wrote it itself.",
  self_chat_off:
    'It stands in the own chat, and `mode = "personal"` with `self_chat_mode` is not set.',
  no_sender: "It names neither number, nor BSUID, nor LID of who wrote it.",
  too_old: "It was found after downtime and is older than `max_backlog_age_secs`.",
  policy_ignore: "`dm_policy` or `group_policy` is `ignore`.",
  allowlist_empty: "`allowed_numbers` is empty or holds no valid entry, so nobody is answered.",
  unknown_number: "Its sender's number is not known, so a list of numbers cannot allow it.",
  not_allowed: "Its sender is not in `allowed_numbers`.",
  mention_missing: "No mention pattern matches its text (media without caption has none).",
  mention_only: "Nothing is left once the mention is taken away.",
  gate_closed: "Every mention pattern of this kind of chat was rejected, so none can match.",
} as const;

export type RefusalReason = keyof typeof refusalReasons;
