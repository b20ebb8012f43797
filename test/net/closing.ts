import { afterEach } from "bun:test";

interface Closable {
  close(): Promise<unknown>;
}

/** Closes what was handed to it, last first, after each test of the file that asked. Call it once, at the top. */
export function closing(): <T extends Closable>(it: T) => T {
  const open: Closable[] = [];
  afterEach(async () => {
    for (const it of open.splice(0).reverse()) await it.close();
  });
  return (it) => {
    open.push(it);
    return it;
  };
}
