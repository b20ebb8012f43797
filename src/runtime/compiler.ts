let reluctant = true;

/**
 * The executable starts with an engine that is slow to compile (`scripts/build/executable.ts`): what a start calls, it
 * calls a few times. From the first message on, in or out, what is called often is compiled as usual. Costs nothing when
 * called again; from source, and in other runtimes, it changes nothing.
 */
export function compileWhatIsHot(): void {
  if (!reluctant) return;
  reluctant = false;
  if (typeof Bun !== "undefined") Bun.unsafe.setJITPolicy(1);
}
