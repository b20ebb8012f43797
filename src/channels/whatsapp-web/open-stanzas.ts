import type { PendingStanza, StanzaPart } from "./journal.ts";

/** Kept in memory at most; where more waits, all is read from the disk. */
const MOST_STANZAS = 2000;
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * What is open in the journal, in memory as well, so that what was just written need not be read and unsealed to be
 * handed over. Knows whether it knows all; if not, the journal is to be read.
 */
export class OpenStanzas {
  private readonly stanzas = new Map<string, PendingStanza & { missing: number }>();
  private complete = false;
  private bytes = 0;

  /** The journal holds nothing that is open. */
  none(): void {
    this.complete = true;
    this.clear();
  }

  /** Something may be open that is not known here. */
  forget(): void {
    this.complete = false;
    this.clear();
  }

  /** A part is on disk. */
  add({ stanza, parts, attributes }: StanzaPart, plaintext: Uint8Array): void {
    if (!this.complete) return;
    const known = this.stanzas.get(stanza);
    this.bytes += plaintext.length;
    if (this.bytes > MOST_BYTES || (!known && this.stanzas.size >= MOST_STANZAS)) {
      return this.forget();
    }
    const open = known ?? { stanza, attributes, plaintexts: [], missing: parts };
    open.plaintexts.push(plaintext);
    open.missing--;
    if (!known) this.stanzas.set(stanza, open);
  }

  remove(stanza: string): void {
    for (const { length } of this.stanzas.get(stanza)?.plaintexts ?? []) this.bytes -= length;
    this.stanzas.delete(stanza);
  }

  /** Those whose parts are all there, oldest first; undefined where the journal must be asked. */
  pending(limit: number): PendingStanza[] | undefined {
    if (!this.complete) return undefined;
    const found: PendingStanza[] = [];
    for (const open of this.stanzas.values()) {
      if (open.missing <= 0 && found.push(open) === limit) break;
    }
    return found;
  }

  private clear(): void {
    this.stanzas.clear();
    this.bytes = 0;
  }
}
