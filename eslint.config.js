import js from "@eslint/js";
import globals from "globals";

// The board is written without a bundler: what a browser runs is what stands in the file.
export default [
  { ignores: ["chalicelib/ui/vendor/", "**/build/", ".local/", ".venv/"] },
  js.configs.recommended,
  {
    files: ["chalicelib/{ui,docs_page}/*.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: globals.browser },
    rules: {
      // Text of a data set must never be parsed as HTML.
      "no-restricted-properties": [
        "error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({ property })),
        { object: "document", property: "write" },
      ],
      "no-console": ["error", { allow: ["error"] }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-param-reassign": "off",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-len": ["error", { code: 120 }],
      "max-lines": ["error", 600],
    },
  },
  {
    files: ["chalicelib/ui/theme.js"],
    languageOptions: { sourceType: "script" },
  },
  {
    files: ["tests/js/**/*.js", "eslint.config.js"],
    languageOptions: { ecmaVersion: 2023, sourceType: "module", globals: globals.node },
  },
];
