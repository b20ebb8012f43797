import { Writable } from "node:stream";
import type { Terminal } from "./command.ts";

/** What readline draws, through the terminal: in turn with everything else that is said there, and only while `shown`. */
export class Echo extends Writable {
  shown = false;

  constructor(private readonly terminal: Terminal) {
    super({ decodeStrings: false });
  }

  /** Endless while nothing shows: the reader would count rows that are not there, and go up over others to redraw. */
  get columns(): number {
    return (this.shown && this.terminal.columns) || Infinity;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    if (this.shown) this.terminal.err(String(chunk));
    done();
  }
}
