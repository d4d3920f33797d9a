// The service's own track record, for the pages on forecasts and on bets.

import { call } from "./api.js";
import { Resource } from "./resource.js";

/** `data` is false where this release has none. */
export const trackRecord = new Resource(async () => {
  try {
    return (await call("predict/track-record/")).data;
  } catch (error) {
    if (error.status === 503) return false;
    throw error;
  }
});
