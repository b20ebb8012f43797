import * as v from "valibot";
import { proxySchema, tunnelSchema } from "./schema-network.ts";
import { transcriptionSchema, ttsSchema } from "./schema-speech.ts";
import {
  blankText,
  boolean,
  integer,
  key,
  number,
  path,
  port,
  positive,
  rareTable,
  secret,
  table,
  text,
  texts,
} from "./schema-values.ts";

/**
 * The configuration as the file spells it (snake_case, same nesting), with defaults applied. `revka config schema`
 * and the reference in the docs are generated from here, so every key says what it means.
 */

const patterns = key(
  texts,
  "Case-insensitive RE2 patterns; when any is set, only matching messages are processed",
  [],
);

const proxyUrl = key(
  text,
  "Proxy of this channel (http, https, socks5, socks5h), over the global [proxy]; never by-passed",
);

const allowedNumbers = key(
  texts,
  'E.164 numbers or BSUIDs that are answered; [] nobody, "*" everybody',
  [],
);

const notificationTarget = key(
  text,
  "Where `revka send` without --to goes: an E.164 number, a BSUID or a group, as the channel reaches them",
);

export const whatsappSchema = rareTable(() => ({
  access_token: key(secret, "Cloud API access token from Meta Business Suite"),
  phone_number_id: key(text, "Phone number ID from Meta; selects Cloud API mode"),
  verify_token: key(secret, "Token of your choice that Meta repeats in the handshake"),
  app_secret: key(
    secret,
    "Meta app secret for X-Hub-Signature-256; REVKA_WHATSAPP_APP_SECRET wins over it",
  ),
  allowed_numbers: allowedNumbers,
  dm_mention_patterns: patterns,
  group_mention_patterns: patterns,
  proxy_url: proxyUrl,
  graph_api_version: key(
    v.pipe(text, v.regex(/^v\d+\.\d+$/, "a version such as v26.0")),
    "Graph API version in the request path",
    "v18.0",
  ),
  api_base_url: key(text, "Base URL of the Graph API", "https://graph.facebook.com"),
  status_grace_secs: key(
    integer(0),
    "How long a send with a lost answer waits for its status before it is sent again",
    60,
  ),
  messages_per_second: key(
    positive,
    "Cloud: messages a second this number may send (Meta's default is 80)",
    80,
  ),
  session_path: key(path, "SQLite session store; selects Web mode"),
  pair_phone: key(text, "Country code and number: link by code instead of QR"),
  pair_code: key(text, "Own pair code of 8 characters; blank lets one be generated", ""),
  mode: key(v.picklist(["business", "personal"]), "Web mode: who is answered", "business"),
  dm_policy: key(
    v.picklist(["allowlist", "ignore", "all"]),
    "Web, personal mode: direct chats",
    "allowlist",
  ),
  group_policy: key(
    v.picklist(["allowlist", "ignore", "all"]),
    "Web, personal mode: group chats",
    "allowlist",
  ),
  self_chat_mode: key(boolean, "Web, personal mode: always answer in your own self-chat", false),
  mention_me: key(
    boolean,
    "Web: an @-mention of the linked account or a reply to it passes a group's mention gate",
    false,
  ),
  max_backlog_age_secs: key(
    positive,
    "Web: older messages found after downtime are refused",
    86400,
  ),
  ws_url: key(text, "Web: address of the WhatsApp Web socket (tests)"),
  notification_target: notificationTarget,
}));

export const watiSchema = rareTable(() => ({
  api_token: key(secret, "WATI bearer token"),
  api_url: key(text, "WATI server base URL", "https://live-mt-server.wati.io"),
  tenant_id: key(text, "Tenant prefix of recipients"),
  allowed_numbers: allowedNumbers,
  webhook_secret: key(secret, "Secret that a webhook call must carry"),
  proxy_url: proxyUrl,
  notification_target: notificationTarget,
}));

