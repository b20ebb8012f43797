import { Recorder } from "./recorder.ts";
import type { BinaryNode } from "./stanza.ts";

/** What the server keeps for a linked device until the device acknowledges it. */
export class Mailbox {
  private unacknowledged: BinaryNode[] = [];
  /** ids in the order they were settled, with the error if the client refused the stanza */
  readonly settled = new Recorder<{ tag: string; id: string; error: string | undefined }>(
    "acknowledgement",
  );

  /** A status post that was refused: it is kept, and nothing else is given out. */
  private stuck: BinaryNode | undefined;

  get withholds(): boolean {
    return this.stuck !== undefined;
  }

  get size(): number {
    return this.unacknowledged.length;
  }

  put(node: BinaryNode): void {
    this.unacknowledged.push(node);
  }

  /** Everything kept, oldest first, marked as the backlog it is. */
  backlog(): BinaryNode[] {
    const given = this.stuck ? [this.stuck] : this.unacknowledged;
    return given.map((node) => ({
      ...node,
      attrs: { ...node.attrs, offline: "0" },
    }));
  }

  ids(): string[] {
    return this.unacknowledged.map((node) => node.attrs.id ?? "");
  }

  settle(tag: string, id: string, error?: string): void {
    const at = this.unacknowledged.findIndex((node) => node.tag === tag && node.attrs.id === id);
    const node = this.unacknowledged[at];
    if (!node) return;
    if (error !== undefined && node.attrs.from === "status@broadcast") this.stuck = node;
    else this.unacknowledged.splice(at, 1);
    this.settled.add({ tag, id, error });
  }
}
