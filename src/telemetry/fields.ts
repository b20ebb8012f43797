import type { LogFields } from "./log.ts";
import { maskNumbers, maskPersonal } from "./scrub.ts";

const longestText = 2048;
const deepest = 5;
const mostItems = 50;

/** Keys that a line or an object has anyway: a field of that name gets a `_`, so that it cannot pass for it. */
const lineKeys = new Set(["level", "time", "msg", "__proto__"]);

/** Keys whose value is a credential, whatever it looks like. */
const secretKey =
  /^(authorization|cookie|set-cookie|password|passphrase|secret|.*_secret|.*_token|token|bearer|api_?key|.*_api_?key|private_?key)$/i;

/** Keys whose value names a person. */
const personalKey =
  /^(from|to|phone|number|sender|recipient|chat|chat_?id|participant|jid|lid|wa_?id|linked_?as|pair_?phone)$/i;

type KeyKind = "secret" | "personal" | "other";

/** Our own keys are few and come again with every line; foreign ones are not kept beyond this. */
const mostKnownKeys = 500;
const knownKeys = new Map<string, KeyKind>();

function kindOf(key: string): KeyKind {
  let kind = knownKeys.get(key);
  if (kind === undefined) {
    kind = secretKey.test(key) ? "secret" : personalKey.test(key) ? "personal" : "other";
    if (knownKeys.size < mostKnownKeys) knownKeys.set(key, kind);
  }
  return kind;
}

/**
 * Text that stands in the finished line as it stands here and holds no number to mask: the sieve of the whole line
 * sees all that could be wrong with it. Most fields are such ids and words.
 */
const inert = /^[\w .:;,=/…-]*$/;

/** Is the sieve of the finished line enough for this text? */
export function isInert(text: string): boolean {
  return text.length <= longestText && inert.test(text);
}

/**
 * The fields of one log line as plain JSON: credentials and full numbers gone, errors as one line (with the stack
 * where asked for), long texts cut, cycles and depth bounded. Inert texts are left to the sieve of the whole line.
 */
export function plainFields(
  fields: LogFields,
  scrub: (text: string) => string,
  withStack: boolean,
): LogFields {
  const walk = (key: string, value: unknown, depth: number): unknown => {
    if (value === null || value === undefined) return value;
    const kind = kindOf(key);
    if (kind === "secret" && typeof value !== "boolean") return "[redacted]";
    if (typeof value === "string") return text(key, value);
    if (typeof value === "bigint") return kind === "personal" ? text(key, `${value}`) : `${value}`;
    if (typeof value === "number" && kind === "personal") return text(key, `${value}`);
    if (value instanceof Error) {
      const line = text(key, errorLine(value));
      return withStack && value.stack ? `${line}\n${text(key, value.stack)}` : line;
    }
    if (value instanceof Date || value instanceof URL) return text(key, `${value.toJSON()}`);
    if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
    if (typeof value !== "object") return typeof value === "function" ? "[function]" : value;
    if (depth >= deepest) return "[…]";
    if (Array.isArray(value)) {
      return value.slice(0, mostItems).map((item) => walk(key, item, depth + 1));
    }
    return Object.fromEntries(
      Object.entries(value)
        .slice(0, mostItems)
        .map(([name, item]) => [text("", name), walk(name, item, depth + 1)]),
    );
  };
  // Scrubbed before it is cut: half a secret is no longer recognised.
  const text = (key: string, value: string) => {
    const personal = kindOf(key) === "personal";
    if (!personal && isInert(value)) return value;
    const clean = scrub(value);
    const masked = personal ? maskPersonal(clean) : maskNumbers(clean);
    return masked.length > longestText ? `${masked.slice(0, longestText)}… (cut)` : masked;
  };
  const plain: LogFields = {};
  for (const key in fields) {
    if (Object.hasOwn(fields, key)) {
      plain[lineKeys.has(key) ? `${key}_` : key] = walk(key, fields[key], 0);
    }
  }
  return plain;
}

/** `TypeError: fetch failed: ECONNREFUSED`: the message with those of its causes, at most five. */
export function errorLine(error: Error): string {
  const parts: string[] = [
    error.name === "Error" ? error.message : `${error.name}: ${error.message}`,
  ];
  let cause: unknown = error.cause;
  for (let depth = 0; depth < 4 && cause instanceof Error; depth++, cause = cause.cause) {
    parts.push(cause.message);
  }
  return parts.filter((part) => part !== "").join(": ");
}
