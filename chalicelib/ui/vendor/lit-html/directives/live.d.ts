// The types come with the npm package that these files are copied from.
export * from "lit-html/directives/live.js";
