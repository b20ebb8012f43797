import { z } from "zod";
import { proxySchema, tunnelSchema } from "./schema-network.ts";
import { transcriptionSchema, ttsSchema } from "./schema-speech.ts";
import { blankText, means, path, port, positive, secret, text } from "./schema-values.ts";

/**
 * The configuration as the file spells it (snake_case, same nesting), with defaults applied. `revka config schema`
 * and the reference in the docs are generated from here, so every key says what it means.
 */

const patterns = z
  .array(text)
  .default([])
  .register(
    ...means(
      "Case-insensitive RE2 patterns; when any is set, only matching messages are processed",
    ),
  );

const proxyUrl = text
  .optional()
  .register(
    ...means(
      "Proxy of this channel (http, https, socks5, socks5h), over the global [proxy]; never by-passed",
    ),
  );

const allowedNumbers = z
  .array(text)
  .default([])
  .register(...means('E.164 numbers or BSUIDs that are answered; [] nobody, "*" everybody'));

const notificationTarget = text
  .optional()
  .register(...means("Where `revka send` without --to goes: an E.164 number, a BSUID or group:ID"));

export const whatsappSchema = z.object({
  access_token: secret
    .optional()
    .register(...means("Cloud API access token from Meta Business Suite")),
  phone_number_id: text
    .optional()
    .register(...means("Phone number ID from Meta; selects Cloud API mode")),
  verify_token: secret
    .optional()
    .register(...means("Token of your choice that Meta repeats in the handshake")),
  app_secret: secret
    .optional()
    .register(
      ...means("Meta app secret for X-Hub-Signature-256; REVKA_WHATSAPP_APP_SECRET wins over it"),
    ),
  allowed_numbers: allowedNumbers,
  dm_mention_patterns: patterns,
  group_mention_patterns: patterns,
  proxy_url: proxyUrl,
  graph_api_version: z
    .string()
    .regex(/^v\d+\.\d+$/, "a version such as v26.0")
    .default("v18.0")
    .register(...means("Graph API version in the request path")),
  api_base_url: text
    .default("https://graph.facebook.com")
    .register(...means("Base URL of the Graph API")),
  status_grace_secs: z
    .int()
    .min(0)
    .default(60)
    .register(
      ...means("How long a send with a lost answer waits for its status before it is sent again"),
    ),
  messages_per_second: positive
    .default(80)
    .register(...means("Cloud: messages a second this number may send (Meta's default is 80)")),
  session_path: path.optional().register(...means("SQLite session store; selects Web mode")),
  pair_phone: text
    .optional()
    .register(...means("Country code and number: link by code instead of QR")),
  pair_code: text
    .default("")
    .register(...means("Own pair code of 8 characters; blank lets one be generated")),
  mode: z
    .enum(["business", "personal"])
    .default("business")
    .register(...means("Web mode: who is answered")),
  dm_policy: z
    .enum(["allowlist", "ignore", "all"])
    .default("allowlist")
    .register(...means("Web, personal mode: direct chats")),
  group_policy: z
    .enum(["allowlist", "ignore", "all"])
    .default("allowlist")
    .register(...means("Web, personal mode: group chats")),
  self_chat_mode: z
    .boolean()
    .default(false)
    .register(...means("Web, personal mode: always answer in your own self-chat")),
  mention_me: z
    .boolean()
    .default(false)
    .register(
      ...means(
        "Web: an @-mention of the linked account or a reply to it passes a group's mention gate",
      ),
    ),
  max_backlog_age_secs: positive
    .default(86400)
    .register(...means("Web: older messages found after downtime are refused")),
  ws_url: text.optional().register(...means("Web: address of the WhatsApp Web socket (tests)")),
  notification_target: notificationTarget,
});

export const watiSchema = z.object({
  api_token: secret.optional().register(...means("WATI bearer token")),
  api_url: text
    .default("https://live-mt-server.wati.io")
    .register(...means("WATI server base URL")),
  tenant_id: text.optional().register(...means("Tenant prefix of recipients")),
  allowed_numbers: allowedNumbers,
  webhook_secret: secret.optional().register(...means("Secret that a webhook call must carry")),
  proxy_url: proxyUrl,
  notification_target: notificationTarget,
});

const channelsSchema = z.object({
  message_timeout_secs: z
    .int()
    .min(0)
    .transform((seconds) => Math.max(30, seconds))
    .prefault(300)
    .register(...means("Seconds a turn may take, its tries included; under 30 counts as 30")),
  debounce_ms: z
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .register(...means("Merges a burst of one chat into one turn")),
  failure_reply: blankText
    .default("Sorry, I couldn't process your message right now.")
    .register(...means('What the customer reads when a turn fails for good; "" sends nothing')),
  read_receipts: z
    .boolean()
    .default(true)
    .register(...means("Mark messages read when a turn takes them up")),
  typing: z
    .boolean()
    .default(true)
    .register(...means("Show typing while a turn runs")),
  whatsapp: whatsappSchema.optional().register(...means("WhatsApp, Cloud API or Web")),
  wati: watiSchema.optional().register(...means("WhatsApp through WATI")),
});

