import { expect, test } from "bun:test";
import { speakable } from "../../../src/speech/synthesis/speakable.ts";

test.each([
  ["plain prose", "Hello, how are you?", "Hello, how are you?"],
  ["paragraphs", "One.\n\nTwo.\r\nThree.", "One.\nTwo.\nThree."],
  [
    "marks of emphasis",
    "This is **bold**, *thin*, __both__, _that_ and ~~gone~~.",
    "This is bold, thin, both, that and gone.",
  ],
  ["WhatsApp's own marks", "*bold* _thin_ ~gone~", "bold thin ~gone~"],
  [
    "stars and lines that are none",
    "2 * 3 = 6 in snake_case_names",
    "2 * 3 = 6 in snake_case_names",
  ],
  [
    "headings, quotes and lists",
    "# Title\n> said\n- one\n* two\n3. three\n- [x] done",
    "Title\nsaid\none\ntwo\nthree\ndone",
  ],
  ["a code block", "Do this:\n```sh\nrm -rf /\n```\nDone.", "Do this:\nDone."],
  ["a code block that never ends", "Do this:\n~~~\nrm -rf /", "Do this:"],
  ["a fence within a longer fence", "a\n````\n```\nb\n```\n````\nc", "a\nc"],
  [
    "words in code marks",
    "Press `Save as` and run `rm -rf $HOME/*` now.",
    "Press Save as and run now.",
  ],
  [
    "links",
    "See [the docs](https://example.com/a_(b)) or [this][1].\n\n[1]: https://example.com",
    "See the docs or this.",
  ],
  [
    "bare addresses",
    "Visit https://example.com/x?y=1, or www.example.com. Or <https://example.com>!",
    "Visit, or. Or!",
  ],
  ["a link named by its address", "Go: [https://example.com](https://example.com)", "Go:"],
  ["pictures", "![a cat](cat.png)", "a cat"],
  [
    "a table",
    "Prices:\n\n| A | B |\n| --- | :-: |\n| 1 | 2 |\n| 3 | 4 |\n\nThat is all.",
    "Prices:\nThat is all.",
  ],
  ["a table without outer bars", "A | B\n--|--\n1 | 2\nEnd.", "End."],
  ["a bar in prose", "this | that - or | none", "this | that - or | none"],
  ["a bar in prose behind a table", "A | B\n--|--\n1 | 2\n\nThis | that.", "This | that."],
  ["a bar in a title that is underlined", "Yes | no\n---\nThis | that.", "Yes | no\nThis | that."],
  ["prose above a table without a head", "Prices:\n| --- |\n| 1 |", "Prices:"],
  ["HTML", "Line<br>two <b>bold</b><!-- hidden -->", "Line two bold"],
  ["a comparison", "a < b and c > d", "a < b and c > d"],
  ["escapes", "1\\. and \\*stars\\*", "1. and stars"],
  ["emoji", "Great 👍🏽! 👨‍👩‍👧 🇩🇪 5️⃣", "Great! 5"],
  ["other scripts", "Привет, **мир**. 你好。", "Привет, мир. 你好。"],
])("%s", (_, markdown, text) => {
  expect(speakable(markdown)).toBe(text);
});

test.each([
  "",
  "  \n",
  "👍",
  "---",
  "```\ncode\n```",
  "https://example.com",
  "| a |\n|---|\n| b |",
  "***",
])("nothing is left of %p", (markdown) => {
  expect(speakable(markdown)).toBe("");
});

test.each([
  "[",
  "[a](",
  "`",
  "``` ",
  "*",
  "_a",
  "<a",
  "|-",
  "](",
  "a_",
  "http:",
  "* ",
  "\\",
  "~",
  "[a]: ",
])("a long run of %p takes no time", (piece) => {
  const started = performance.now();
  speakable(piece.repeat(200_000 / piece.length));
  speakable(`x${piece.repeat(200_000 / piece.length)}y`);
  expect(performance.now() - started).toBeLessThan(400);
});
