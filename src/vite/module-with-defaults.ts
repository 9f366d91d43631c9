/** A module that is the package's, but for the defaults of the tracker's options. */
export const moduleWithDefaults = (packageId: string, defaults: object): string => {
  const from = JSON.stringify(packageId);
  return `import { PeopleTrackingSDK as Tracker } from ${from};
export * from ${from};
export class PeopleTrackingSDK extends Tracker {
  constructor(options) {
    super({ ...${JSON.stringify(defaults)}, ...options });
  }
}
`;
};
