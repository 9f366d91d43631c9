/**
 * The demo's tracking key: fixed, so that a reload after a restart goes on where it was. A tracking key stands in
 * every page of a site, so that it is no secret; its one scope lets it do no more than register and send.
 */
export const DEMO_TRACKING_KEY = "demo-tracking-key-725f7c41d09e4b6c9a3155b9";
