import { describe, expect, test } from "bun:test";
import { chunkText, renderText, textLimit, whatsappFormat } from "../../src/channels/text.ts";

/** A repeatable source of numbers in [0, 1) (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const words = [
  "word",
  "a",
  "Überraschung",
  "👩‍👩‍👧‍👦",
  "🇩🇪",
  "e\u0301",
  "漢字漢字",
  "x".repeat(40),
  "-",
  "1.",
];
const spaces = [" ", " ", " ", "  ", "\n", "\n", "\n\n", "\t", "\r\n"];

function randomText(random: () => number, length: number, pieces: string[]): string {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)] ?? "";
  let text = "";
  while (text.length < length) text += pick(pieces) + (random() < 0.9 ? pick(spaces) : "");
  return text;
}

const squeeze = (text: string) => text.replace(/\s+/g, "");
const graphemes = (text: string) => [...new Intl.Segmenter().segment(text)].map((it) => it.segment);

describe("chunkText", () => {
  test("a text that fits is not touched", () => {
    expect(chunkText("  a\n\nb  ", 16)).toEqual(["  a\n\nb  "]);
    expect(chunkText("x".repeat(textLimit), textLimit)).toHaveLength(1);
  });

  test.each(["", " ", "\n\n \t"])("blank text %j gives nothing", (text) => {
    expect(chunkText(text, 16)).toEqual([]);
  });

  test("a limit without room is a mistake of the caller's", () => {
    expect(() => chunkText("text", 15)).toThrow(RangeError);
    expect(() => chunkText("text", Number.NaN)).toThrow(RangeError);
  });

  const rows: [string, string, number, string[]][] = [
    [
      "paragraphs first",
      "one two three\n\nfour five\nsix",
      24,
      ["one two three", "four five\nsix"],
    ],
    [
      "then lines",
      "one two three\nfour five six\nseven",
      30,
      ["one two three\nfour five six", "seven"],
    ],
    ["then words", "one two three four five", 16, ["one two three", "four five"]],
    ["then characters", "abcdefghijklmnopqrstuvwxyz", 16, ["abcdefghijklmnop", "qrstuvwxyz"]],
    [
      "an early paragraph is not a chunk of its own",
      "a\n\nbb cc dd ee ff gg",
      16,
      ["a\n\nbb cc dd ee", "ff gg"],
    ],
    [
      "indentation of a line stays",
      "one two three four\n    five six seven",
      24,
      ["one two three four", "    five six seven"],
    ],
    ["never within a pair", "😀".repeat(12), 17, ["😀".repeat(8), "😀".repeat(4)]],
    ["never within a cluster", `aaaaaaaaaa${"👩‍👩‍👧‍👦"}bbb`, 16, ["aaaaaaaaaa", "👩‍👩‍👧‍👦bbb"]],
  ];
  test.each(rows)("%s", (_name, text, limit, expected) => {
    expect(chunkText(text, limit)).toEqual(expected);
  });

  test("a cluster longer than a chunk is cut, but no pair in it", () => {
    for (const start of ["", "a"]) {
      const chunks = chunkText(start + "👩\u200d".repeat(300), 16);
      expect(chunks.every((chunk) => chunk.isWellFormed() && chunk.length <= 16)).toBe(true);
      expect(chunks.join("")).toBe(start + "👩\u200d".repeat(300));
    }
  });

  test("a fence that is cut is closed, and opened again with its language", () => {
    const text = "```ts\nconst a = 1;\n\n  const b = 2;\nconst c = 3;\n```\nafter";
    expect(chunkText(text, 40)).toEqual([
      "```ts\nconst a = 1;\n\n  const b = 2;\n```",
      "```ts\nconst c = 3;\n```\nafter",
    ]);
  });

  test("a fence in the second half of a chunk moves whole", () => {
    const text = `${"word ".repeat(9)}\n\`\`\`js\nlet a\nlet b\n\`\`\``;
    expect(chunkText(text, 60)).toEqual(["word ".repeat(9).trim(), "```js\nlet a\nlet b\n```"]);
  });

  test("a fence of tildes or of four backticks is closed with its own mark", () => {
    for (const mark of ["~~~", "````"]) {
      const chunks = chunkText(`${mark}\n${"line\n".repeat(20)}${mark}`, 40);
      for (const chunk of chunks) {
        expect(chunk.startsWith(`${mark}\n`) && chunk.endsWith(`\n${mark}`)).toBe(true);
      }
      expect(chunks.join("\n").split("line")).toHaveLength(21);
    }
  });

  test.each([4_080, 4_090, 4_095, 4_100, 20_000])(
    "a fence that opens with %d blanks behind its mark is cut all the same",
    (blanks) => {
      for (const before of ["", "text\n"]) {
        const chunks = chunkText(`${before}\`\`\`${" ".repeat(blanks)}\nx\n\`\`\``, textLimit);
        expect(squeeze(chunks.join("")).replaceAll("`", "")).toBe(`${squeeze(before)}x`);
      }
    },
  );

  test("nothing but whitespace is lost, and every chunk keeps to the limit", () => {
    const random = seeded(7);
    for (let round = 0; round < 400; round++) {
      const limit = 16 + Math.floor(random() * 120);
      const text = randomText(random, 50 + random() * 900, words);
      const chunks = chunkText(text, limit);
      expect(squeeze(chunks.join(""))).toBe(squeeze(text));
      for (const chunk of chunks) {
        expect(chunk.length).toBeLessThanOrEqual(limit);
        expect(chunk.trim()).not.toBe("");
        expect(chunk.isWellFormed()).toBe(true);
      }
      if (limit > 60) {
        const whole = graphemes(squeeze(text)).length;
        expect(chunks.flatMap((chunk) => graphemes(squeeze(chunk)))).toHaveLength(whole);
      }
    }
  });

  test("with fences, every chunk stands by itself and no code is lost", () => {
    const random = seeded(11);
    const code = ["let", "x", "=", "\n", "\n\n", "    y", "z".repeat(90)];
    for (let round = 0; round < 400; round++) {
      const limit = 40 + Math.floor(random() * 200);
      let text = "";
      for (let block = 0; block < 5; block++) {
        text += `${randomText(random, random() * 200, words)}\n\`\`\`ts${round % 4 === 0 ? " ".repeat(random() * (limit / 2 - 10)) : ""}\n`;
        text += `${randomText(random, random() * 300, code).replaceAll("\r", "")}\n\`\`\`\n`;
      }
      const chunks = chunkText(text, limit);
      const plain = (it: string) => squeeze(it.replace(/^```(ts)? *$/gm, ""));
      expect(plain(chunks.join("\n"))).toBe(plain(text));
      for (const chunk of chunks) {
        expect(chunk.length).toBeLessThanOrEqual(limit);
        expect((chunk.match(/^```/gm) ?? []).length % 2).toBe(0);
      }
    }
  });
});

describe("whatsappFormat", () => {
  const rows: [string, string][] = [
    ["**bold** and __bold__", "*bold* and *bold*"],
    ["*it* and _it_", "_it_ and _it_"],
    ["***both*** and **a *b* c**", "_*both*_ and *a _b_ c*"],
    ["~~gone~~", "~gone~"],
    ["# Title", "*Title*"],
    ["### A **bold** title ###", "*A bold title*"],
    ["[Docs](https://a.example/x_y_z)", "Docs (https://a.example/x_y_z)"],
    ["[https://a.example](https://a.example/)", "https://a.example"],
    ["**[Docs](https://a.example)**", "*Docs (https://a.example)*"],
    ['[**Docs**](https://a.example "title")', "*Docs* (https://a.example)"],
    ["![A cat](https://a.example/c.png)", "A cat (https://a.example/c.png)"],
    ["[mail](mailto:a@b.example)", "mail (a@b.example)"],
    ["<https://a.example/b>", "https://a.example/b"],
    ["- **x**: y\n* *z*\n1. w", "- *x*: y\n* _z_\n1. w"],
    ["> **quoted**\n> # head", "> *quoted*\n> *head*"],
    ["`**code**` and **`code`**", "`**code**` and *`code`*"],
    ["```\n**code** [a](b.c)\n```\n**text**", "```\n**code** [a](b.c)\n```\n*text*"],
    ["```py\n# no heading", "```py\n# no heading"],
    ["~~~py\n**code**\n~~~", "```py\n**code**\n```"],
    ["| a | **b** |\n|---|:-:|\n| 1 | 2 |", "| a | *b* |\n| 1 | 2 |"],
    ["これは**重要**です", "これは*重要*です"],
    ["https://a.example/__x__?y=**z", "https://a.example/__x__?y=**z"],
  ];
  test.each(rows)("%j", (markdown, expected) => {
    expect(whatsappFormat(markdown)).toBe(expected);
  });

  test.each([
    "",
    "Plain text, with commas.\n\nAnd a second paragraph.  ",
    "2 * 3 * 4 = 24, 2**3**4, a*b*c, 5 < 6 > 3",
    "snake_case_name and __dunder_in_word__x",
    "f(*args, **kwargs) (*) required (*)",
    "~ about 5 ~ or ~~",
    "#hashtag, C#, [1], [x](see below), a[i](b)",
    "C:\\*.txt \\*not italic\\*",
    "***\n---\n* * *",
    "**open, *open, __open, ~~open, `open, [open, <open",
    "a | b\n1 | 2",
    "👩‍👩‍👧‍👦 \r\n\t tabs",
  ])("without markup nothing changes: %j", (text) => {
    expect(whatsappFormat(text)).toBe(text);
  });

  test("formatted once, letters and digits are all there and in order", () => {
    const random = seeded(3);
    const marks = [
      "*",
      "**",
      "***",
      "_",
      "__",
      "~~",
      "`",
      "``",
      "[",
      "](",
      ")",
      "\n# ",
      "> ",
      "\\",
      "<",
      "word",
      "x1",
    ];
    for (let round = 0; round < 500; round++) {
      const text = randomText(random, random() * 200, marks);
      const letters = (it: string) => it.replace(/[^a-z0-9]/g, "");
      expect(letters(whatsappFormat(text))).toBe(letters(text));
    }
  });

  test.each([
    "*a ",
    "**",
    "_a_ ",
    "[",
    "[a](",
    "](",
    "`",
    "``a",
    "<https://",
    "> ",
    "|-",
    "~~~",
    "```\n",
    "**a ~~b __c ",
  ])("%j by the thousand costs no more than its length", (piece) => {
    const time = (count: number) => {
      const text = piece.repeat(count);
      const start = performance.now();
      renderText(text);
      return performance.now() - start;
    };
    time(2_000);
    // Quadratic work would take minutes here.
    expect(time(60_000)).toBeLessThan(3_000);
  });
});

test("a fence of tildes with tildes in it costs no more than its length", () => {
  const start = performance.now();
  renderText(`~~~\n${"~".repeat(250_000)}x\n~~~`);
  expect(performance.now() - start).toBeLessThan(3_000);
});

test("renderText formats, then splits", () => {
  const chunks = renderText(`**${"a".repeat(3000)}**\n\n**${"b".repeat(3000)}**`);
  expect(chunks).toEqual([`*${"a".repeat(3000)}*`, `*${"b".repeat(3000)}*`]);
});
