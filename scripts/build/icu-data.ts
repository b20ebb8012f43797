/**
 * Bun's runtimes for Linux hold the common data of ICU, 12 MB that hardly pack; those for macOS use the system's. Half of
 * them nothing here asks for. They are left out of the file in place, as ICU's own data filters would leave them out when it is
 * built: what ICU does not find in a language it takes from English or from what all languages share.
 * The layout: unicode-org/icu, icu4c/source/common/ucmndata.h (`UDataOffsetTOC`) and unicode/udata.h (`UDataInfo`).
 */

/** At the beginning of an item is its header, with these bytes at 2; Bun has packed others, which are frames of zstd. */
const magic = Buffer.from([0xda, 0x27]);
const magicAt = 2;
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The archive has such a header too. */
const bigEndianAt = 8;
const formatAt = 12;
const formatVersionAt = 16;
const format = Buffer.from("CmnD", "ascii");
const formatVersion = 1;
const alignment = 16;

/** Folders of names in each language: of currencies, languages, regions, units and time zones. */
const namesOf = ["curr", "lang", "region", "unit", "zone"];
/** What stays of these folders, with the variants of English: most of it is for all languages. */
const staying = ["en", "pool", "res_index", "root", "supplementalData", "tzdbNames"];

/** Without these the choice was made for other data. */
const needed = [
  "brkitr/char.brk",
  "brkitr/root.res",
  "coll/root.res",
  "coll/ucadata.icu",
  "en.res",
  "nfkc.nrm",
  "nfkc_cf.nrm",
  "res_index.res",
  "root.res",
  "supplementalData.res",
  "uts46.nrm",
  "zoneinfo64.res",
  ...namesOf.flatMap((folder) => [
    `${folder}/en.res`,
    `${folder}/pool.res`,
    `${folder}/res_index.res`,
    `${folder}/root.res`,
  ]),
];

/**
 * Is this item left out? Such are the names of things in other languages than English, and the dictionaries that split words
 * where no spaces are written. Characters, sorting, dates, numbers and time zones stay, in all languages. Pure.
 */
export function isLeftOut(name: string): boolean {
  if (/^brkitr\/.+\.dict$/.test(name)) return true;
  const [, folder = "", locale = ""] = /^([^/]+)\/([^/]+)\.res$/.exec(name) ?? [];
  return namesOf.includes(folder) && !staying.includes(locale) && !locale.startsWith("en_");
}

interface Item {
  /** `curr/de.res`; in the archive `icudt78l/curr/de.res`. */
  name: string;
  /** This and the next from the beginning of the table of contents. */
  nameAt: number;
  dataAt: number;
  /** Up to the next item. Nothing tells that of the last one, to ICU neither. */
  length: number | null;
}

/** What takes the place of as many bytes of a file. */
export interface Replacement {
  at: number;
  bytes: Buffer;
}

/**
 * What makes the executable one without the ICU data that nothing here asks for. Its size and the place of everything else
 * stay; where something was left out are zeros. Throws where the data are not found or not laid out as expected, where
 * something needed is missing and where there is nothing to leave out. Pure.
 */
export function withoutUnusedIcuData(executable: Buffer): Replacement {
  const at = findTable(executable);
  const archive = executable.subarray(at);
  const items = readTable(archive);
  const missing = needed.filter((name) => !items.some((item) => item.name === name));
  if (missing.length > 0) throw new Error(`the ICU data lack ${missing.join(", ")}`);
  const kept = items.filter(({ name }) => !isLeftOut(name));
  if (kept.length === items.length) throw new Error("the ICU data hold nothing to leave out");

  // The last one stays where it is, and the others move up to it, so that each keeps its length. It is never left out:
  // `zoneinfo64.res`, which is needed, comes behind all that is.
  let dataAt = items.at(-1)?.dataAt ?? 0;
  const bytes = Buffer.alloc(dataAt);
  bytes.writeUInt32LE(kept.length);
  for (const [index, item] of [...kept.entries()].toReversed()) {
    const length = item.length ?? 0;
    dataAt -= length;
    archive.copy(bytes, dataAt, item.dataAt, item.dataAt + length);
    archive.copy(bytes, item.nameAt, item.nameAt, archive.indexOf(0, item.nameAt));
    bytes.writeUInt32LE(item.nameAt, 4 + 8 * index);
    bytes.writeUInt32LE(dataAt, 8 + 8 * index);
  }
  return { at, bytes };
}

/** Where the table of contents begins. Throws where there is none, more than one, or one of another format. */
function findTable(executable: Buffer): number {
  const found: number[] = [];
  for (let at = executable.indexOf(format); at !== -1; at = executable.indexOf(format, at + 1)) {
    const header = at - formatAt;
    if (holdsAt(executable, header + magicAt, magic)) found.push(header);
  }
  const [header] = found;
  if (header === undefined || found.length > 1) {
    throw new Error(`the runtime holds ${found.length} archives of ICU data, not one`);
  }
  const bigEndian = executable[header + bigEndianAt];
  const version = executable[header + formatVersionAt];
  if (bigEndian !== 0 || version !== formatVersion) {
    throw new Error(`the archive of ICU data has a format that is not known here (${version})`);
  }
  return header + executable.readUInt16LE(header);
}

/**
 * The items of an archive from its table of contents on: a count, as many pairs of offsets (name, data), and then the names
 * and the data in the same order. Throws where that is not so.
 */
function readTable(archive: Buffer): Item[] {
  const fail = (what: string): never => {
    throw new Error(`the ICU data are not laid out as expected: ${what}`);
  };
  const count = archive.length < 4 ? 0 : archive.readUInt32LE();
  let namesEnd = 4 + 8 * count;
  if (count === 0 || namesEnd > archive.length) fail(`no table of ${count} items`);
  const items: Item[] = [];
  for (let index = 0; index < count; index++) {
    const nameAt = archive.readUInt32LE(4 + 8 * index);
    const dataAt = archive.readUInt32LE(8 + 8 * index);
    if (nameAt !== namesEnd) fail(`the name of item ${index} does not follow the one before`);
    namesEnd = archive.indexOf(0, nameAt) + 1;
    const fullName = archive.toString("latin1", nameAt, namesEnd - 1);
    const [, name] = /^icudt\d+l\/(.+)$/.exec(fullName) ?? [];
    if (name === undefined) return fail(`item ${index} has no name`);

    const previous = items.at(-1);
    if (previous && previous.name >= name) fail(`${name} is out of order`);
    if (previous && previous.dataAt >= dataAt) fail(`the data of ${name} are out of order`);
    if (dataAt % alignment !== 0) fail(`the data of ${name} are not aligned`);
    const known = holdsAt(archive, dataAt + magicAt, magic) || holdsAt(archive, dataAt, zstdMagic);
    if (!known) fail(`the data of ${name} are of no known kind`);
    if (previous) previous.length = dataAt - previous.dataAt;
    items.push({ name, nameAt, dataAt, length: null });
  }
  if (namesEnd > (items[0]?.dataAt ?? 0)) fail("the data begin before the names end");
  return items;
}

function holdsAt(buffer: Buffer, at: number, bytes: Buffer): boolean {
  return buffer.subarray(at, at + bytes.length).equals(bytes);
}
