import { mkdirSync } from "node:fs";
import { errorCode } from "./error-code.ts";
import { fileTrouble } from "./file-trouble.ts";

/** Makes the home, for its owner alone, where it is not there. Throws an error that says what to do. */
export function makeHome(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason =
      errorCode(error) === "EEXIST"
        ? "is a file, expected a folder: move it away"
        : `cannot be made (${fileTrouble(error)}): mend the folder above it`;
    throw new Error(`the home ${path} ${reason}, or set REVKA_HOME`, { cause: error });
  }
}
