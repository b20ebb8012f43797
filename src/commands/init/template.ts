import { CURRENT_GRAPH_VERSION } from "../../config/graph-versions.ts";

/** What a config is written from. Absent keys become commented examples. */
export interface Answers {
  channel:
    | {
        kind: "cloud";
        accessToken: string;
        phoneNumberId: string;
        verifyToken: string;
        appSecret: string | null;
      }
    | { kind: "web"; sessionPath: string; pairPhone: string | null }
    | {
        kind: "wati";
        apiToken: string;
        apiUrl: string;
        tenantId: string | null;
        webhookSecret: string | null;
      };
  allowedNumbers: string[];
  agent:
    | { kind: "model"; provider: string; model: string; apiKey: string | null }
    | { kind: "webhook"; url: string; bearerToken: string | null }
    | { kind: "command"; command: string[] }
    | { kind: "echo" };
  publicUrl: string | null;
}

/** The commented config file of these answers, in TOML. Pure. */
export function configText(answers: Answers): string {
  return `${[
    "# Configuration of Revka. It holds secrets: keep it readable by yourself alone (chmod 600).",
    "# All keys and their meaning: revka config schema. Check your changes: revka doctor",
    "",
    ...modelKeys(answers.agent),
    ...channelTable(answers),
    "",
    ...agentTable(answers.agent),
    "",
    "[gateway]",
    "# Revka listens here; a tunnel or reverse proxy brings the internet's webhooks to it.",
    'host = "127.0.0.1"',
    "port = 42617",
    optional("public_url", answers.publicUrl, "https://bot.example.com"),
    "",
    "[store]",
    "# Messages and history are kept this long.",
    "retention_days = 30",
  ].join("\n")}\n`;
}

function modelKeys(agent: Answers["agent"]): string[] {
  if (agent.kind !== "model") return [];
  return [
    "# Who answers: a provider (openrouter, openai, anthropic, groq, ollama, custom:https://…/v1)",
    "# and one of its models.",
    `default_provider = ${toml(agent.provider)}`,
    `default_model = ${toml(agent.model)}`,
    /^(custom:|ollama$)/.test(agent.provider)
      ? "# Only where the server wants one."
      : "# Without it, the provider's usual environment variable is used.",
    optional("api_key", agent.apiKey, "…"),
    "",
  ];
}

function channelTable({ channel, allowedNumbers }: Answers): string[] {
  const allowed = [
    '# Who is answered: E.164 numbers such as "+15551234567"; [] nobody, ["*"] everybody.',
    `allowed_numbers = [${allowedNumbers.map(toml).join(", ")}]`,
  ];
  switch (channel.kind) {
    case "cloud":
      return [
        "# WhatsApp through Meta's Cloud API.",
        "[channels_config.whatsapp]",
        "# From Meta Business Suite: a permanent token of a system user.",
        `access_token = ${toml(channel.accessToken)}`,
        `phone_number_id = ${toml(channel.phoneNumberId)}`,
        "# Enter the same value where Meta asks for the webhook's verify token.",
        `verify_token = ${toml(channel.verifyToken)}`,
        "# App secret of your Meta app: without it, anybody can post messages to your webhook.",
        "# REVKA_WHATSAPP_APP_SECRET in the environment wins over it.",
        optional("app_secret", channel.appSecret, "…"),
        `graph_api_version = ${toml(CURRENT_GRAPH_VERSION)}`,
        ...allowed,
      ];
    case "web":
      return [
        "# WhatsApp Web: a number of your own, linked like a browser.",
        "[channels_config.whatsapp]",
        "# Losing this file means linking anew: keep it on a disk that lasts.",
        `session_path = ${toml(channel.sessionPath)}`,
        "# Your number without plus links by an 8-character code instead of a QR code.",
        optional("pair_phone", channel.pairPhone, "15551234567"),
        '# "business" answers everybody in allowed_numbers; "personal" has a policy for each kind of chat.',
        'mode = "business"',
        ...allowed,
      ];
    case "wati":
      return [
        "# WhatsApp through WATI.",
        "[channels_config.wati]",
        `api_token = ${toml(channel.apiToken)}`,
        `api_url = ${toml(channel.apiUrl)}`,
        optional("tenant_id", channel.tenantId, "my-tenant"),
        "# Add ?secret=… with this value to the webhook address that you give to WATI.",
        optional("webhook_secret", channel.webhookSecret, "…"),
        ...allowed,
      ];
  }
}

function agentTable(agent: Answers["agent"]): string[] {
  const head = ["[agent]", `kind = ${toml(agent.kind)}`];
  switch (agent.kind) {
    case "model":
      return [...head, '# system_prompt = "You answer customers of …, briefly and kindly."'];
    case "webhook":
      return [
        ...head,
        '# One POST a turn; the answer is {"text": "…"}.',
        `url = ${toml(agent.url)}`,
        optional("bearer_token", agent.bearerToken, "…"),
      ];
    case "command":
      return [
        ...head,
        "# One JSON document on its standard input, one on its standard output.",
        `command = [${agent.command.map(toml).join(", ")}]`,
      ];
    case "echo":
      return ["[agent]", "# Repeats what it is told, to try things out.", 'kind = "echo"'];
  }
}

function optional(key: string, value: string | null, example: string): string {
  return value === null ? `# ${key} = ${toml(example)}` : `${key} = ${toml(value)}`;
}

/** A TOML basic string; JSON's escapes are among TOML's, which also wants DEL escaped. */
function toml(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
