/** One change of a file, or of a name in a directory, and what confirms them. */
export type Deed =
  | { kind: "write"; path: string; at: number; bytes: Uint8Array }
  /** At its end. */
  | { kind: "append"; path: string; bytes: Uint8Array }
  | { kind: "truncate"; path: string; size: number }
  | { kind: "sync"; path: string; worked: boolean }
  /** Unless there is such a file. */
  | { kind: "make"; path: string }
  | { kind: "remove"; path: string }
  | { kind: "rename"; path: string; to: string }
  /** Another name for the same file. */
  | { kind: "link"; path: string; to: string };

/**
 * A system call. `began` and `ended` are the lines of the trace that it stands in: one call had returned before another
 * began if its `ended` is less than the other's `began`.
 */
export type FileCall = Deed & {
  began: number;
  ended: number;
};

/** What strace has to show: all that changes a file or syncs it. Not every machine has each ("?"). */
export const tracedCalls = [
  ...["openat", "?open", "?creat", "fsync", "fdatasync", "ftruncate", "truncate", "fallocate"],
  ...["pwrite64", "write", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"],
  ...["unlinkat", "?unlink", "?rename", "?renameat", "renameat2", "?link", "linkat"],
];

/**
 * The calls on those paths for which `watched` holds, in the order in which they began, from the lines of
 * `strace -f -y -xx -s <more than any write>`. strace writes a call down before it lets the thread make it, and its
 * result before it lets the thread go on. A change that never returned ended with its process, after the last line.
 * `first` is the number of the first line. Throws at a change that is not understood.
 */
export function fileCalls(
  lines: readonly string[],
  watched: (path: string) => boolean,
  first = 0,
): FileCall[] {
  const calls: FileCall[] = [];
  const open = new Map<string, { words: string; began: number }>();
  const end = first + lines.length;
  const add = (words: string, began: number, ended: number) => {
    const deed = parse(words, watched);
    if (deed) calls.push({ ...deed, began, ended });
  };
  lines.forEach((line, index) => {
    const [, thread, said] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (thread === undefined || said === undefined || /^(---|\+\+\+)/.test(said)) return;
    const number = first + index;
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(said)?.[1];
    const earlier = rest === undefined ? undefined : open.get(thread);
    if (earlier) open.delete(thread);
    const words = earlier ? earlier.words + rest : said;
    const began = earlier?.began ?? number;
    const unfinished = words.lastIndexOf(" <unfinished ...>");
    if (unfinished >= 0) open.set(thread, { words: words.slice(0, unfinished), began });
    else add(words, began, words.endsWith("= ?") ? end : number);
  });
  for (const { words, began } of open.values()) add(`${words}) = ?`, began, end);
  return calls.toSorted((a, b) => a.began - b.began);
}

/** `words` are `name(given) = result`. Null for what concerns no watched path, or changed nothing since it failed. */
function parse(words: string, watched: (path: string) => boolean): Deed | null {
  const [, name = "", given = "", result = ""] = /^(\w+)\((.*)\) += (\S+)/.exec(words) ?? [];
  const failed = result.startsWith("-");
  /** Of the file under the descriptor that comes first, which has a name still. */
  const path = pathOf(given) ?? "";
  const quoted = () => [...given.matchAll(/"([^"]*)"/g)].map(([, hex]) => plain(hex));
  switch (name) {
    case "fsync":
    case "fdatasync":
      if (!watched(path) || result === "?") return null;
      return { kind: "sync", path, worked: result === "0" };
    case "pwrite64": {
      if (!watched(path) || failed) return null;
      const [, hex, at] = /^\S+ "([^"]*)", \d+, (\d+)$/.exec(given) ?? [];
      if (hex === undefined) throw notUnderstood(words);
      const written = result === "?" ? undefined : Number(result);
      return { kind: "write", path, at: Number(at), bytes: bytesOf(hex).subarray(0, written) };
    }
    case "write": {
      if (!watched(path) || failed) return null;
      const [, hex] = /^\S+ "([^"]*)", \d+$/.exec(given) ?? [];
      if (hex === undefined) throw notUnderstood(words);
      const written = result === "?" ? undefined : Number(result);
      return { kind: "append", path, bytes: bytesOf(hex).subarray(0, written) };
    }
    case "ftruncate": {
      if (!watched(path) || failed) return null;
      return { kind: "truncate", path, size: Number(given.split(", ").at(-1)) };
    }
    case "open":
    case "openat": {
      const opened = pathOf(result) ?? "";
      if (!watched(opened) || !given.includes("O_CREAT")) return null;
      if (given.includes("O_TRUNC") && !given.includes("O_EXCL")) throw notUnderstood(words);
      return { kind: "make", path: opened };
    }
    case "unlink":
    case "unlinkat": {
      const [gone = ""] = quoted();
      return watched(gone) && !failed ? { kind: "remove", path: gone } : null;
    }
    case "link":
    case "linkat":
    case "rename":
    case "renameat":
    case "renameat2": {
      const [from = "", to = ""] = quoted();
      const kind = name.startsWith("link") ? "link" : "rename";
      return (watched(from) || watched(to)) && !failed ? { kind, path: from, to } : null;
    }
    default: {
      const paths = [...given.matchAll(/\d(?=<)[^>]*>/g)].map(([descriptor]) => pathOf(descriptor));
      if (failed || ![...paths, ...quoted()].some((each) => watched(each ?? ""))) return null;
      throw notUnderstood(words);
    }
  }
}

/** Of a descriptor as `-y` shows it; null for a file that is removed. */
function pathOf(descriptor: string): string | null {
  const [, hex, removed] = /^\d+<([^>]*)>(\(deleted\))?/.exec(descriptor) ?? [];
  return hex === undefined || removed ? null : plain(hex);
}

function plain(hex = ""): string {
  return hex.includes("\\x") ? bytesOf(hex).toString() : hex;
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll("\\x", ""), "hex");
}

function notUnderstood(words: string): Error {
  return new Error(`a change of the store that is not understood: ${words.slice(0, 300)}`);
}
