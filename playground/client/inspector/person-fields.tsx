/** Shows the fields of a person, one line for each. All values are shown as text. */
export function PersonFields({ person }: { person: Record<string, unknown> }) {
  const fields = Object.entries(person)
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .flatMap(([name, value]) => flatten(name, value));
  if (fields.length === 0) return null;
  return (
    <dl class="fields">
      {fields.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

const SHOWN_ELSEWHERE = new Set(["id", "kind", "createdAt", "lastActivityAt"]);
/** Objects that only group fields with names of their own. */
const GROUPS = new Set(["customAttributes", "contactInformation"]);

function flatten(name: string, value: unknown): [name: string, text: string][] {
  if (GROUPS.has(name) && isRecord(value))
    return Object.entries(value).flatMap(([key, inner]) => flatten(key, inner));
  return [[name, asText(value)]];
}

function asText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(asText).join("; ");
  if (!isRecord(value)) return JSON.stringify(value);
  // The service adds the id of a list's item.
  return Object.entries(value)
    .filter(([key]) => key !== "id")
    .map(([, inner]) => asText(inner))
    .join(", ");
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
