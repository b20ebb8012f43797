const mark = "[redacted]";

/** Shorter values occur by chance; a key that short protects nothing anyway. */
const shortestSecret = 4;

/** Credentials recognised by their surroundings, whoever they belong to. */
const shapes: readonly [RegExp, string][] = [
  // Only what looks like a credential: "basic settings" and "bearer token" are words.
  [
    /\b([Bb]earer|BEARER|[Bb]asic)(\s+|%20|\+)(?=[\w.~+/-]*(?:[0-9=]|[a-z][A-Z]))[\w.~+/=-]{8,}/g,
    `$1 ${mark}`,
  ],
  [/(authorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?)[^\s"',}[]{4,}/gi, `$1${mark}`],
  [
    /([?&](?:access_token|input_token|token|secret|key|api_key|apikey|password|sig|signature|hub\.verify_token)=)[^&\s"'\\…]+/gi,
    `$1${mark}`,
  ],
];

/** A login in a URL. */
const urlLogin = /\b([a-z][a-z0-9+.-]{0,15}:\/\/)[^\s/@"'\\]+@/gi;

/**
 * Makes a function that removes every given secret from a text: as it stands, JSON-escaped, URL-encoded, in hex, and
 * in base64 at any alignment (so inside `Basic` credentials too), besides bearer tokens, passwords in URLs and
 * token-like query parameters of anybody.
 */
export function createScrubber(secrets: readonly string[]): (text: string) => string {
  const forms = [
    ...new Set(secrets.filter((secret) => secret.length >= shortestSecret).flatMap(spellings)),
  ];
  // Longest first: a secret that begins with another one must not leave its tail.
  forms.sort((a, b) => b.length - a.length);
  const known =
    forms.length > 0
      ? new RegExp(
          forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"),
          "g",
        )
      : null;
  return (text) => {
    let clean = known ? text.replace(known, mark) : text;
    for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
    // Asked for its core first: without one, looking for a scheme at every letter costs more than all the rest.
    return clean.includes("://") ? clean.replace(urlLogin, `$1${mark}@`) : clean;
  };
}

function spellings(secret: string): string[] {
  const encoded = encodeURIComponent(secret.toWellFormed());
  const bytes = Buffer.from(secret, "utf8");
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encoded,
    new URLSearchParams({ "": secret }).toString().slice("=".length),
    encoded.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase()),
  ];
  if (bytes.length >= 8) {
    forms.push(bytes.toString("hex"), bytes.toString("hex").toUpperCase());
    for (const alignment of [0, 1, 2]) {
      const base64 = base64Core(bytes, alignment);
      forms.push(base64, base64.replace(/\+/g, "-").replace(/\//g, "_"));
    }
  }
  return forms;
}

/** The base64 digits that depend on `bytes` alone, when `alignment` other bytes stand before them. */
function base64Core(bytes: Buffer, alignment: number): string {
  const padded = Buffer.concat([Buffer.alloc(alignment), bytes]);
  const start = Math.ceil((alignment * 8) / 6);
  const end = Math.floor((padded.length * 8) / 6);
  return padded.toString("base64").slice(start, end);
}

/**
 * Shortens phone numbers to their first two and last two digits: E.164 with its plus, and the number of a WhatsApp
 * address. Bare digits stay: most of them are ids, times or lengths.
 */
export function maskNumbers(text: string): string {
  return text
    .replace(/\+\d{7,15}(?!\d)/g, (number) => masked(number.slice(1), "+"))
    .replace(/(?<!\d)\d{7,15}(?=(?:[:_]\d+)*@(?:s\.whatsapp\.net|c\.us|lid|hosted))/g, (number) =>
      masked(number, ""),
    );
}

/** As {@link maskNumbers}, for a value whose key says that it is a person's number. */
export function maskPersonal(text: string): string {
  return maskNumbers(text).replace(/^\d{7,15}$/, (number) => masked(number, ""));
}

function masked(digits: string, prefix: string): string {
  return `${prefix}${digits.slice(0, 2)}…${digits.slice(-2)}`;
}
