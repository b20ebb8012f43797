import type { FileCall } from "./file-calls.ts";

type Change = Extract<FileCall, { kind: "write" | "truncate" }>;
type Sync = Extract<FileCall, { kind: "sync" }>;

/** One file, whatever its name. */
interface Stored {
  content: Uint8Array;
  changes: Change[];
  syncs: Sync[];
}

/** What is found under names of the directory from then on: a file, or none. */
interface Naming {
  ended: number;
  names: [path: string, file: Stored | null][];
}

export interface Remains {
  /** Contents by path. */
  files: Map<string, Uint8Array>;
  /** Changes that no sync confirmed. */
  uncertain: number;
}

/** A disk writes so many bytes as a whole, or so many more. */
const pieceSizes = [512, 4096];

/**
 * What a disk may hold after a power cut, of the files `before` and of `calls` on them, in the order in which they began.
 * What a sync confirmed is there. Of everything else any part may be, in pieces, whatever came first: `random` decides.
 * A name that was made or taken away is sure after a sync of `directory` alone.
 */
export function afterPowerCut(
  before: ReadonlyMap<string, Uint8Array>,
  calls: readonly FileCall[],
  directory: string,
  random: () => number,
): Remains {
  const { namings, syncs } = follow(before, calls, directory);
  // Of some cuts nothing remains that was not synced, of some nearly all.
  const share = random() < 0.25 ? 0 : random();
  const pieceSize = pieceSizes[Math.floor(random() * pieceSizes.length)] ?? 512;
  const remains = () => random() < share;
  let uncertain = 0;
  const isSure = (change: { ended: number }, confirming: readonly Sync[]) => {
    const sure = isConfirmed(change, confirming);
    if (!sure) uncertain++;
    return sure;
  };
  const found = new Map<string, Stored>();
  for (const naming of namings) {
    if (isSure(naming, syncs) || remains()) rename(found, naming);
  }
  const files = new Map<string, Uint8Array>();
  for (const [path, file] of found) {
    const image = new Image(file.content);
    for (const change of file.changes.toSorted(byEnd)) {
      const sure = isSure(change, file.syncs);
      if (change.kind === "truncate") {
        if (sure || remains()) image.resize(change.size);
      } else if (sure) {
        image.write(change.at, change.bytes);
      } else {
        // A file may have grown, and what it grew by not have come.
        if (remains()) image.grow(change.at + change.bytes.length);
        for (const { at, bytes } of pieces(change, pieceSize)) {
          if (remains()) image.write(at, bytes);
        }
      }
    }
    files.set(path, image.content);
  }
  return { files, uncertain };
}

/** Gives each call to the file that had its name then. */
function follow(
  before: ReadonlyMap<string, Uint8Array>,
  calls: readonly FileCall[],
  directory: string,
): { namings: Naming[]; syncs: Sync[] } {
  const now = new Map<string, Stored>();
  const namings: Naming[] = [];
  // What was there before is on the disk.
  const syncs: Sync[] = [{ kind: "sync", path: directory, worked: true, began: -1, ended: -1 }];
  const name = (ended: number, ...names: Naming["names"]) => {
    const naming = { ended, names };
    namings.push(naming);
    rename(now, naming);
  };
  for (const [path, content] of before) name(-2, [path, { content, changes: [], syncs: [] }]);
  for (const call of calls) {
    const { kind, path, ended } = call;
    const file = now.get(path);
    if (path === directory) {
      if (kind === "sync") syncs.push(call);
    } else if (kind === "make") {
      if (!file) name(ended, [path, { content: new Uint8Array(), changes: [], syncs: [] }]);
    } else if (file) {
      if (kind === "sync") file.syncs.push(call);
      else if (kind === "remove") name(ended, [path, null]);
      else if (kind === "rename") name(ended, [path, null], [call.to, file]);
      else if (kind === "link") name(ended, [call.to, file]);
      else if (kind === "append") file.changes.push({ ...call, kind: "write", at: endOf(file) });
      else file.changes.push(call);
    }
  }
  return { namings, syncs };
}

/** Where a process writes that says no place: at the end of a file that it has made. Of another nobody knows. */
function endOf({ content, changes }: Stored): number {
  if (content.length > 0)
    throw new Error("a write without a place to a file that was there before");
  return changes.reduce(
    (size, change) =>
      change.kind === "truncate" ? change.size : Math.max(size, change.at + change.bytes.length),
    content.length,
  );
}

function rename(names: Map<string, Stored>, naming: Naming): void {
  for (const [path, file] of naming.names) {
    if (file) names.set(path, file);
    else names.delete(path);
  }
}

/**
 * A sync that returned 0 and began after the change was made. After one that failed the kernel may take what it could not
 * write for written, and confirm it the next time (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */
function isConfirmed(change: { ended: number }, syncs: readonly Sync[]): boolean {
  return syncs.some(
    (sync) =>
      sync.worked &&
      sync.began > change.ended &&
      !syncs.some(({ worked, ended }) => !worked && ended > change.ended && ended < sync.ended),
  );
}

function byEnd(a: Change, b: Change): number {
  return a.ended - b.ended || a.began - b.began;
}

function* pieces(
  { at, bytes }: { at: number; bytes: Uint8Array },
  size: number,
): Generator<{ at: number; bytes: Uint8Array }> {
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + size - ((at + from) % size));
    yield { at: at + from, bytes: bytes.subarray(from, to) };
    from = to;
  }
}

/** A file's content. It gets room ahead, so that many short writes cost little. */
class Image {
  #room: Uint8Array;
  #size: number;

  constructor(content: Uint8Array) {
    this.#room = Uint8Array.from(content);
    this.#size = content.length;
  }

  get content(): Uint8Array {
    return this.#room.slice(0, this.#size);
  }

  write(at: number, bytes: Uint8Array): void {
    this.grow(at + bytes.length);
    this.#room.set(bytes, at);
  }

  grow(size: number): void {
    if (size > this.#size) this.resize(size);
  }

  resize(size: number): void {
    if (size > this.#room.length) {
      const room = new Uint8Array(Math.max(size, 2 * this.#room.length));
      room.set(this.#room);
      this.#room = room;
    }
    if (size < this.#size) this.#room.fill(0, size, this.#size);
    this.#size = size;
  }
}
