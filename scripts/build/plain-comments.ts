import { readFileSync } from "node:fs";

/**
 * The minifier keeps comments that state a licence. One letter above U+007F in them ("Wärting") makes the runtime keep
 * the whole bundle in UTF-16, twice the size and five times slower to start; the licences themselves are told by
 * `revka licenses`. Strings need nothing: the bundler escapes them.
 */
export const plainComments: Bun.BunPlugin = {
  name: "plain-comments",
  setup(build) {
    build.onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const plain = withPlainComments(source);
      return plain === source ? undefined : { contents: plain, loader: "js" };
    });
  },
};

/** Letters of kept comments lose their marks, other signs go. Pure. */
export function withPlainComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, (comment) =>
    /^\/\*!|@license|@preserve/.test(comment)
      ? comment.normalize("NFD").replace(/[^\x00-\x7f]/g, "")
      : comment,
  );
}
