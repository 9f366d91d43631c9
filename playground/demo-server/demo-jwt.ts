import { createHmac, randomUUID } from "node:crypto";

import { DEMO_PEOPLE, type DemoPersonId } from "../demo-people.js";
import { DEMO_WIDGET } from "./demo-secrets.js";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs a JWT for a user, as a shop's own server would after a sign-in. It is valid once, within five minutes. */
export function mintDemoJwt(personId: DemoPersonId): string {
  const person = DEMO_PEOPLE.find(({ id }) => id === personId)!;
  const issuedAt = Math.floor(Date.now() / 1000);
  const head = encode({ alg: "HS256", typ: "JWT" });
  const claims = encode({
    iss: DEMO_WIDGET.id,
    stp: "email",
    sub: person.email,
    jti: randomUUID(),
    iat: issuedAt,
    exp: issuedAt + 300,
    ski: DEMO_WIDGET.keyId,
  });
  const signature = createHmac("sha256", DEMO_WIDGET.secret).update(`${head}.${claims}`).digest("base64url");
  return `${head}.${claims}.${signature}`;
}
