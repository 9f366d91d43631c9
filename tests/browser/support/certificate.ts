/** Certificates that a server signs itself: browsers refuse each but the one that they are started to trust. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  /** Lets Chromium accept it, whatever it says and whoever signed it. */
  readonly trustArg: string;
}

/** DER: a tag, a length, the contents. */
const der = (tag: number, ...contents: Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  // As short as can be, or it is no DER.
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  const size = length < 0x80 ? [length] : long;
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...contents: Uint8Array[]): Buffer => der(0x30, ...contents);
const utcTime = (time: string): Buffer => der(0x17, Buffer.from(time));

const ECDSA_WITH_SHA256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");

const name = (text: string): Buffer =>
  sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(text)))));

/** The fewest fields that make a certificate (RFC 5280, version 1). */
export const selfSigned = (commonName: string): Certificate => {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const signed = sequence(
    der(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name(commonName),
    sequence(utcTime("200101000000Z"), utcTime("491231235959Z")),
    name(commonName),
    spki,
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", signed, privateKey));
  const base64 = sequence(signed, ECDSA_WITH_SHA256, signature).toString("base64");
  const lines = base64.match(/.{1,64}/g) ?? [];
  const hash = createHash("sha256").update(spki).digest("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    trustArg: `--ignore-certificate-errors-spki-list=${hash}`,
  };
};

/** What people's browsers trust here. */
export const TRUSTED = selfSigned("People service");
export const UNTRUSTED = selfSigned("somebody else");
