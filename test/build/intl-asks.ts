import { createHash } from "node:crypto";

/**
 * Asks what depends on the data of ICU, and prints question and answer as JSON. What throws answers so. The executable and the
 * runtime that it was made of run this file both.
 */
const answers: Record<string, unknown> = {};

function ask(question: string, answer: () => unknown): void {
  try {
    answers[question] = answer();
  } catch (error) {
    answers[question] = `throws ${String(error)}`;
  }
}

const winter = new Date(Date.UTC(2026, 10, 28, 21, 4, 59));
const summer = new Date(Date.UTC(2026, 6, 1, 12));
ask("dates as text", () => [String(winter), summer.toTimeString(), winter.getTimezoneOffset()]);
ask("the usual locale", () => [
  Intl.DateTimeFormat().resolvedOptions(),
  Intl.NumberFormat().resolvedOptions(),
  Intl.Collator().resolvedOptions(),
]);
ask("as this place writes", () => [
  winter.toLocaleString(),
  winter.toLocaleDateString(),
  (1234567.891).toLocaleString(),
]);
ask("time zones", () =>
  Intl.supportedValuesOf("timeZone").map((timeZone) =>
    new Intl.DateTimeFormat("en", { timeZone, dateStyle: "full", timeStyle: "full" }).format(
      summer,
    ),
  ),
);
ask("currencies and units in English", () => [
  ...Intl.supportedValuesOf("currency").map((currency) =>
    new Intl.NumberFormat("en", {
      style: "currency",
      currency,
      currencyDisplay: "name",
    }).format(2),
  ),
  ...Intl.supportedValuesOf("unit").map((unit) =>
    new Intl.NumberFormat("en-GB", { style: "unit", unit, unitDisplay: "long" }).format(2),
  ),
]);

const text =
  "Ada\u0301 👨‍👩‍👧‍👦🇩🇪🇫🇷👍🏽 각 क्षि ก็ กำ ខ្មែរ မြန်မာ 日本語 נִקּוּד \r\n Dr. Who? Yes! そう。 can't 32.3 Größe";
for (const locale of [undefined, "en", "de", "th", "ja", "zh", "ar", "el"]) {
  for (const granularity of ["grapheme", "sentence"] as const) {
    ask(`${granularity}s, ${locale}`, () =>
      [...new Intl.Segmenter(locale, { granularity }).segment(text)].map(({ segment }) => segment),
    );
  }
}

const characters: string[] = [];
for (let code = 0; code < 0x30000; code++) {
  if (code < 0xd800 || code > 0xdfff) characters.push(String.fromCodePoint(code));
}
const every = characters.join("");
const digest = (long: string) => createHash("sha256").update(long).digest("hex");
for (const form of ["NFC", "NFD", "NFKC", "NFKD"]) {
  ask(form, () => [
    digest(characters.map((one) => one.normalize(form)).join("|")),
    digest(every.normalize(form)),
  ]);
}
ask("cases", () =>
  [
    every.toUpperCase(),
    every.toLowerCase(),
    every.toLocaleUpperCase("tr"),
    every.toLocaleLowerCase("lt"),
  ].map(digest),
);
for (const property of ["L", "N", "Cc", "Cf", "Cn", "Zl", "Extended_Pictographic"]) {
  ask(`\\p{${property}}`, () => digest(every.replace(new RegExp(`\\p{${property}}`, "gu"), "")));
}

const words =
  "z a Z A ä ö o aa ß ss ł l ñ n ch c d 1 10 2 _ - İ i ı 日 本 가 あ ア я а é e 中 ต א".split(" ");
for (const locale of [undefined, "en", "de", "sv", "da", "tr", "cs", "zh", "ja", "ko", "ar"]) {
  ask(`sorting, ${locale}`, () => [
    words.toSorted(new Intl.Collator(locale).compare).join(),
    words.toSorted((a, b) => a.localeCompare(b, locale, { numeric: true })).join(),
  ]);
}
for (const host of "bücher.example faß.de ΒΌΛΟΣ.com 日本語.jp İstanbul.com xn--bcher-kva.de ＡＢＣ.com a\u200db.com xn--a.com".split(
  " ",
)) {
  ask(host, () => new URL(`http://${host}/ü?ß`).href);
}
for (const encoding of ["utf-8", "utf-16le", "windows-1252", "shift_jis", "gb18030", "koi8-r"]) {
  ask(encoding, () =>
    new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, i) => i)),
  );
}
for (const locale of ["de", "tr", "zh-Hant", "ar", "th", "zu"]) {
  ask(`dates and numbers, ${locale}`, () => [
    winter.toLocaleString(locale),
    winter.toLocaleDateString(locale, { dateStyle: "full" }),
    (1234567.891).toLocaleString(locale),
    new Intl.RelativeTimeFormat(locale).format(-2, "day"),
    new Intl.ListFormat(locale).format(["a", "b", "c"]),
    Intl.DisplayNames.supportedLocalesOf(locale),
  ]);
  ask(`left out: names, ${locale}`, () => [
    new Intl.DisplayNames(locale, { type: "language" }).of("fr"),
    new Intl.DisplayNames(locale, { type: "region" }).of("FR"),
    new Intl.NumberFormat(locale, {
      style: "currency",
      currency: "JPY",
      currencyDisplay: "name",
    }).format(2),
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: "kilobyte",
      unitDisplay: "long",
    }).format(2),
    winter.toLocaleTimeString(locale, { timeZone: "Europe/Berlin", timeStyle: "full" }),
  ]);
}
ask("left out: words", () =>
  [...new Intl.Segmenter("th", { granularity: "word" }).segment("今天天气很好 ภาษาไทยง่าย")].map(
    ({ segment }) => segment,
  ),
);

console.log(JSON.stringify(answers));
