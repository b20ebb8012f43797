/**
 * What a person sees at a terminal: text, with the sequences by which a line of input is drawn (the cursor's moves,
 * erasing to the end of a line and of the screen). Colours change nothing. It has no last row: nothing scrolls away.
 */
export class Screen {
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  #unread = "";

  constructor(readonly columns: number) {}

  write(output: string): void {
    const part = /\u001b\[([\d;?]*)([A-Za-z])|[^]/uy;
    const text = this.#unread + output;
    this.#unread = "";
    for (let match = part.exec(text); match; match = part.exec(text)) {
      const [whole, parameter = "", command] = match;
      if (command !== undefined) this.#obey(command, parameter);
      else if (whole !== "\u001b") this.#put(whole);
      else {
        // The rest of a sequence is still to come.
        this.#unread = text.slice(match.index);
        return;
      }
    }
  }

  /** Its lines from the top down to the last that is not empty, without blanks at their ends. */
  get lines(): string[] {
    const lines = this.#rows.map((row) => Array.from(row, (cell) => cell ?? " ").join(""));
    const trimmed = lines.map((line) => line.trimEnd());
    return trimmed.slice(0, trimmed.findLastIndex((line) => line !== "") + 1);
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#go(this.#row + 1, this.#column);
    else if (character === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (character >= " ") {
      // A full line is left only when there is more to show.
      if (this.#column >= this.columns) this.#go(this.#row + 1, 0);
      this.#cells[this.#column++] = character;
    }
  }

  #obey(command: string, parameter: string): void {
    const steps = Number(parameter || 1);
    if (command === "A") this.#go(Math.max(0, this.#row - steps), this.#column);
    else if (command === "B") this.#go(this.#row + steps, this.#column);
    else if (command === "C") this.#column = Math.min(this.columns - 1, this.#column + steps);
    else if (command === "D") this.#column = Math.max(0, this.#column - steps);
    else if (command === "G") this.#column = steps - 1;
    else if (command === "J" || command === "K") {
      this.#cells.length = Math.min(this.#cells.length, this.#column);
      if (command === "J") this.#rows.length = this.#row + 1;
    } else if (command !== "m")
      throw new Error(`the screen knows no ESC [ ${parameter} ${command}`);
  }

  #go(row: number, column: number): void {
    while (this.#rows.length <= row) this.#rows.push([]);
    this.#row = row;
    this.#column = column;
  }

  get #cells(): string[] {
    return (this.#rows[this.#row] ??= []);
  }
}
