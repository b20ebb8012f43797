import { readFileSync } from "node:fs";

/**
 * The minifier keeps comments that state a licence: 15 kB in a start, nine times the same. One letter above U+007F in
 * them ("Wärting") makes the runtime keep the whole bundle in UTF-16, twice the size and five times slower to start. So
 * they become comments like others, which go; the licences themselves are told by `revka licenses`, and lie in each archive.
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

/** Takes from comments what would keep them, and nothing else: what looks like one may be in a string. Pure. */
export function withPlainComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, (comment) =>
    comment.replace(/^\/\*!/, "/*").replaceAll(/@(license|preserve)/g, "$1"),
  );
}
