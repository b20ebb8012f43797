import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { packNotices } from "../../src/commands/licenses/packed.ts";
import { collectNotices } from "../notices.ts";
import { bundledFiles } from "./bundled-files.ts";
import { withoutUnusedIcuData, type Replacement } from "./icu-data.ts";
import { hasValidSignature, signAdHoc } from "./mach-o.ts";
import { bundleParts } from "./parts.ts";
import { plainComments } from "./plain-comments.ts";
import type { Revision } from "./revision.ts";
import type { Target } from "./target.ts";
import { markersIn, unwantedIn, webMarkers } from "./unwanted.ts";
import { definesOf, type Variant } from "./variant.ts";
import { leftOut, leftOutDefines } from "./left-out.ts";

export interface ExecutableOptions {
  /** The checkout, with its `node_modules`. */
  root: string;
  variant: Variant;
  target: Target;
  revision: Revision;
  outfile: string;
  /** The program, relative to the root; `src/main.ts` where none is given. */
  entry?: string;
  /** Lays side by side what a start runs, as it is written down; true where nothing is said. */
  inOrder?: boolean;
}

export interface Executable {
  file: string;
  bytes: number;
  /** What went into it, relative to the root, sorted. */
  inputs: string[];
}

/** Else the bundler writes down where each file lay on the machine that built it. */
const placeless = {
  __dirname: '"/$bunfs/root"',
  __filename: '"/$bunfs/root/revka"',
  "import.meta.url": '"file:///$bunfs/root/revka"',
  "import.meta.dirname": '"/$bunfs/root"',
  "import.meta.filename": '"/$bunfs/root/revka"',
};

/** What the daemon and `status` load at each start, beside what these import outright. */
const startFiles: Record<Variant, string[]> = {
  default: [
    "src/commands/run.ts",
    "src/commands/daemon.ts",
    "src/commands/status/plain.ts",
    "src/control/status-text.ts",
    "src/config/read.ts",
    "src/daemon.ts",
    "src/channels/whatsapp-cloud/channel.ts",
  ],
  "whatsapp-web": [],
};
startFiles["whatsapp-web"] = [...startFiles.default, "src/channels/whatsapp-web/channel.ts"];

/**
 * Builds one executable. The same commit gives the same bytes, wherever it is built. Throws where the bundler fails or
 * the default variant would hold a part of WhatsApp Web.
 */
export async function buildExecutable(options: ExecutableOptions): Promise<Executable> {
  const { root, variant, target, entry = "src/main.ts", inOrder = true } = options;
  const outfile = resolve(options.outfile);
  const defines = definesOf(variant, target, options.revision);
  const inputs = await bundledFiles(root, defines);
  const unwanted = unwantedIn(variant, inputs);
  if (unwanted.length > 0) {
    throw new Error(`the ${variant} variant would hold ${unwanted.slice(0, 5).join(", ")}`);
  }

  mkdirSync(dirname(outfile), { recursive: true });
  // Beside the result, so that the rename stays on one file system and a half-written file never has the final name.
  const scratch = mkdtempSync(join(dirname(outfile), `.${basename(outfile)}-`));
  try {
    const notices = join(scratch, "notices.txt");
    writeFileSync(notices, packNotices(collectNotices(root, inputs)));
    // The name is written into the binary: it is always the same.
    const made = join(scratch, "revka");
    const parts = await bundleParts(
      {
        entrypoints: [join(root, entry)],
        root,
        target: "bun",
        // Names are shortened part by part: over all files at once, equals are named by who was read first.
        minify: { syntax: true, whitespace: true },
        define: {
          ...defines,
          ...placeless,
          ...leftOutDefines,
          REVKA_NOTICES_FILE: JSON.stringify(notices),
        },
        plugins: [plainComments, leftOut],
      },
      join(scratch, "parts"),
      startFiles[variant],
    );
    const bundle: Omit<Bun.BuildConfig, "entrypoints"> = {
      root: join(scratch, "parts"),
      target: "bun",
      format: "esm",
      // Parts stay apart, so that a command loads only its own: 10 kB of 4 MB for `--version`.
      external: ["./*"],
      minify: true,
    };
    const later = join(scratch, "later");
    await Bun.build({ ...bundle, entrypoints: parts.later, outdir: later });
    for (const part of parts.later) renameSync(join(later, basename(part)), part);
    await Bun.build({
      ...bundle,
      entrypoints: parts.first,
      bytecode: true,
      // The functions in functions too: a tenth of the start.
      bytecodeDepth: 3,
      compile: {
        // Compiled from source when they are loaded: their bytecode would weigh 6 MB.
        assets: parts.later,
        target: `bun-${target}`,
        outfile: made,
        bytecodeOrder: inOrder && orderFile(root, variant),
        // Compiling what a start runs a few times takes memory that an idle daemon then holds; see compileWhatIsHot.
        jitPolicy: 100,
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    if (target.startsWith("darwin-")) sign(made);
    else replaceIn(made, withoutUnusedIcuData(readFileSync(made)));
    const markers = markersIn(made);
    const missing = webMarkers.filter((marker) => !markers.includes(marker));
    if (variant === "default" && markers.length > 0) {
      throw new Error(`the default variant holds "${markers.join('", "')}" of WhatsApp Web`);
    }
    // A marker that no variant holds any more would show nothing.
    if (variant === "whatsapp-web" && missing.length > 0) {
      throw new Error(`the whatsapp-web variant lacks "${missing.join('", "')}"`);
    }
    renameSync(made, outfile);
    return { file: outfile, bytes: statSync(outfile).size, inputs };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What `bun run start-order` wrote for this variant, whatever the target. */
export function orderFile(root: string, variant: Variant): string {
  return join(root, "scripts/build/orders", variant);
}

/** Gives a macOS executable a signature that holds for all of it, where it has none. */
function sign(file: string): void {
  const executable = readFileSync(file);
  if (hasValidSignature(executable)) return;
  const signed = signAdHoc(executable, "revka");
  if (!hasValidSignature(signed)) throw new Error("the signature of the executable is not valid");
  writeFileSync(file, signed);
}

function replaceIn(file: string, { at, bytes }: Replacement): void {
  const descriptor = openSync(file, "r+");
  try {
    const written = writeSync(descriptor, bytes, 0, bytes.length, at);
    if (written !== bytes.length) throw new Error("the executable was not written in full");
  } finally {
    closeSync(descriptor);
  }
}
