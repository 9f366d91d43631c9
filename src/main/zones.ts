/**
 * Keeps the tracker out of the zones of zone.js, with which Angular follows the asynchronous work of an app. A timer or
 * message of the tracker in the app's zone would count as the app's, keep it from ever being stable and make it look for
 * changes. Asynchronous work inherits the zone in which it begins, so it is enough that every entry point runs through here.
 */
interface Zones {
  root: { run<Result>(act: () => Result): Result };
  current: { wrap<Listener>(listener: Listener, source: string): Listener };
  __symbol__: unknown;
}

/** Looked up each time, for zone.js may be loaded later. A site's own `Zone` is not meant. */
const zones = (): Zones | undefined => {
  const { Zone } = globalThis as { Zone?: Zones };
  return Zone?.__symbol__ ? Zone : undefined;
};

export const outsideZones = <Result>(act: () => Result): Result => {
  const known = zones();
  return known ? known.root.run(act) : act();
};

/** A site's listener is called in the zone in which it was given, so that its app sees what it changes. */
export const inThisZone = <Listener>(listener: Listener): Listener =>
  zones()?.current.wrap(listener, "people-tracking-sdk") ?? listener;