export const gatewaySchema = z.object({
  host: text.default("127.0.0.1").register(...means("Address to listen on")),
  port: port.default(42617).register(...means("TCP port to listen on")),
  allow_public_bind: z
    .boolean()
    .default(false)
    .register(...means("Allows a host other than loopback")),
  path_prefix: z
    .string()
    .regex(/^(\/[^/\s]+)*$/, 'a path that starts with "/" and does not end with it')
    .default("")
    .register(...means("Prefix of every route")),
  trust_forwarded_headers: z
    .boolean()
    .default(false)
    .register(...means("Accepted, without effect: nothing rests on the address of a client")),
  public_url: text.optional().register(...means("Where the outside reaches the gateway (https)")),
  metrics_token: secret
    .optional()
    .register(...means("Bearer for /metrics from other than loopback")),
  tls: z
    .object({
      enabled: z
        .boolean()
        .default(false)
        .register(...means("Serve https instead of http")),
      cert_path: path.optional().register(...means("Certificate chain in PEM")),
      key_path: path.optional().register(...means("Private key in PEM")),
    })
    .prefault({})
    .register(...means("TLS of the gateway itself")),
});

export const storeSchema = z.object({
  path: path
    .optional()
    .register(...means("SQLite file with inbox, outbox and history; default <home>/revka.db")),
  retention_days: positive
    .default(30)
    .register(...means("Days that messages and history are kept")),
  max_pending_messages: positive
    .default(100_000)
    .register(
      ...means(
        "Messages waiting for a turn, and replies waiting to be sent; beyond it webhooks get 503",
      ),
    ),
  max_pending_bytes: positive
    .default(256 * 1024 * 1024)
    .register(...means("Bytes of either; beyond it webhooks get 503")),
  max_media_bytes: positive
    .default(2 * 1024 * 1024 * 1024)
    .register(...means("Bytes of all attachments kept; beyond it new ones are not fetched")),
});

export const agentSchema = z.object({
  kind: z
    .enum(["model", "webhook", "command", "echo"])
    .default("model")
    .register(...means("Who answers")),
  system_prompt: text.optional().register(...means("Instructions given with every turn")),
  max_history_messages: z
    .int()
    .min(0)
    .max(1000)
    .default(40)
    .register(...means("History entries a turn gets")),
  max_concurrent_turns: z
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .register(...means("Turns at once, over all chats")),
  media_dir: path.optional().register(...means("Folder from which an agent may hand back files")),
  url: text.optional().register(...means("webhook: address of the agent")),
  bearer_token: secret.optional().register(...means("webhook: bearer sent along")),
  command: z
    .array(text)
    .min(1)
    .optional()
    .register(...means("command: program and arguments")),
  cwd: path.optional().register(...means("command: working directory")),
});

export const configSchema = z.object({
  default_provider: text
    .optional()
    .register(...means("openrouter, openai, anthropic, groq, ollama or custom:https://…/v1")),
  default_model: text.optional().register(...means("Model name as the provider spells it")),
  default_temperature: z
    .number()
    .min(0)
    .max(2)
    .optional()
    .register(...means("Sampling temperature")),
  api_key: secret
    .optional()
    .register(...means("Key of the provider; else its usual environment variable")),
  api_url: text.optional().register(...means("Base URL of the provider, over its usual one")),
  channels_config: channelsSchema.prefault({}).register(...means("Channels and how turns are run")),
  gateway: gatewaySchema.prefault({}).register(...means("The HTTP server that webhooks arrive at")),
  store: storeSchema.prefault({}).register(...means("Inbox, outbox and history")),
  agent: agentSchema.optional().register(...means("Who answers")),
  transcription: transcriptionSchema.prefault({}).register(...means("Voice notes to text")),
  tts: ttsSchema.prefault({}).register(...means("Text to voice notes")),
  proxy: proxySchema.prefault({}).register(...means("Proxies of outgoing connections")),
  tunnel: tunnelSchema.prefault({}).register(...means("A public address for the gateway")),
});

export type Config = z.output<typeof configSchema>;
export type WhatsAppConfig = z.output<typeof whatsappSchema>;
export type WatiConfig = z.output<typeof watiSchema>;
export type GatewayConfig = z.output<typeof gatewaySchema>;
export type AgentConfig = z.output<typeof agentSchema>;
export type ProxyConfig = z.output<typeof proxySchema>;
export type TranscriptionConfig = z.output<typeof transcriptionSchema>;
export type TtsConfig = z.output<typeof ttsSchema>;
export type TunnelConfig = z.output<typeof tunnelSchema>;
