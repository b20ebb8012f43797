import * as v from "valibot";
import { proxySchema, tunnelSchema } from "./schema-network.ts";
import { transcriptionSchema, ttsSchema } from "./schema-speech.ts";
import {
  blankText,
  integer,
  means,
  path,
  port,
  positive,
  rareTable,
  secret,
  text,
} from "./schema-values.ts";

/**
 * The configuration as the file spells it (snake_case, same nesting), with defaults applied. `revka config schema`
 * and the reference in the docs are generated from here, so every key says what it means.
 */

const patterns = v.optional(
  means(
    v.array(text),
    "Case-insensitive RE2 patterns; when any is set, only matching messages are processed",
  ),
  [],
);

const proxyUrl = v.optional(
  means(
    text,
    "Proxy of this channel (http, https, socks5, socks5h), over the global [proxy]; never by-passed",
  ),
);

const allowedNumbers = v.optional(
  means(v.array(text), 'E.164 numbers or BSUIDs that are answered; [] nobody, "*" everybody'),
  [],
);

const notificationTarget = v.optional(
  means(text, "Where `revka send` without --to goes: an E.164 number, a BSUID or group:ID"),
);

export const whatsappSchema = rareTable(() => ({
  access_token: v.optional(means(secret, "Cloud API access token from Meta Business Suite")),
  phone_number_id: v.optional(means(text, "Phone number ID from Meta; selects Cloud API mode")),
  verify_token: v.optional(
    means(secret, "Token of your choice that Meta repeats in the handshake"),
  ),
  app_secret: v.optional(
    means(
      secret,
      "Meta app secret for X-Hub-Signature-256; REVKA_WHATSAPP_APP_SECRET wins over it",
    ),
  ),
  allowed_numbers: allowedNumbers,
  dm_mention_patterns: patterns,
  group_mention_patterns: patterns,
  proxy_url: proxyUrl,
  graph_api_version: v.optional(
    means(
      v.pipe(v.string(), v.regex(/^v\d+\.\d+$/, "a version such as v26.0")),
      "Graph API version in the request path",
    ),
    "v18.0",
  ),
  api_base_url: v.optional(means(text, "Base URL of the Graph API"), "https://graph.facebook.com"),
  status_grace_secs: v.optional(
    means(
      integer(0),
      "How long a send with a lost answer waits for its status before it is sent again",
    ),
    60,
  ),
  messages_per_second: v.optional(
    means(positive, "Cloud: messages a second this number may send (Meta's default is 80)"),
    80,
  ),
  session_path: v.optional(means(path, "SQLite session store; selects Web mode")),
  pair_phone: v.optional(means(text, "Country code and number: link by code instead of QR")),
  pair_code: v.optional(
    means(text, "Own pair code of 8 characters; blank lets one be generated"),
    "",
  ),
  mode: v.optional(
    means(v.picklist(["business", "personal"]), "Web mode: who is answered"),
    "business",
  ),
  dm_policy: v.optional(
    means(v.picklist(["allowlist", "ignore", "all"]), "Web, personal mode: direct chats"),
    "allowlist",
  ),
  group_policy: v.optional(
    means(v.picklist(["allowlist", "ignore", "all"]), "Web, personal mode: group chats"),
    "allowlist",
  ),
  self_chat_mode: v.optional(
    means(v.boolean(), "Web, personal mode: always answer in your own self-chat"),
    false,
  ),
  mention_me: v.optional(
    means(
      v.boolean(),
      "Web: an @-mention of the linked account or a reply to it passes a group's mention gate",
    ),
    false,
  ),
  max_backlog_age_secs: v.optional(
    means(positive, "Web: older messages found after downtime are refused"),
    86400,
  ),
  ws_url: v.optional(means(text, "Web: address of the WhatsApp Web socket (tests)")),
  notification_target: notificationTarget,
}));

export const watiSchema = rareTable(() => ({
  api_token: v.optional(means(secret, "WATI bearer token")),
  api_url: v.optional(means(text, "WATI server base URL"), "https://live-mt-server.wati.io"),
  tenant_id: v.optional(means(text, "Tenant prefix of recipients")),
  allowed_numbers: allowedNumbers,
  webhook_secret: v.optional(means(secret, "Secret that a webhook call must carry")),
  proxy_url: proxyUrl,
  notification_target: notificationTarget,
}));

const channelsSchema = v.object({
  message_timeout_secs: v.optional(
    v.pipe(
      means(integer(0), "Seconds a turn may take, its tries included; under 30 counts as 30"),
      v.transform((seconds) => Math.max(30, seconds)),
    ),
    300,
  ),
  debounce_ms: v.optional(means(integer(0, 60_000), "Merges a burst of one chat into one turn"), 0),
  failure_reply: v.optional(
    means(blankText, 'What the customer reads when a turn fails for good; "" sends nothing'),
    "Sorry, I couldn't process your message right now.",
  ),
  read_receipts: v.optional(
    means(v.boolean(), "Mark messages read when a turn takes them up"),
    true,
  ),
  typing: v.optional(means(v.boolean(), "Show typing while a turn runs"), true),
  whatsapp: v.optional(means(whatsappSchema, "WhatsApp, Cloud API or Web")),
  wati: v.optional(means(watiSchema, "WhatsApp through WATI")),
});

