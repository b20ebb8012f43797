import { FileSync } from "../../src/runtime/file-sync.ts";

/** Turns of the event loop within which whoever is told that something is on the disk goes on and commits again. */
const TURNS = 12;

let underWay = 0;
const waiting: (() => void)[] = [];
const { begin } = FileSync.prototype;
FileSync.prototype.begin = function (done) {
  underWay++;
  begin.call(this, () => {
    underWay--;
    for (const go of waiting.splice(0)) go();
    done();
  });
};

/** Lets commits, their way to the disk, and answers go round, until nothing of it is left. */
export async function settle(): Promise<void> {
  for (let still = 0; still < TURNS; still++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (underWay === 0) continue;
    await new Promise<void>((resolve) => waiting.push(resolve));
    still = 0;
  }
}
