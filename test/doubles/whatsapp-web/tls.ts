import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** One DER element: tag, length, content. */
function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
const hex = (digits: string) => Buffer.from(digits, "hex");
const bits = (bytes: Uint8Array) => der(0x03, Buffer.from([0]), bytes);
const time = (year: number) =>
  der(0x17, Buffer.from(`${String(year % 100).padStart(2, "0")}0101000000Z`));

const OID = {
  ecdsaWithSha256: hex("06082a8648ce3d040302"),
  commonName: hex("0603550403"),
  subjectAltName: hex("0603551d11"),
  basicConstraints: hex("0603551d13"),
};

/**
 * A self-signed certificate for 127.0.0.1 and localhost (X.509 v3, ECDSA P-256), its own authority.
 * Made anew at every start: nothing secret lies in the repository, no openssl is needed.
 */
export function selfSigned(): { key: string; certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(
    der(0x31, sequence(OID.commonName, der(0x0c, Buffer.from("whatsapp-web double")))),
  );
  const year = new Date().getUTCFullYear();
  const alternatives = sequence(
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const extensions = sequence(
    sequence(OID.subjectAltName, der(0x04, alternatives)),
    sequence(OID.basicConstraints, der(0x01, hex("ff")), der(0x04, sequence(der(0x01, hex("ff"))))),
  );
  const algorithm = sequence(OID.ecdsaWithSha256);
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    sequence(time(year - 1), time(year + 2)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const certificate = sequence(body, algorithm, bits(sign("sha256", body, privateKey)));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pem(certificate),
  };
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
