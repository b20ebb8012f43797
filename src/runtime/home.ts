import { mkdirSync } from "node:fs";
import { errorCode } from "./error-code.ts";

/** Makes the home, for its owner alone, where it is not there. Throws an error that says what to do. */
export function makeHome(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    const reason =
      code === "EEXIST"
        ? "is a file, expected a folder: move it away"
        : `cannot be made (${code}): mend the folder above it`;
    throw new Error(`the home ${path} ${reason}, or set REVKA_HOME`, { cause: error });
  }
}
