import { mkdirSync } from "node:fs";

/** Makes the home, for its owner alone, where it is not there. Throws an error that says what to do. */
export function makeHome(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(
      `the home ${path} cannot be made (${code}): mend the folder above it, or set REVKA_HOME`,
      { cause: error },
    );
  }
}
