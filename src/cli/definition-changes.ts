import type { EventDefinition } from "../protocol/wire.js";

export interface DefinitionChange {
  definition: EventDefinition;
  /** For people: `+ action (name: string)` or `~ action: …`. */
  line: string;
}

/** What has to be written so that the service has the definitions that are wanted. Others of the service stay. */
export const changesTo = (
  wanted: readonly EventDefinition[],
  present: readonly EventDefinition[],
): DefinitionChange[] => {
  const byId = new Map(present.map((each) => [each.id, each]));
  return wanted.flatMap((definition) => {
    const { id, properties } = definition;
    const before = byId.get(id);
    if (!before) {
      const list = Object.entries(properties).map(([name, type]) => `${name}: ${type}`);
      return { definition, line: `+ ${id} (${list.join(", ") || "no properties"})` };
    }
    const differences = differencesOf(before, definition);
    return differences.length ? { definition, line: `~ ${id}: ${differences.join(", ")}` } : [];
  });
};

const differencesOf = (before: EventDefinition, after: EventDefinition): string[] => {
  const names = [...new Set([...Object.keys(before.properties), ...Object.keys(after.properties)])];
  return [
    ...(before.title === after.title ? [] : [`title "${before.title ?? ""}" → "${after.title ?? ""}"`]),
    ...names.flatMap((name) => {
      const [old, present] = [typeOf(before, name), typeOf(after, name)];
      if (old === present) return [];
      if (!old) return `+${name}: ${present}`;
      return present ? `${name}: ${old} → ${present}` : `-${name}`;
    }),
  ];
};

const typeOf = ({ properties }: EventDefinition, name: string): string | undefined =>
  Object.hasOwn(properties, name) ? properties[name] : undefined;