export const gatewaySchema = v.object({
  host: v.optional(means(text, "Address to listen on"), "127.0.0.1"),
  port: v.optional(means(port, "TCP port to listen on"), 42617),
  allow_public_bind: v.optional(means(v.boolean(), "Allows a host other than loopback"), false),
  path_prefix: v.optional(
    means(
      v.pipe(
        v.string(),
        v.regex(/^(\/[^/\s]+)*$/, 'a path that starts with "/" and does not end with it'),
      ),
      "Prefix of every route",
    ),
    "",
  ),
  trust_forwarded_headers: v.optional(
    means(v.boolean(), "Accepted, without effect: nothing rests on the address of a client"),
    false,
  ),
  public_url: v.optional(means(text, "Where the outside reaches the gateway (https)")),
  metrics_token: v.optional(means(secret, "Bearer for /metrics from other than loopback")),
  tls: v.optional(
    means(
      v.object({
        enabled: v.optional(means(v.boolean(), "Serve https instead of http"), false),
        cert_path: v.optional(means(path, "Certificate chain in PEM")),
        key_path: v.optional(means(path, "Private key in PEM")),
      }),
      "TLS of the gateway itself",
    ),
    {},
  ),
});

export const storeSchema = v.object({
  path: v.optional(
    means(path, "SQLite file with inbox, outbox and history; default <home>/revka.db"),
  ),
  retention_days: v.optional(means(positive, "Days that messages and history are kept"), 30),
  max_pending_messages: v.optional(
    means(
      positive,
      "Messages waiting for a turn, and replies waiting to be sent; beyond it webhooks get 503",
    ),
    100_000,
  ),
  max_pending_bytes: v.optional(
    means(positive, "Bytes of either; beyond it webhooks get 503"),
    256 * 1024 * 1024,
  ),
  max_media_bytes: v.optional(
    means(positive, "Bytes of all attachments kept; beyond it new ones are not fetched"),
    2 * 1024 * 1024 * 1024,
  ),
});

export const agentSchema = v.object({
  kind: v.optional(
    means(v.picklist(["model", "webhook", "command", "echo"]), "Who answers"),
    "model",
  ),
  system_prompt: v.optional(means(text, "Instructions given with every turn")),
  max_history_messages: v.optional(means(integer(0, 1000), "History entries a turn gets"), 40),
  max_concurrent_turns: v.optional(means(integer(1, 1000), "Turns at once, over all chats"), 8),
  media_dir: v.optional(means(path, "Folder from which an agent may hand back files")),
  url: v.optional(means(text, "webhook: address of the agent")),
  bearer_token: v.optional(means(secret, "webhook: bearer sent along")),
  command: v.optional(
    means(v.pipe(v.array(text), v.minLength(1)), "command: program and arguments"),
  ),
  cwd: v.optional(means(path, "command: working directory")),
});

export const configSchema = v.object({
  default_provider: v.optional(
    means(text, "openrouter, openai, anthropic, groq, ollama or custom:https://…/v1"),
  ),
  default_model: v.optional(means(text, "Model name as the provider spells it")),
  default_temperature: v.optional(
    means(v.pipe(v.number(), v.minValue(0), v.maxValue(2)), "Sampling temperature"),
  ),
  api_key: v.optional(means(secret, "Key of the provider; else its usual environment variable")),
  api_url: v.optional(means(text, "Base URL of the provider, over its usual one")),
  channels_config: v.optional(means(channelsSchema, "Channels and how turns are run"), {}),
  gateway: v.optional(means(gatewaySchema, "The HTTP server that webhooks arrive at"), {}),
  store: v.optional(means(storeSchema, "Inbox, outbox and history"), {}),
  agent: v.optional(means(agentSchema, "Who answers")),
  transcription: v.optional(means(transcriptionSchema, "Voice notes to text")),
  tts: v.optional(means(ttsSchema, "Text to voice notes")),
  proxy: v.optional(means(proxySchema, "Proxies of outgoing connections")),
  tunnel: v.optional(means(tunnelSchema, "A public address for the gateway")),
});

export type Config = v.InferOutput<typeof configSchema>;
export type WhatsAppConfig = v.InferOutput<typeof whatsappSchema>;
export type WatiConfig = v.InferOutput<typeof watiSchema>;
export type GatewayConfig = v.InferOutput<typeof gatewaySchema>;
export type AgentConfig = v.InferOutput<typeof agentSchema>;
export type ProxyConfig = v.InferOutput<typeof proxySchema>;
export type TranscriptionConfig = v.InferOutput<typeof transcriptionSchema>;
export type TtsConfig = v.InferOutput<typeof ttsSchema>;
export type TunnelConfig = v.InferOutput<typeof tunnelSchema>;