const channelsSchema = table({
  message_timeout_secs: key(
    v.pipe(number, v.integer(), v.maxValue(Number.MAX_SAFE_INTEGER)),
    "Seconds a turn may take, its tries included; under 30 counts as 30",
    300,
  ),
  debounce_ms: key(integer(0, 60_000), "Merges a burst of one chat into one turn", 0),
  failure_reply: key(
    blankText,
    'What the customer reads when a turn fails for good; "" sends nothing',
    "Sorry, I couldn't process your message right now.",
  ),
  read_receipts: key(boolean, "Mark messages read when a turn takes them up", true),
  typing: key(
    boolean,
    "Show typing while a turn runs; Cloud: only together with read_receipts",
    true,
  ),
  whatsapp: key(whatsappSchema, "WhatsApp, Cloud API or Web"),
  wati: key(watiSchema, "WhatsApp through WATI"),
});

const gatewaySchema = table({
  host: key(text, "Address to listen on", "127.0.0.1"),
  port: key(port, "TCP port to listen on", 42617),
  allow_public_bind: key(boolean, "Allows a host other than loopback", false),
  path_prefix: key(
    v.pipe(
      text,
      v.regex(
        /^(\/(?!\.\.?(\/|$))[^/\s?#\\]+)*$/,
        'a path that starts with "/" and does not end with it, without "?", "#", "\\" and parts of dots',
      ),
    ),
    "Prefix of every route",
    "",
  ),
  trust_forwarded_headers: key(
    boolean,
    "Accepted, without effect: nothing rests on the address of a client",
    false,
  ),
  public_url: key(text, "Where the outside reaches the gateway (https)"),
  metrics_token: key(secret, "Bearer for /metrics from other than loopback"),
  tls: key(
    table({
      enabled: key(boolean, "Serve https instead of http", false),
      cert_path: key(path, "Certificate chain in PEM"),
      key_path: key(path, "Private key in PEM"),
    }),
    "TLS of the gateway itself",
    {},
  ),
});

const storeSchema = table({
  path: key(path, "SQLite file with inbox, outbox and history; default <home>/revka.db"),
  retention_days: key(positive, "Days that messages and history are kept", 30),
  max_pending_messages: key(
    positive,
    "Messages waiting for a turn, and replies waiting to be sent; beyond it webhooks get 503",
    100_000,
  ),
  max_pending_bytes: key(
    positive,
    "Bytes of either; beyond it webhooks get 503",
    256 * 1024 * 1024,
  ),
  max_media_bytes: key(
    positive,
    "Bytes of all attachments kept; beyond it new ones are not fetched",
    2 * 1024 * 1024 * 1024,
  ),
});

const agentSchema = table({
  kind: key(v.picklist(["model", "webhook", "command", "echo"]), "Who answers", "model"),
  system_prompt: key(text, "Instructions given with every turn"),
  max_history_messages: key(integer(0, 1000), "History entries a turn gets", 40),
  max_concurrent_turns: key(integer(1, 1000), "Turns at once, over all chats", 8),
  media_dir: key(path, "Folder from which an agent may hand back files"),
  url: key(text, "webhook: address of the agent"),
  bearer_token: key(secret, "webhook: bearer sent along"),
  command: key(v.pipe(texts, v.minLength(1)), "command: program and arguments"),
  cwd: key(path, "command: working directory"),
});

export const configSchema = table({
  default_provider: key(text, "openrouter, openai, anthropic, groq, ollama or custom:https://…/v1"),
  default_model: key(text, "Model name as the provider spells it"),
  default_temperature: key(v.pipe(number, v.minValue(0), v.maxValue(2)), "Sampling temperature"),
  api_key: key(secret, "Key of the provider; else its usual environment variable"),
  api_url: key(text, "Base URL of the provider, over its usual one"),
  channels_config: key(channelsSchema, "Channels and how turns are run", {}),
  gateway: key(gatewaySchema, "The HTTP server that webhooks arrive at", {}),
  store: key(storeSchema, "Inbox, outbox and history", {}),
  agent: key(agentSchema, "Who answers"),
  transcription: key(transcriptionSchema, "Voice notes to text"),
  tts: key(ttsSchema, "Text to voice notes"),
  proxy: key(proxySchema, "Proxies of outgoing connections"),
  tunnel: key(tunnelSchema, "A public address for the gateway"),
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
