import { expect, test } from "bun:test";
import { withPlainComments } from "../../scripts/build/plain-comments.ts";

test.each([
  ["/*! by Jimmy Wärting */ f()", "/* by Jimmy Wärting */ f()"],
  ["/**\n * @license © Ünal\n * @preserve */", "/**\n * license © Ünal\n * preserve */"],
  ["/* naïve */ f()", "/* naïve */ f()"],
  ['const hint = "@license"; /*! ü */', 'const hint = "@license"; /* ü */'],
])("%j becomes %j", (source, plain) => {
  expect(withPlainComments(source)).toBe(plain);
});
