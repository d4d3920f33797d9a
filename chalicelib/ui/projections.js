// The rows of the projected tables, for the tables and for a team's page.

import { callAll } from "./api.js";
import { Resource } from "./resource.js";

export const projections = new Resource(() => callAll("predict/projections/", {}));
