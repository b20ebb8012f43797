import { expect, test } from "bun:test";
import { withPlainComments } from "../../scripts/build/plain-comments.ts";

test.each([
  ["/*! by Jimmy Wärting */ f()", "/*! by Jimmy Warting */ f()"],
  ["/* @license © Ünal */", "/* @license  Unal */"],
  // The minifier drops this one itself.
  ["/* naïve */ f()", "/* naïve */ f()"],
  // What is no comment must stay as it is.
  ['const hint = "naïve"; /*! ü */', 'const hint = "naïve"; /*! u */'],
])("%j becomes %j", (source, plain) => {
  expect(withPlainComments(source)).toBe(plain);
});
