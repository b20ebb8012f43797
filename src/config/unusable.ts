import { findPositions } from "./positions.ts";
import { ConfigError, formatKey, sortProblems, type KeyPath } from "./problems.ts";
import { readConfigText } from "./toml.ts";

/** Values that only their use showed to be wrong: whoever knows the file makes a {@link ConfigError} of it. */
export class UnusableValues extends Error {
  override readonly name = "UnusableValues";
  constructor(readonly faults: { path: KeyPath; message: string }[]) {
    super(faults.map(({ path, message }) => `${formatKey(path)}: ${message}`).join("; "));
  }
}

/** The same as problems of the file that they were read from; any other error as it is. */
export function asConfigError(error: unknown, file: string): unknown {
  if (!(error instanceof UnusableValues)) return error;
  const positions = findPositions(readConfigText(file));
  const problems = error.faults.map(({ path, message }) => {
    return { file, line: positions.lineOf(path), key: formatKey(path), message };
  });
  return new ConfigError(sortProblems(problems));
}
