/** Bodies up to this length, which is what platforms send, are told apart from those that need room, bytes. */
const smallBytes = 64 * 1024;
/** Small ones that may arrive at once. */
const maxSmall = 1_000;
/** Room for all others together, bytes: as long as they declare to be, or as long as one may be. */
const maxLargeBytes = 32 * 1024 * 1024;

/**
 * Bodies that are being received. Anybody may open connections, and their bodies are held before a signature can be
 * looked at: without a limit on all of them together, a few hundred strangers fill the memory. Large ones leave the
 * small ones their own room, so that whoever fills it does not keep the platform out.
 */
export class Reception {
  #small = 0;
  #largeBytes = 0;

  constructor(
    /** What a body without a declared length is taken for, bytes. */
    readonly longest: number,
  ) {}

  /** Takes room for a body of this declared length (null: none was declared); null where there is none left. */
  enter(declared: number | null): (() => void) | null {
    const length = declared !== null && Number.isSafeInteger(declared) ? declared : this.longest;
    if (length <= smallBytes) {
      if (this.#small >= maxSmall) return null;
      this.#small++;
      return () => void this.#small--;
    }
    if (this.#largeBytes + length > maxLargeBytes) return null;
    this.#largeBytes += length;
    return () => void (this.#largeBytes -= length);
  }
}
